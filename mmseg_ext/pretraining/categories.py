"""What objects of web photographs are called: 29 categories, finer than and unlike the 19 classes.

A category is a group of roles. Parts that a passer-by would name (a window, a kerb, a tree trunk)
are categories of their own; all parts of a vehicle or a person are one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmseg_ext.datasets.minidrive.roles import Role

_GROUPS: dict[str, tuple[Role, ...]] = {
    "sky": (Role.SKY,),
    "cloud": (Role.CLOUD,),
    "road": (Role.ROAD,),
    "road marking": (Role.MARKING,),
    "sidewalk": (Role.SIDEWALK,),
    "curb": (Role.CURB,),
    "lawn": (Role.TERRAIN,),
    "building": (Role.FACADE,),
    "window": (Role.WINDOW,),
    "door": (Role.DOOR,),
    "roof": (Role.ROOF,),
    "wall": (Role.WALL,),
    "fence": (Role.FENCE, Role.FENCE_BAR),
    "pole": (Role.POLE, Role.LAMP),
    "traffic light": (Role.SIGNAL_BOX, Role.SIGNAL_RED, Role.SIGNAL_GREEN),
    "red traffic sign": (Role.SIGN_RED,),
    "blue traffic sign": (Role.SIGN_BLUE,),
    "yellow traffic sign": (Role.SIGN_YELLOW,),
    "white traffic sign": (Role.SIGN_WHITE,),
    "tree": (Role.FOLIAGE,),
    "tree trunk": (Role.TRUNK,),
    "person": (Role.SKIN, Role.HAIR, Role.SHIRT, Role.TROUSERS),
    "rider": (Role.HELMET, Role.RIDER_SKIN, Role.RIDER_SHIRT, Role.RIDER_TROUSERS),
    "car": (Role.CAR, Role.CAR_WINDOW, Role.CAR_WHEEL, Role.CAR_TAIL, Role.CAR_HEAD),
    "truck": (
        *(Role.TRUCK_BOX, Role.TRUCK_CAB, Role.TRUCK_WINDOW),
        *(Role.TRUCK_WHEEL, Role.TRUCK_TAIL, Role.TRUCK_HEAD),
    ),
    "bus": (Role.BUS, Role.BUS_WINDOW, Role.BUS_WHEEL, Role.BUS_TAIL, Role.BUS_HEAD),
    "train": (Role.TRAIN, Role.TRAIN_WINDOW, Role.TRAIN_STRIPE),
    "motorcycle": (Role.MOTORCYCLE, Role.MOTORCYCLE_WHEEL, Role.MOTORCYCLE_LIGHT),
    "bicycle": (Role.BICYCLE, Role.BICYCLE_WHEEL),
}

CATEGORIES: tuple[str, ...] = tuple(_GROUPS)


def _of_roles() -> npt.NDArray[np.uint8]:
    found = {role: number for number, roles in enumerate(_GROUPS.values()) for role in roles}
    return np.array([found[role] for role in Role], np.uint8)


CATEGORY_OF: npt.NDArray[np.uint8] = _of_roles()
"""Category of every role."""
