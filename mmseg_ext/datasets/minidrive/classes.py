"""Train ids of the Cityscapes classes as an enumeration, and coloured label maps."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from ..classes import CLASSES, PALETTE

__all__ = ["CLASSES", "PALETTE", "ClassId", "colourise"]


class ClassId(IntEnum):
    """Train ids."""

    ROAD = 0
    SIDEWALK = 1
    BUILDING = 2
    WALL = 3
    FENCE = 4
    POLE = 5
    TRAFFIC_LIGHT = 6
    TRAFFIC_SIGN = 7
    VEGETATION = 8
    TERRAIN = 9
    SKY = 10
    PERSON = 11
    RIDER = 12
    CAR = 13
    TRUCK = 14
    BUS = 15
    TRAIN = 16
    MOTORCYCLE = 17
    BICYCLE = 18


def colourise(label: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Label map of train ids (any shape) to RGB in the official colours; 255 becomes black."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(PALETTE)] = PALETTE
    return table[label]
