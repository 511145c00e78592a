"""Phrases for regions, as a caption would name them: often with a colour, in several wordings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Basic colour terms with a typical RGB value each.
_COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (25, 25, 25),
    "grey": (120, 120, 120),
    "white": (225, 225, 225),
    "red": (190, 50, 45),
    "orange": (220, 130, 50),
    "yellow": (220, 200, 70),
    "green": (70, 140, 70),
    "blue": (60, 90, 190),
    "purple": (140, 90, 160),
    "brown": (115, 80, 55),
    "pink": (225, 140, 180),
}
TEMPLATES: tuple[str, ...] = ("a photo of a {}", "a picture of a {}", "a {} on a street", "a {}")
"""Wordings of a region's phrase; the first ones are CLIP's (Radford et al., 2021)."""


def colour_name(pixels_rgb: npt.NDArray[np.uint8]) -> str:
    """The basic colour nearest to the mean of some pixels (N, 3)."""
    mean = pixels_rgb.reshape(-1, 3).mean(axis=0)
    distances = np.square(np.array(list(_COLOURS.values())) - mean).sum(axis=1)
    return list(_COLOURS)[int(distances.argmin())]


def phrase(noun: str, colour: str, rng: np.random.Generator) -> str:
    """A phrase for an object; half of them say its colour, unless the noun does so itself."""
    coloured = rng.random() < 0.5 and noun.split()[0] not in _COLOURS
    named = f"{colour} {noun}" if coloured else noun
    return TEMPLATES[int(rng.integers(len(TEMPLATES)))].format(named)
