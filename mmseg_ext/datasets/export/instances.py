"""Connected areas of one id, taken for instances."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.export.legend import Legend

_FIRST_THING = 11  # person; the classes from there on are countable


def instances(raw: NDArray[np.uint8], legend: Legend) -> NDArray[np.int32]:
    """Number of the thing at each pixel of a map of ids, from 1 on; 0 where there is none."""
    things = [value for ids in legend.ids.of_class[_FIRST_THING:] for value in ids]
    numbers = np.zeros(raw.shape, np.int32)
    for value in sorted({*things} & {int(value) for value in np.unique(raw)}):
        _, areas = cv2.connectedComponents((raw == value).astype(np.uint8), connectivity=8)
        place = areas > 0
        numbers[place] = areas[place] + numbers.max()
    return numbers
