"""What the reported numbers mean; part of every cell's identity, and free of heavy imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL

METRIC_DEFINITION: Mapping[str, Any] = {
    "name": "mIoU",
    "version": 1,
    "level": "confusion counts summed over the data set",
    "classes": list(CLASSES),
    "scored": "classes with at least one ground-truth pixel in the domain",
    "ignored": IGNORE_LABEL,
}
