"""Base colours (RGB, 0..255) of every role in the three colour worlds.

A primitive carries a number u in [0, 1) that picks one of the K colours of its role, so all
colours of an entry are equally likely. `SYNTHETIC` is saturated and clean. `REAL` is greyish and
many classes are nearly alike, as on photographs. `GEO` is warm and dusty with coloured houses.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .errors import unknown
from .roles import Role

Colour = tuple[int, int, int]
Palette = dict[Role, tuple[Colour, ...]]

_RUBBER = {
    Role.CAR_WHEEL: ((20, 20, 20),),
    Role.TRUCK_WHEEL: ((20, 20, 20),),
    Role.BUS_WHEEL: ((20, 20, 20),),
    Role.MOTORCYCLE_WHEEL: ((25, 25, 25),),
    Role.BICYCLE_WHEEL: ((45, 40, 40),),
}
_GREY_RUBBER = {
    Role.CAR_WHEEL: ((36, 35, 35),),
    Role.TRUCK_WHEEL: ((36, 35, 35),),
    Role.BUS_WHEEL: ((36, 35, 35),),
    Role.MOTORCYCLE_WHEEL: ((42, 40, 39),),
    Role.BICYCLE_WHEEL: ((56, 54, 52),),
}
_DUSTY_RUBBER = {
    Role.CAR_WHEEL: ((44, 40, 38),),
    Role.TRUCK_WHEEL: ((44, 40, 38),),
    Role.BUS_WHEEL: ((44, 40, 38),),
    Role.MOTORCYCLE_WHEEL: ((46, 42, 40),),
    Role.BICYCLE_WHEEL: ((58, 52, 48),),
}

SYNTHETIC: Palette = {
    **_RUBBER,
    # The last of the four skies is overcast: one image in four.
    Role.SKY: ((70, 150, 240), (110, 180, 250), (92, 166, 236), (200, 207, 214)),
    Role.CLOUD: ((236, 242, 250), (214, 222, 232)),
    Role.ROAD: ((92, 92, 100), (80, 82, 88)),
    Role.MARKING: ((240, 240, 240), (235, 205, 70)),
    Role.SIDEWALK: ((185, 170, 165), (200, 190, 185)),
    Role.CURB: ((215, 210, 205),),
    Role.TERRAIN: ((120, 200, 70), (150, 190, 80)),
    Role.FACADE: ((205, 120, 90), (230, 200, 140), (160, 150, 190), (210, 205, 200)),
    Role.WINDOW: ((90, 140, 190), (120, 170, 210)),
    Role.DOOR: ((120, 70, 50), (60, 90, 130)),
    Role.ROOF: ((150, 70, 60), (110, 100, 120)),
    Role.WALL: ((170, 130, 110), (150, 140, 160)),
    Role.FENCE: ((150, 110, 70), (120, 130, 140)),
    Role.FENCE_BAR: ((100, 70, 40), (80, 90, 100)),
    Role.POLE: ((60, 60, 70), (80, 85, 95)),
    Role.LAMP: ((235, 232, 205),),
    Role.SIGNAL_BOX: ((30, 30, 30), (40, 45, 35)),
    Role.SIGNAL_RED: ((255, 40, 30),),
    Role.SIGNAL_GREEN: ((40, 255, 120),),
    Role.SIGN_RED: ((230, 30, 40),),
    Role.SIGN_BLUE: ((30, 70, 230),),
    Role.SIGN_YELLOW: ((250, 220, 40),),
    Role.SIGN_WHITE: ((250, 250, 250),),
    Role.FOLIAGE: ((50, 160, 50), (80, 180, 60), (40, 140, 70)),
    Role.TRUNK: ((110, 75, 40),),
    Role.SKIN: ((240, 190, 150), (150, 100, 70)),
    Role.HAIR: ((60, 40, 20), (200, 160, 60)),
    Role.SHIRT: ((230, 50, 60), (60, 80, 220), (240, 220, 60), (60, 190, 90)),
    Role.TROUSERS: ((50, 60, 130), (60, 60, 60)),
    Role.HELMET: ((250, 250, 60), (240, 60, 50)),
    Role.RIDER_SKIN: ((240, 190, 150), (150, 100, 70)),
    Role.RIDER_SHIRT: ((250, 130, 30), (60, 220, 220), (230, 60, 180)),
    Role.RIDER_TROUSERS: ((40, 40, 60), (90, 60, 40)),
    Role.CAR: ((220, 40, 40), (40, 80, 220), (240, 240, 240), (250, 200, 30), (60, 180, 90)),
    Role.CAR_WINDOW: ((60, 90, 120),),
    Role.CAR_TAIL: ((250, 30, 30),),
    Role.CAR_HEAD: ((255, 250, 200),),
    Role.TRUCK_BOX: ((240, 150, 60), (230, 230, 240), (80, 160, 220)),
    Role.TRUCK_CAB: ((240, 80, 50), (60, 100, 200)),
    Role.TRUCK_WINDOW: ((60, 90, 120),),
    Role.TRUCK_TAIL: ((250, 30, 30),),
    Role.TRUCK_HEAD: ((255, 250, 200),),
    Role.BUS: ((250, 220, 40), (230, 60, 50)),
    Role.BUS_WINDOW: ((70, 110, 150),),
    Role.BUS_TAIL: ((250, 30, 30),),
    Role.BUS_HEAD: ((255, 250, 200),),
    Role.TRAIN: ((60, 200, 200), (200, 60, 160)),
    Role.TRAIN_WINDOW: ((30, 60, 80),),
    Role.TRAIN_STRIPE: ((250, 250, 90),),
    Role.MOTORCYCLE: ((230, 40, 120), (40, 40, 40), (70, 70, 240)),
    Role.MOTORCYCLE_LIGHT: ((250, 60, 40),),
    Role.BICYCLE: ((60, 220, 60), (230, 130, 20), (60, 160, 240)),
}

REAL: Palette = {
    **_GREY_RUBBER,
    Role.SKY: ((205, 210, 214), (180, 195, 215), (222, 224, 225)),
    Role.CLOUD: ((226, 228, 230), (206, 210, 214)),
    Role.ROAD: ((108, 104, 100), (122, 118, 113), (90, 88, 88)),
    Role.MARKING: ((165, 163, 158), (150, 148, 142)),
    Role.SIDEWALK: ((128, 122, 116), (142, 134, 124), (115, 113, 112)),
    Role.CURB: ((150, 147, 142),),
    Role.TERRAIN: ((118, 124, 84), (134, 126, 92), (98, 110, 72)),
    Role.FACADE: (
        (142, 118, 102),
        (168, 156, 138),
        (120, 114, 110),
        (152, 134, 116),
        (98, 88, 84),
    ),
    Role.WINDOW: ((72, 76, 82), (92, 98, 104), (58, 58, 62)),
    Role.DOOR: ((74, 62, 54), (86, 88, 92)),
    Role.ROOF: ((92, 72, 66), (80, 78, 80)),
    Role.WALL: ((136, 128, 118), (118, 112, 104)),
    Role.FENCE: ((112, 106, 98), (96, 100, 96)),
    Role.FENCE_BAR: ((78, 74, 70), (66, 70, 68)),
    Role.POLE: ((104, 104, 104), (84, 82, 78)),
    Role.LAMP: ((196, 194, 184),),
    Role.SIGNAL_BOX: ((48, 46, 42), (40, 42, 44)),
    Role.SIGNAL_RED: ((232, 70, 52),),
    Role.SIGNAL_GREEN: ((82, 214, 160),),
    Role.SIGN_RED: ((172, 62, 58),),
    Role.SIGN_BLUE: ((58, 82, 150),),
    Role.SIGN_YELLOW: ((196, 172, 82),),
    Role.SIGN_WHITE: ((206, 206, 202),),
    Role.FOLIAGE: ((72, 86, 56), (88, 96, 66), (62, 70, 52), (104, 100, 70)),
    Role.TRUNK: ((82, 72, 62),),
    Role.SKIN: ((184, 146, 124), (120, 90, 74)),
    Role.HAIR: ((56, 48, 44), (92, 76, 60)),
    Role.SHIRT: (
        (78, 74, 80),
        (104, 92, 88),
        (62, 68, 88),
        (132, 120, 112),
        (110, 62, 60),
    ),
    Role.TROUSERS: ((52, 54, 66), (66, 62, 60)),
    Role.HELMET: ((150, 148, 144), (70, 66, 66)),
    Role.RIDER_SKIN: ((184, 146, 124), (120, 90, 74)),
    Role.RIDER_SHIRT: ((92, 96, 92), (120, 104, 84), (70, 72, 84), (140, 116, 70)),
    Role.RIDER_TROUSERS: ((56, 56, 60), (72, 66, 62)),
    Role.CAR: (
        (172, 174, 176),
        (92, 94, 98),
        (60, 60, 64),
        (206, 206, 204),
        (70, 80, 104),
        (112, 58, 56),
    ),
    Role.CAR_WINDOW: ((58, 64, 70), (84, 92, 100)),
    Role.CAR_TAIL: ((162, 56, 52),),
    Role.CAR_HEAD: ((222, 220, 206),),
    Role.TRUCK_BOX: ((168, 164, 158), (132, 126, 118), (98, 108, 118), (150, 130, 110)),
    Role.TRUCK_CAB: ((128, 124, 124), (104, 78, 72), (84, 92, 108)),
    Role.TRUCK_WINDOW: ((60, 66, 72),),
    Role.TRUCK_TAIL: ((162, 56, 52),),
    Role.TRUCK_HEAD: ((222, 220, 206),),
    Role.BUS: ((190, 178, 140), (150, 70, 64), (196, 194, 188)),
    Role.BUS_WINDOW: ((66, 74, 80), (90, 96, 100)),
    Role.BUS_TAIL: ((162, 56, 52),),
    Role.BUS_HEAD: ((222, 220, 206),),
    Role.TRAIN: ((128, 146, 152), (164, 150, 128), (132, 96, 92)),
    Role.TRAIN_WINDOW: ((60, 64, 70),),
    Role.TRAIN_STRIPE: ((176, 160, 92),),
    Role.MOTORCYCLE: ((70, 66, 66), (104, 60, 58), (60, 66, 86)),
    Role.MOTORCYCLE_LIGHT: ((170, 64, 56),),
    Role.BICYCLE: ((92, 84, 78), (70, 78, 84), (116, 80, 66)),
}

GEO: Palette = {
    **_DUSTY_RUBBER,
    Role.SKY: ((150, 190, 220), (215, 205, 190)),
    Role.CLOUD: ((232, 226, 214),),
    Role.ROAD: ((140, 118, 98), (120, 110, 102)),
    Role.MARKING: ((205, 180, 110), (180, 176, 165)),
    Role.SIDEWALK: ((165, 140, 112), (150, 138, 122)),
    Role.CURB: ((180, 165, 140),),
    Role.TERRAIN: ((165, 140, 90), (140, 135, 75)),
    Role.FACADE: ((200, 160, 90), (205, 120, 95), (170, 185, 180), (225, 205, 170)),
    Role.WINDOW: ((60, 70, 70), (100, 90, 80)),
    Role.DOOR: ((60, 110, 120), (130, 80, 50)),
    Role.ROOF: ((120, 80, 60), (150, 110, 80)),
    Role.WALL: ((185, 165, 130), (160, 120, 95)),
    Role.FENCE: ((130, 110, 80), (110, 125, 115)),
    Role.FENCE_BAR: ((90, 75, 50), (75, 85, 80)),
    Role.POLE: ((120, 112, 98), (90, 100, 92)),
    Role.LAMP: ((212, 204, 180),),
    Role.SIGNAL_BOX: ((170, 140, 40), (60, 62, 50)),
    Role.SIGNAL_RED: ((235, 80, 50),),
    Role.SIGNAL_GREEN: ((80, 215, 150),),
    Role.SIGN_RED: ((180, 70, 55),),
    Role.SIGN_BLUE: ((40, 120, 90),),
    Role.SIGN_YELLOW: ((210, 175, 70),),
    Role.SIGN_WHITE: ((212, 205, 190),),
    Role.FOLIAGE: ((92, 110, 52), (120, 118, 60), (70, 98, 66)),
    Role.TRUNK: ((105, 85, 65),),
    Role.SKIN: ((140, 104, 84), (104, 76, 60)),
    Role.HAIR: ((40, 34, 32),),
    Role.SHIRT: ((190, 120, 70), (205, 195, 175), (150, 70, 90), (70, 110, 120)),
    Role.TROUSERS: ((90, 80, 70), (60, 60, 70)),
    Role.HELMET: ((180, 80, 60), (200, 195, 185)),
    Role.RIDER_SKIN: ((140, 104, 84), (104, 76, 60)),
    Role.RIDER_SHIRT: ((190, 150, 90), (90, 120, 110), (160, 90, 80)),
    Role.RIDER_TROUSERS: ((80, 72, 66),),
    Role.CAR: ((222, 218, 210), (180, 160, 130), (90, 110, 130), (200, 185, 60)),
    Role.CAR_WINDOW: ((70, 74, 76),),
    Role.CAR_TAIL: ((180, 60, 50),),
    Role.CAR_HEAD: ((225, 220, 200),),
    Role.TRUCK_BOX: ((190, 150, 110), (120, 150, 170), (205, 190, 150)),
    Role.TRUCK_CAB: ((200, 120, 60), (190, 170, 60)),
    Role.TRUCK_WINDOW: ((70, 74, 76),),
    Role.TRUCK_TAIL: ((180, 60, 50),),
    Role.TRUCK_HEAD: ((225, 220, 200),),
    Role.BUS: ((110, 150, 110), (190, 90, 70), (90, 120, 170)),
    Role.BUS_WINDOW: ((80, 84, 84),),
    Role.BUS_TAIL: ((180, 60, 50),),
    Role.BUS_HEAD: ((225, 220, 200),),
    Role.TRAIN: ((150, 170, 120), (190, 140, 90)),
    Role.TRAIN_WINDOW: ((70, 70, 68),),
    Role.TRAIN_STRIPE: ((200, 90, 70),),
    Role.MOTORCYCLE: ((150, 60, 55), (70, 80, 110), (60, 58, 56)),
    Role.MOTORCYCLE_LIGHT: ((190, 66, 52),),
    Role.BICYCLE: ((120, 95, 70), (85, 95, 95)),
}

PALETTES: dict[str, Palette] = {"synthetic": SYNTHETIC, "real": REAL, "geo": GEO}


@lru_cache(maxsize=len(PALETTES))
def _table(name: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Colours as an array (roles, K, 3), padded, and the number of colours of every role."""
    if name not in PALETTES:
        raise unknown("palette", name, PALETTES)
    palette = PALETTES[name]
    depth = max(len(colours) for colours in palette.values())
    table = np.zeros((len(Role), depth, 3), np.float32)
    for role in Role:
        table[role, : len(palette[role])] = palette[role]
    counts = np.array([len(palette[role]) for role in Role], np.float32)
    return table, counts


def pick(
    name: str, roles: npt.NDArray[np.intp], tones: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Colours (N, 3) of N primitives in one palette.

    Args:
        name: synthetic, real or geo.
        roles: role of every primitive, (N,).
        tones: u in [0, 1) of every primitive, (N,); picks among the colours of the role.
    """
    table, counts = _table(name)
    chosen = np.minimum(tones * counts[roles], counts[roles] - 1).astype(np.intp)
    return np.asarray(table[roles, chosen], np.float32)


def blend(
    name: str, roles: npt.NDArray[np.intp], tones: npt.NDArray[np.float32], gap: float
) -> npt.NDArray[np.float32]:
    """Colours (N, 3) on the way from the synthetic palette (gap 0) to palette `name` (gap 1)."""
    source = pick("synthetic", roles, tones)
    if name == "synthetic":
        return source
    target = pick(name, roles, tones)
    return np.asarray(source + np.float32(gap) * (target - source), np.float32)
