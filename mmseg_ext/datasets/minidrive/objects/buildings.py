"""Houses, walls and fences along the street."""

from __future__ import annotations

import numpy as np

from ..canvas import Canvas, Caster
from ..roles import Role

_WINDOWS_UNTIL = 36.0
_GABLE_WINDOWS_UNTIL = 25.0
_FLOOR = 3.0
_DEEP = 12.0
_WINDOW_ENDS = np.array([0.22, 0.8, 0.8, 0.22])
"""Start and end of a window within its column, corner by corner."""


def draw_house(canvas: Canvas, sign: int, x: float, z0: float, z1: float, height: float) -> None:
    """A house whose front stands at X = x from z0 to z1; `sign` is its side of the street."""
    dice, wall = canvas.dice, canvas.mix(Role.FACADE)
    roof, pitched = canvas.mix(Role.ROOF), dice.happens(0.45)
    back = x + sign * _DEEP
    if pitched:
        ridge, top = x + sign * _DEEP / 2, height + dice.between(2.0, 3.5)
        slope = [(x, height, z0), (x, height, z1), (ridge, top, z1), (ridge, top, z0)]
        canvas.face(roof, slope, (z0 + z1) / 2)
        gable = [(x, height, z0), (ridge, top, z0), (back, height, z0)]
        canvas.face(wall.darker(0.6), gable, z0)
    canvas.along(wall, x, 0.0, height, z0, z1)
    project = canvas.camera.project
    canvas.rectangle(wall.darker(0.6), project(x, height, z0), project(back, 0.0, z0), z0)
    if not pitched and dice.happens(0.5):
        canvas.along(roof, x, height - 0.6, height, z0, z1)
    canvas.casters.append(Caster(x, z0, x, z1, height))
    if z0 < _WINDOWS_UNTIL:
        _draw_windows(canvas, x, z0, z1, height)
    if z0 < _GABLE_WINDOWS_UNTIL:
        _draw_gable_windows(canvas, sign, x, z0, height)


def _draw_windows(canvas: Canvas, x: float, z0: float, z1: float, height: float) -> None:
    """Windows in perspective, floor by floor, sometimes shop windows, and a door."""
    dice, middle = canvas.dice, (z0 + z1) / 2
    columns, floors = max(2, int((z1 - z0) / dice.between(2.4, 4.0))), _floors(height)
    step = (z1 - z0) / columns
    depth = z0 + step * (np.arange(columns)[:, None, None] + _WINDOW_ENDS)
    low, high = dice.between(0.7, 1.1), dice.between(2.1, 2.5)
    heights = _FLOOR * np.arange(floors)[:, None] + np.array([high, high, low, low])
    if height > 5.0 and dice.happens(0.3):
        heights[0, 2:] = 0.3
    camera = canvas.camera
    scale = camera.focal / depth
    quads = np.empty((columns, floors, 4, 2))
    quads[..., 0] = camera.vanishing + camera.side * x * scale
    quads[..., 1] = camera.horizon + scale * (camera.above_ground - heights)
    # Three groups, so that at night a part of the windows of a house is lit.
    canvas.faces(canvas.mix(Role.WINDOW), quads.reshape(-1, 4, 2), middle, groups=3)
    entrance = z0 + step * (dice.integer(0, columns - 1) + 0.22)
    canvas.along(canvas.mix(Role.DOOR), x, 0.0, high, entrance, entrance + 0.5 * step)


def _draw_gable_windows(canvas: Canvas, sign: int, x: float, z: float, height: float) -> None:
    """Three columns of windows in the wall towards the camera."""
    camera, floors = canvas.camera, _floors(height)
    scale = camera.focal / z
    along = x + sign * (1.6 + 3.4 * np.arange(3)[:, None, None] + np.array([0.0, 1.5, 1.5, 0.0]))
    heights = _FLOOR * np.arange(floors)[:, None] + np.array([2.3, 2.3, 0.9, 0.9])
    quads = np.empty((3, floors, 4, 2))
    quads[..., 0] = camera.vanishing + camera.side * scale * along
    quads[..., 1] = camera.horizon + scale * (camera.above_ground - heights)
    canvas.faces(canvas.mix(Role.WINDOW), quads.reshape(-1, 4, 2), z)


def _floors(height: float) -> int:
    return max(1, int(height / _FLOOR))


def draw_wall(canvas: Canvas, x: float, z0: float, z1: float) -> None:
    """A solid wall of 1.3 to 2.4 m with a lighter coping."""
    height, paint = canvas.dice.between(1.3, 2.4), canvas.mix(Role.WALL)
    canvas.along(paint, x, 0.0, height, z0, z1)
    canvas.along(paint.darker(-0.9), x, height - 0.16, height, z0, z1)
    canvas.casters.append(Caster(x, z0, x, z1, height))


def draw_fence(canvas: Canvas, x: float, z0: float, z1: float) -> None:
    """A fence of 1.2 to 2.2 m: panels, posts and two rails."""
    camera, height = canvas.camera, canvas.dice.between(1.2, 2.2)
    canvas.along(canvas.mix(Role.FENCE), x, 0.0, height, z0, z1)
    bars, count, ratio = [], 16, z1 / z0
    for k in range(count + 1):
        z = z0 * ratio ** (k / count)
        bars.append((camera.project(x, height, z), camera.project(x, 0.0, z)))
    middle, paint = (z0 + z1) / 2, canvas.mix(Role.FENCE_BAR)
    canvas.strokes(paint, bars, 0.09 * camera.focal / middle, middle)
    for rail in (0.2, 0.9):
        canvas.along(paint, x, rail * height, (rail + 0.07) * height, z0, z1)
