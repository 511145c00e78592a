"""Captions that name what can be seen, and how many of it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from .canvas import Layout
from .classes import CLASSES, ClassId
from .domains import Domain

THINGS: tuple[str, ...] = (
    "car",
    "person",
    "truck",
    "bus",
    "train",
    "motorcycle",
    "bicycle",
    "rider",
)
STUFF: tuple[tuple[str, ClassId, float], ...] = (
    ("buildings", ClassId.BUILDING, 0.07),
    ("trees", ClassId.VEGETATION, 0.085),
    ("a fence", ClassId.FENCE, 0.007),
    ("a wall", ClassId.WALL, 0.007),
    ("grass", ClassId.TERRAIN, 0.037),
    ("a traffic light", ClassId.TRAFFIC_LIGHT, 0.0012),
    ("a traffic sign", ClassId.TRAFFIC_SIGN, 0.0012),
)
"""Phrase, class, and the share of the image from which on it is worth a mention."""

_NUMBERS = ("no", "a", "two", "three", "four", "five")
_PLURALS = {"person": "people", "bus": "buses"}
_VISIBLE = 12 / (64 * 128)
_BUILT_UP = 0.11
_MOST_THINGS, _MOST_STUFF = 4, 3


def describe(
    layout: Layout,
    ids: npt.NDArray[np.intp],
    label: npt.NDArray[np.uint8],
    domain: Domain,
    rng: np.random.Generator,
) -> str:
    """The caption of an image.

    Args:
        layout: the scene; names the instances.
        ids: primitive of every pixel of the image, (H, W).
        label: train id of every pixel, (H, W).
        domain: gives the phrase for the condition.
        rng: appearance stream; orders and drops phrases.
    """
    things = [_count(noun, number) for noun, number in visible_things(layout, ids).items()]
    shares = np.bincount(label.ravel(), minlength=len(CLASSES)) / label.size
    stuff = [phrase for phrase, number, least in STUFF if shares[number] >= least]
    chosen = _some(things, _MOST_THINGS, rng) + _some(stuff, _MOST_STUFF, rng)
    place = "street" if shares[ClassId.BUILDING] >= _BUILT_UP else "road"
    scene = domain.phrase.format(place)
    return f"{scene} with {' and '.join(chosen)}" if chosen else scene


def visible_things(layout: Layout, ids: npt.NDArray[np.intp]) -> dict[str, int]:
    """How many instances of every kind of thing are visible with at least 12 pixels of 64x128."""
    pixels = np.bincount(ids.ravel(), minlength=len(layout.owners))
    seen = np.bincount(layout.owners, weights=pixels, minlength=len(layout.nouns))
    least = _VISIBLE * ids.size
    names = [noun for noun, count in zip(layout.nouns, seen, strict=True) if count >= least]
    counts = Counter(names)
    return {noun: counts[noun] for noun in THINGS if counts[noun]}


def _count(noun: str, number: int) -> str:
    if number == 1:
        return f"a {noun}"
    several = _PLURALS.get(noun, f"{noun}s")
    return f"{_NUMBERS[number] if number < len(_NUMBERS) else 'many'} {several}"


def _some(phrases: list[str], most: int, rng: np.random.Generator) -> list[str]:
    order = rng.permutation(len(phrases))[:most]
    return [phrases[k] for k in order]
