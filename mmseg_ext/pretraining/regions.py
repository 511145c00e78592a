"""Regions of a photograph that show one object, and their boxes."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt


class Box(NamedTuple):
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of pixels, ends excluded."""

    top: int
    left: int
    bottom: int
    right: int


class Region(NamedTuple):
    """An object: its category and where it is."""

    category: int
    box: Box


def find_regions(
    categories_hw: npt.NDArray[np.uint8],
    rng: np.random.Generator,
    least_pixels: int,
    largest_side: int,
) -> list[Region]:
    """One region of every category that can be seen, in the order of the categories.

    Args:
        categories_hw: category of every pixel.
        rng: picks one of the connected parts of a category, and a place in a large one.
        least_pixels: of a connected part that counts.
        largest_side: a part with a longer box (a road, the sky) is represented by a window of half
            to all of this side around one of its pixels.
    """
    found = []
    for category in np.unique(categories_hw):
        mask = (categories_hw == category).astype(np.uint8)
        _, parts, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        large = [k for k in range(1, len(facts)) if facts[k, cv2.CC_STAT_AREA] >= least_pixels]
        if not large:
            continue
        chosen = large[int(rng.integers(len(large)))]
        left, top, width, height, _ = (int(value) for value in facts[chosen])
        box = Box(top, left, top + height, left + width)
        if max(width, height) > largest_side:
            box = _window(parts == chosen, rng, largest_side)
        found.append(Region(int(category), box))
    return found


def _window(part_hw: npt.NDArray[np.bool_], rng: np.random.Generator, largest_side: int) -> Box:
    rows, columns = np.nonzero(part_hw)
    pixel = int(rng.integers(len(rows)))
    side = int(rng.integers(largest_side // 2, largest_side + 1))
    return square(int(rows[pixel]), int(columns[pixel]), side, *part_hw.shape)


def square(row: int, column: int, side: int, height: int, width: int) -> Box:
    """A square around a pixel, moved inside an image of ``height`` x ``width``."""
    side = min(side, height, width)
    top = min(max(row - side // 2, 0), height - side)
    left = min(max(column - side // 2, 0), width - side)
    return Box(top, left, top + side, left + side)
