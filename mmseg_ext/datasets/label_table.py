"""The table that turns a data set's own label ids into train ids, and counts of either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL
from mmseg_ext.errors import InvalidLabelError

ABOVE = 256
"""Stands for every id that is no 8-bit number."""

_EXACT = 2**24  # pixels that OpenCV can count, in fp32


def table(
    label_map: Mapping[Any, int], values: Sequence[int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The table of 256 train ids, and which ids may occur (257: the last is `ABOVE`).

    Raises:
        ValueError: an id is not an 8-bit number, a train id is none, or a mapped id is not in
            ``values``.
    """
    train_ids = np.full(256, IGNORE_LABEL, np.uint8)
    known = np.zeros(257, bool)
    for value in values:
        if not 0 <= int(value) <= 255:
            raise ValueError(f"values: {value!r} is no 8-bit id")
        known[int(value)] = True
    for key, train_id in label_map.items():
        if not 0 <= int(key) <= 255 or not known[int(key)]:
            raise ValueError(f"label_map: id {key!r} is not among the values that may occur")
        if train_id not in (*range(len(CLASSES)), IGNORE_LABEL):
            raise ValueError(f"label_map: {key!r} -> {train_id!r} is no train id")
        train_ids[int(key)] = train_id
    return train_ids, known


def id_counts(raw_hw: NDArray[Any]) -> NDArray[np.int64]:
    """Pixels of each id in a label map of 8 or 16 bits: 257 numbers, the last for `ABOVE`."""
    if raw_hw.dtype != np.uint8:
        raw_hw = np.minimum(raw_hw, ABOVE).astype(np.uint16)
    # OpenCV is faster than numpy's bincount, and releases the interpreter's lock.
    rows = max(1, _EXACT // raw_hw.shape[1])
    parts = [raw_hw[top : top + rows] for top in range(0, raw_hw.shape[0], rows)]
    counts = [cv2.calcHist([part], [0], None, [257], [0, 257]) for part in parts]
    total: NDArray[np.int64] = np.sum(counts, axis=0, dtype=np.int64).ravel()
    return total


def train_ids_of(
    raw_hw: NDArray[Any], train_ids: NDArray[np.uint8], known: NDArray[np.bool_], path: str
) -> NDArray[np.uint8]:
    """Look up a label map in a `table`.

    Raises:
        InvalidLabelError: it holds an id that may not occur.
    """
    counts = id_counts(raw_hw)
    if counts[~known].any():
        unknown = np.setdiff1d(raw_hw, np.flatnonzero(known)).tolist()
        raise InvalidLabelError(
            f"{path}: values {_shown(unknown)} do not occur in this data set's labels; the "
            "file was converted before, or it is another kind of label file"
        )
    # Every known id fits into 8 bits.
    return np.asarray(cv2.LUT(raw_hw.astype(np.uint8, copy=False), train_ids))


def _shown(values: list[int]) -> str:
    return f"{values}" if len(values) <= 8 else f"{values[:8]} and {len(values) - 8} more"
