"""Roles: what a painted primitive is a part of, and how its surface behaves."""

from __future__ import annotations

from enum import IntEnum, auto
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .classes import ClassId


class Role(IntEnum):
    """Parts of things. A class has one or more roles; a role has exactly one class."""

    SKY = 0
    CLOUD = auto()
    ROAD = auto()
    MARKING = auto()
    SIDEWALK = auto()
    CURB = auto()
    TERRAIN = auto()
    FACADE = auto()
    WINDOW = auto()
    DOOR = auto()
    ROOF = auto()
    WALL = auto()
    FENCE = auto()
    FENCE_BAR = auto()
    POLE = auto()
    LAMP = auto()
    SIGNAL_BOX = auto()
    SIGNAL_RED = auto()
    SIGNAL_GREEN = auto()
    SIGN_RED = auto()
    SIGN_BLUE = auto()
    SIGN_YELLOW = auto()
    SIGN_WHITE = auto()
    FOLIAGE = auto()
    TRUNK = auto()
    SKIN = auto()
    HAIR = auto()
    SHIRT = auto()
    TROUSERS = auto()
    HELMET = auto()
    RIDER_SKIN = auto()
    RIDER_SHIRT = auto()
    RIDER_TROUSERS = auto()
    CAR = auto()
    CAR_WINDOW = auto()
    CAR_WHEEL = auto()
    CAR_TAIL = auto()
    CAR_HEAD = auto()
    TRUCK_BOX = auto()
    TRUCK_CAB = auto()
    TRUCK_WINDOW = auto()
    TRUCK_WHEEL = auto()
    TRUCK_TAIL = auto()
    TRUCK_HEAD = auto()
    BUS = auto()
    BUS_WINDOW = auto()
    BUS_WHEEL = auto()
    BUS_TAIL = auto()
    BUS_HEAD = auto()
    TRAIN = auto()
    TRAIN_WINDOW = auto()
    TRAIN_STRIPE = auto()
    MOTORCYCLE = auto()
    MOTORCYCLE_WHEEL = auto()
    MOTORCYCLE_LIGHT = auto()
    BICYCLE = auto()
    BICYCLE_WHEEL = auto()


class Texture(IntEnum):
    """Kinds of surface texture (see textures.py)."""

    FINE = 0
    BLOTCH = 1
    LEAF = 2
    BRICK = 3
    STREAK = 4
    CLOUD = 5


class Surface(NamedTuple):
    """How a role looks besides its colour."""

    cls: ClassId
    texture: Texture = Texture.FINE
    amplitude: float = 6.0
    """Texture contrast at full gap, in grey values (standard deviation)."""
    emission: float = 0.0
    """Probability of shining by itself at night."""


SURFACES: dict[Role, Surface] = {
    Role.SKY: Surface(ClassId.SKY, Texture.CLOUD, 9),
    Role.CLOUD: Surface(ClassId.SKY, Texture.CLOUD, 7),
    Role.ROAD: Surface(ClassId.ROAD, Texture.FINE, 13),
    Role.MARKING: Surface(ClassId.ROAD, Texture.FINE, 16),
    Role.SIDEWALK: Surface(ClassId.SIDEWALK, Texture.BLOTCH, 13),
    Role.CURB: Surface(ClassId.SIDEWALK, Texture.FINE, 12),
    Role.TERRAIN: Surface(ClassId.TERRAIN, Texture.LEAF, 16),
    Role.FACADE: Surface(ClassId.BUILDING, Texture.BRICK, 14),
    Role.WINDOW: Surface(ClassId.BUILDING, Texture.FINE, 8, 0.35),
    Role.DOOR: Surface(ClassId.BUILDING, Texture.STREAK, 8),
    Role.ROOF: Surface(ClassId.BUILDING, Texture.BRICK, 13),
    Role.WALL: Surface(ClassId.WALL, Texture.BLOTCH, 15),
    Role.FENCE: Surface(ClassId.FENCE, Texture.STREAK, 16),
    Role.FENCE_BAR: Surface(ClassId.FENCE, Texture.STREAK, 9),
    Role.POLE: Surface(ClassId.POLE, Texture.FINE, 8),
    Role.LAMP: Surface(ClassId.POLE, Texture.FINE, 4, 0.9),
    Role.SIGNAL_BOX: Surface(ClassId.TRAFFIC_LIGHT, Texture.FINE, 6),
    Role.SIGNAL_RED: Surface(ClassId.TRAFFIC_LIGHT, Texture.FINE, 2, 1.0),
    Role.SIGNAL_GREEN: Surface(ClassId.TRAFFIC_LIGHT, Texture.FINE, 2, 1.0),
    Role.SIGN_RED: Surface(ClassId.TRAFFIC_SIGN, Texture.FINE, 5),
    Role.SIGN_BLUE: Surface(ClassId.TRAFFIC_SIGN, Texture.FINE, 5),
    Role.SIGN_YELLOW: Surface(ClassId.TRAFFIC_SIGN, Texture.FINE, 5),
    Role.SIGN_WHITE: Surface(ClassId.TRAFFIC_SIGN, Texture.FINE, 5),
    Role.FOLIAGE: Surface(ClassId.VEGETATION, Texture.LEAF, 24),
    Role.TRUNK: Surface(ClassId.VEGETATION, Texture.STREAK, 12),
    Role.SKIN: Surface(ClassId.PERSON, Texture.FINE, 6),
    Role.HAIR: Surface(ClassId.PERSON, Texture.FINE, 6),
    Role.SHIRT: Surface(ClassId.PERSON, Texture.BLOTCH, 10),
    Role.TROUSERS: Surface(ClassId.PERSON, Texture.BLOTCH, 8),
    Role.HELMET: Surface(ClassId.RIDER, Texture.FINE, 6),
    Role.RIDER_SKIN: Surface(ClassId.RIDER, Texture.FINE, 6),
    Role.RIDER_SHIRT: Surface(ClassId.RIDER, Texture.BLOTCH, 10),
    Role.RIDER_TROUSERS: Surface(ClassId.RIDER, Texture.BLOTCH, 8),
    Role.CAR: Surface(ClassId.CAR, Texture.FINE, 7),
    Role.CAR_WINDOW: Surface(ClassId.CAR, Texture.FINE, 6),
    Role.CAR_WHEEL: Surface(ClassId.CAR, Texture.FINE, 4),
    Role.CAR_TAIL: Surface(ClassId.CAR, Texture.FINE, 4, 0.8),
    Role.CAR_HEAD: Surface(ClassId.CAR, Texture.FINE, 4, 0.9),
    Role.TRUCK_BOX: Surface(ClassId.TRUCK, Texture.STREAK, 9),
    Role.TRUCK_CAB: Surface(ClassId.TRUCK, Texture.FINE, 8),
    Role.TRUCK_WINDOW: Surface(ClassId.TRUCK, Texture.FINE, 6),
    Role.TRUCK_WHEEL: Surface(ClassId.TRUCK, Texture.FINE, 4),
    Role.TRUCK_TAIL: Surface(ClassId.TRUCK, Texture.FINE, 4, 0.9),
    Role.TRUCK_HEAD: Surface(ClassId.TRUCK, Texture.FINE, 4, 0.9),
    Role.BUS: Surface(ClassId.BUS, Texture.FINE, 8),
    Role.BUS_WINDOW: Surface(ClassId.BUS, Texture.FINE, 6, 0.8),
    Role.BUS_WHEEL: Surface(ClassId.BUS, Texture.FINE, 4),
    Role.BUS_TAIL: Surface(ClassId.BUS, Texture.FINE, 4, 0.9),
    Role.BUS_HEAD: Surface(ClassId.BUS, Texture.FINE, 4, 0.9),
    Role.TRAIN: Surface(ClassId.TRAIN, Texture.STREAK, 8),
    Role.TRAIN_WINDOW: Surface(ClassId.TRAIN, Texture.FINE, 6, 0.8),
    Role.TRAIN_STRIPE: Surface(ClassId.TRAIN, Texture.FINE, 6),
    Role.MOTORCYCLE: Surface(ClassId.MOTORCYCLE, Texture.FINE, 8),
    Role.MOTORCYCLE_WHEEL: Surface(ClassId.MOTORCYCLE, Texture.FINE, 4),
    Role.MOTORCYCLE_LIGHT: Surface(ClassId.MOTORCYCLE, Texture.FINE, 4, 0.9),
    Role.BICYCLE: Surface(ClassId.BICYCLE, Texture.FINE, 8),
    Role.BICYCLE_WHEEL: Surface(ClassId.BICYCLE, Texture.FINE, 4),
}

_GROUND = (Role.ROAD, Role.MARKING, Role.SIDEWALK, Role.CURB, Role.TERRAIN)
_LIT_ROOMS = (Role.WINDOW, Role.BUS_WINDOW, Role.TRAIN_WINDOW)

CLASS_OF: npt.NDArray[np.uint8] = np.array([SURFACES[role].cls for role in Role], np.uint8)
TEXTURE_OF: npt.NDArray[np.intp] = np.array([SURFACES[role].texture for role in Role], np.intp)
AMPLITUDE_OF: npt.NDArray[np.float32] = np.array(
    [SURFACES[role].amplitude for role in Role], np.float32
)
EMISSION_OF: npt.NDArray[np.float32] = np.array(
    [SURFACES[role].emission for role in Role], np.float32
)
IS_GROUND: npt.NDArray[np.bool_] = np.array([role in _GROUND for role in Role])
IS_LIT_ROOM: npt.NDArray[np.bool_] = np.array([role in _LIT_ROOMS for role in Role])
