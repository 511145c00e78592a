"""COCO panoptic files: which category the segments of a label file belong to (WildDash 2)."""

from __future__ import annotations

import json
from typing import Any

from mmseg_ext.datasets.files import Listing, read_bytes
from mmseg_ext.datasets.layouts import Match
from mmseg_ext.errors import UnreadableFileError


def segments_of(listing: Listing, found: Match) -> dict[str, dict[int, int]]:
    """Category of every segment id, by file name of the label, from a COCO panoptic file.

    Raises:
        UnreadableFileError: the file is missing or is no such file.
    """
    if found.segments is None:
        raise UnreadableFileError(
            f"{listing.root}: {found.layout.segments} is missing; it says what the segments of "
            "the label files are, and comes in the same archive"
        )
    path = str(listing.root / found.segments)
    try:
        document: Any = json.loads(read_bytes(path, "panoptic file"))
        return {
            str(entry["file_name"]): {
                int(segment["id"]): int(segment["category_id"])
                for segment in entry["segments_info"]
            }
            for entry in document["annotations"]
        }
    except UnreadableFileError:
        raise
    except Exception as error:  # of many kinds, for all that other content may be
        raise UnreadableFileError(
            f"{path}: not a COCO panoptic file ({type(error).__name__}: {error})"
        ) from error
