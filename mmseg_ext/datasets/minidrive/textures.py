"""Surface texture: a bank of band-limited noise for objects, and a ground in perspective.

Objects take their texture from the bank at one of three scales by distance. Every primitive has
a position of its own in the bank. The ground looks its texture up by world coordinates, so that
patches shrink towards the horizon as they do in a photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from .canvas import Layout
from .roles import IS_GROUND, TEXTURE_OF, Texture

Map = npt.NDArray[np.float32]

_UNIT = 32.0
"""Steps of the stored int8 noise per standard deviation."""

# Per kind: (cell width, cell height, weight) of each octave, in pixels of a scene 128 rows high.
_OCTAVES: dict[Texture, tuple[tuple[float, float, float], ...]] = {
    Texture.FINE: ((1.5, 1.5, 0.7), (12.0, 12.0, 0.7)),
    Texture.BLOTCH: ((3.0, 3.0, 0.5), (20.0, 20.0, 1.0)),
    Texture.LEAF: ((2.5, 2.5, 1.0), (8.0, 8.0, 0.7)),
    Texture.BRICK: ((14.0, 2.5, 0.9), (3.0, 3.0, 0.5), (30.0, 30.0, 0.4)),
    Texture.STREAK: ((2.2, 40.0, 1.0), (3.0, 3.0, 0.4)),
    Texture.CLOUD: ((60.0, 20.0, 1.0), (25.0, 10.0, 0.5)),
}
_SCALES = (1.0, 0.65, 0.4)
_NEARER_THAN = (12.0, 28.0)
"""Distances in metres where the next finer scale begins."""


def _noise(
    rng: np.random.Generator, height: int, width: int, cell_width: float, cell_height: float
) -> Map:
    """Smooth noise of unit variance with cells of the given size in pixels."""
    rows, columns = max(2, int(height / cell_height)), max(2, int(width / cell_width))
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(fine / fine.std(), np.float32)


def _pack(field: Map) -> npt.NDArray[np.int8]:
    scaled = np.clip(np.rint(field / field.std() * _UNIT), -127, 127)
    return np.asarray(scaled, np.int8)


@dataclass(frozen=True)
class Bank:
    """All kinds and scales of noise, flattened: tile `kind * scales + scale`, row-major."""

    values: npt.NDArray[np.int8]
    rows: int
    columns: int
    margin: int
    """How far a scene can be shifted inside a tile."""

    @property
    def tile(self) -> int:
        """Values per tile."""
        return self.rows * self.columns


@lru_cache(maxsize=2)
def bank(height: int, width: int) -> Bank:
    """The bank for scenes of `height` x `width` pixels. It is the same in every world."""
    rng, margin, size = np.random.default_rng(20231), height // 2, height / 128.0
    rows, columns = height + margin, width + margin
    tiles = []
    for kind in Texture:
        for scale in _SCALES:
            factor = size * (1.0 if kind is Texture.CLOUD else scale)
            field = np.zeros((rows, columns), np.float32)
            for wide, high, weight in _OCTAVES[kind]:
                cell = (max(1.0, wide * factor), max(1.0, high * factor))
                field += np.float32(weight) * _noise(rng, rows, columns, *cell)
            tiles.append(_pack(field).ravel())
    return Bank(np.concatenate(tiles), rows, columns, margin)


@lru_cache(maxsize=2)
def _pixel_offsets(height: int, width: int, columns: int) -> npt.NDArray[np.intp]:
    rows = np.arange(height, dtype=np.intp)[:, None] * columns
    return np.asarray(rows + np.arange(width, dtype=np.intp), np.intp)


def object_texture(layout: Layout, amplitudes: Map, rng: np.random.Generator) -> Map:
    """Texture of everything above the ground in grey values, (rows, columns) of the scene.

    Args:
        layout: the scene.
        amplitudes: standard deviation per primitive, (N,).
        rng: appearance stream; gives every primitive its place in the bank.
    """
    height, width = layout.ids.shape
    store = bank(height, width)
    kinds, count = TEXTURE_OF[layout.roles], len(layout.roles)
    scale = np.searchsorted(_NEARER_THAN, layout.depths, side="right")
    down = rng.integers(0, store.margin, count)
    right = rng.integers(0, store.margin, count)
    start = (kinds * len(_SCALES) + scale) * store.tile + down * store.columns + right
    where = start.take(layout.ids)
    where += _pixel_offsets(height, width, store.columns)
    strength = np.where(IS_GROUND[layout.roles], 0, amplitudes / _UNIT).astype(np.float32)
    texture: Map = strength.take(layout.ids)
    texture *= store.values.take(where)
    return texture


_GROUND_TILE = 512
_TEXELS_PER_METRE = 16.0


@lru_cache(maxsize=1)
def _ground_tiles() -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Periodic fine and blotchy noise, flattened; a tile covers 32 m x 32 m."""
    rng, size = np.random.default_rng(20232), _GROUND_TILE
    fine = np.asarray(rng.standard_normal((size, size)), np.float32)
    wrapped = np.pad(fine, 64, mode="wrap")
    inner = slice(64, 64 + size)
    soft = [cv2.GaussianBlur(wrapped, (0, 0), sigma)[inner, inner] for sigma in (1.0, 6.0, 18.0)]
    unit = [layer / layer.std() for layer in soft]
    grain = fine * 0.5 + unit[0] + 0.5 * unit[1]
    blotch = 0.5 * unit[0] + unit[1] + unit[2]
    return _pack(grain).ravel(), _pack(blotch).ravel()


@dataclass(frozen=True)
class Ground:
    """The ground plane seen by a camera; maps cover the rows from `first` to the last one."""

    first: int
    """First row below the horizon."""
    depth: Map
    """Distance in metres of every row, (rows, 1)."""
    x: Map
    """X in metres, (rows, columns)."""
    grain: Map
    """Fine texture of unit variance, fading with the distance."""
    blotch: Map
    """Patches of about a metre, unit variance."""


def ground_plane(layout: Layout, rng: np.random.Generator) -> Ground:
    """World coordinates and texture of the ground for the camera of a layout."""
    camera = layout.camera
    first = int(camera.horizon) + 1
    rows = np.arange(first, camera.height, dtype=np.float32)[:, None] + np.float32(0.5)
    depth = camera.focal * camera.above_ground / (rows - np.float32(camera.horizon))
    columns = np.arange(camera.width, dtype=np.float32) + np.float32(0.5 - camera.vanishing)
    x = columns[None] * (depth * np.float32(camera.side / camera.focal))
    # Whole periods are added so that truncation to integers never crosses zero.
    shift = (rng.random(2, dtype=np.float32) + np.float32(64)) * np.float32(_GROUND_TILE)
    mask, scale = _GROUND_TILE - 1, np.float32(_TEXELS_PER_METRE)
    across = (x * scale + shift[0]).astype(np.int32) & mask
    ahead = ((depth * scale + shift[1]).astype(np.int32) & mask) * _GROUND_TILE
    where = across + ahead
    grain, blotch = _ground_tiles()
    unit = np.float32(1 / _UNIT)
    fading = unit / (1 + depth / np.float32(15.0))
    slow = unit / (1 + depth / np.float32(60.0))
    return Ground(
        first=first,
        depth=depth.astype(np.float32),
        x=x,
        grain=grain.take(where) * fading * np.float32(1.4),
        blotch=blotch.take(where) * slow,
    )
