"""What an encoder returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Encoded:
    """A label file.

    Attributes:
        segments: ``segments_info`` of its entry in the panoptic file, where the format has one.
    """

    content: bytes
    segments: Sequence[dict[str, Any]] = ()
