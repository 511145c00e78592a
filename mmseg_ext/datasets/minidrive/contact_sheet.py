"""An overview picture: every domain, images above their labels, and the legend of the classes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from .classes import CLASSES, PALETTE, colourise
from .domains import DOMAINS, splits_of
from .world import World

Picture = npt.NDArray[np.uint8]

_PAPER = (250, 250, 248)
_INK = (34, 36, 40)
_FONT = cv2.FONT_HERSHEY_DUPLEX
_GAP = 6
_TITLE_WIDTH = 118
_SWATCH = 22
_LEGEND_COLUMNS = 7


def contact_sheet(
    world: World,
    domains: Sequence[str] | None = None,
    *,
    columns: int = 5,
    first: int = 0,
    split: str = "test",
    tile_width: int = 256,
) -> Picture:
    """Sheet with one row per domain and one scene per column, RGB.

    Because fog, night, rain and snow reuse the streets of the real test set, a column shows the
    same street in these domains.

    Args:
        world: the world to show.
        domains: names of domains, from top to bottom; by default all that have the split.
        columns: scenes per domain.
        first: index of the leftmost scene.
        split: test, or train for the domains that have it.
        tile_width: width of one picture in pixels.

    Raises:
        MiniDriveError: no such domain, split or index.
    """
    if domains is None:
        domains = [name for name in DOMAINS if split in splits_of(name)]
    rows = [
        _domain_row(world, name, range(first, first + columns), split, tile_width)
        for name in domains
    ]
    body = np.concatenate(rows)
    return np.concatenate([body, _legend(body.shape[1])])


def _paper(height: int, width: int) -> Picture:
    return np.full((height, width, 3), _PAPER, np.uint8)


def _write(picture: Picture, text: str, x: int, baseline: int, size: float) -> None:
    cv2.putText(picture, text, (x, baseline), _FONT, size, _INK, 1, cv2.LINE_AA)


def _scale(picture: Picture, width: int, method: int) -> Picture:
    height = round(picture.shape[0] * width / picture.shape[1])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)


def _domain_row(world: World, name: str, indices: range, split: str, tile_width: int) -> Picture:
    tiles = []
    for index in indices:
        scene = world.render(name, split, index)
        image = _scale(scene.image_rgb, tile_width, cv2.INTER_CUBIC)
        label = _scale(colourise(scene.label), tile_width, cv2.INTER_NEAREST)
        tiles.append(np.concatenate([image, label]))
    height = tiles[0].shape[0]
    row = _paper(height + 2 * _GAP, _TITLE_WIDTH + len(tiles) * (tile_width + _GAP))
    _write(row, name, 10, _GAP + height // 2 - 6, 0.62)
    role = "source" if name == "synthetic" else "target" if "train" in splits_of(name) else "unseen"
    _write(row, role, 10, _GAP + height // 2 + 16, 0.42)
    for column, tile in enumerate(tiles):
        left = _TITLE_WIDTH + column * (tile_width + _GAP)
        row[_GAP : _GAP + height, left : left + tile_width] = tile
    return row


def _legend(width: int) -> Picture:
    lines = -(-len(CLASSES) // _LEGEND_COLUMNS)
    step = (width - 2 * _GAP) // _LEGEND_COLUMNS
    legend = _paper(lines * (_SWATCH + 8) + 3 * _GAP, width)
    for number, (name, colour) in enumerate(zip(CLASSES, PALETTE, strict=True)):
        x = 10 + number % _LEGEND_COLUMNS * step
        y = 2 * _GAP + number // _LEGEND_COLUMNS * (_SWATCH + 8)
        cv2.rectangle(legend, (x, y), (x + _SWATCH, y + _SWATCH), colour, -1)
        cv2.rectangle(legend, (x, y), (x + _SWATCH, y + _SWATCH), _INK, 1)
        _write(legend, name, x + _SWATCH + 8, y + 16, 0.5)
    return legend
