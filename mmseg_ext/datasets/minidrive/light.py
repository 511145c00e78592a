"""Daylight on a scene: uneven light, shadows thrown by a sun, contact shadows under things."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .canvas import Layout
from .frame import plane
from .roles import IS_GROUND
from .textures import Map

_SHADOWS_UNTIL = 50.0
"""Metres."""


def daylight(
    layout: Layout, rng: np.random.Generator, unevenness: float, sunny: float, contact: float
) -> Map:
    """Gain by which the light of day multiplies the colours of a scene, (rows, columns).

    Args:
        layout: the scene.
        rng: appearance stream.
        unevenness: standard deviation of the linear change from edge to edge.
        sunny: probability of cast shadows.
        contact: darkness of the shadow under vehicles and people, 0..1.
    """
    rows, columns = layout.ids.shape
    right, down = rng.normal(0.0, unevenness, 2)
    gain = plane(rows, columns, float(right), float(down))
    shade = contact * _contact_shadows(layout)
    if rng.random() < sunny:
        np.maximum(shade, float(rng.uniform(0.25, 0.5)) * _cast_shadows(layout, rng), out=shade)
    shade *= IS_GROUND[layout.roles].astype(np.float32).take(layout.ids)
    gain *= 1 - shade
    return gain


def _fill(layout: Layout, quads: npt.NDArray[np.float64]) -> Map:
    """One inside quadrangles on the ground, else zero; `quads` are points (X, Z), (N, 4, 2)."""
    camera, mask = layout.camera, np.zeros(layout.ids.shape, np.float32)
    depth = np.maximum(quads[..., 1], 0.6 * camera.near)
    scale = camera.focal / depth
    x = camera.vanishing + camera.side * scale * quads[..., 0]
    y = camera.horizon + scale * camera.above_ground
    for corners in np.rint(np.stack([x, y], axis=-1)).astype(np.int32, order="C"):
        cv2.fillConvexPoly(mask, corners, (1.0,))
    return mask


def _blur(mask: Map, width: float, height: float) -> Map:
    size = (max(1, round(width)), max(1, round(height)))
    return np.asarray(cv2.blur(mask, size), np.float32)


def _contact_shadows(layout: Layout) -> Map:
    prints = np.array(layout.footprints, np.float64).reshape(-1, 4)
    quads = prints[:, ((0, 2), (1, 2), (1, 3), (0, 3))]
    return _blur(_fill(layout, quads), 0.04 * layout.camera.height, 0.03 * layout.camera.height)


def _cast_shadows(layout: Layout, rng: np.random.Generator) -> Map:
    """Shadows of upright rectangles under a sun of random direction and height."""
    across = float(rng.uniform(0.4, 1.4)) * (1.0 if rng.random() < 0.5 else -1.0)
    ahead = float(rng.uniform(-0.8, 0.8))
    casters = np.array(layout.casters, np.float64).reshape(-1, 5)
    casters = casters[casters[:, 1] < _SHADOWS_UNTIL]
    foot = casters[:, ((0, 1), (2, 3))]
    tip = foot[:, ::-1] + casters[:, None, 4:] * np.array([across, ahead])
    mask = _fill(layout, np.concatenate([foot, tip], axis=1))
    return _blur(mask, 0.03 * layout.camera.height, 0.03 * layout.camera.height)
