"""``coco_panoptic``: segment ids in three channels, described in one JSON file (WildDash 2).

Format: the COCO panoptic format, https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.export.encoded import Encoded
from mmseg_ext.datasets.export.legend import Legend
from mmseg_ext.datasets.export.png import png

_UNLABELED = 0
_ANSWER = 0x9E3779  # odd, so that its multiples give different ids that use all three channels


def coco_panoptic(raw: NDArray[np.uint8], legend: Legend) -> Encoded:
    """An RGB PNG of segments R + 256 G + 65536 B, each a connected area of one category.

    Pixels of category 0, "unlabeled", are in no segment.
    """
    numbers = np.zeros(raw.shape, np.int64)
    segments: list[dict[str, Any]] = []
    for category in np.unique(raw[raw != _UNLABELED]).tolist():
        mask = (raw == category).astype(np.uint8)
        count, areas, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        for area in range(1, count):
            number = (len(segments) + 1) * _ANSWER % 2**24
            left, top, width, height, pixels = (int(value) for value in boxes[area])
            window = np.s_[top : top + height, left : left + width]
            numbers[window][areas[window] == area] = number
            segments.append(
                {
                    "id": number,
                    "category_id": category,
                    "area": pixels,
                    "bbox": [left, top, width, height],
                    "iscrowd": 0,
                }
            )
    channels = [numbers & 255, numbers >> 8 & 255, numbers >> 16]
    return Encoded(png(np.dstack(channels).astype(np.uint8)), segments)


def panoptic_file(entries: Sequence[dict[str, Any]], categories: Sequence[int]) -> bytes:
    """The JSON file that goes with the label files; an entry names a file, its image's size and
    its segments."""
    return json.dumps(
        {
            "images": [
                {"id": entry["image_id"], "file_name": entry["image_name"], **entry["size"]}
                for entry in entries
            ],
            "annotations": [
                {key: entry[key] for key in ("image_id", "file_name", "segments_info")}
                for entry in entries
            ],
            "categories": [{"id": value, "name": str(value)} for value in categories],
        },
        separators=(",", ":"),
    ).encode()
