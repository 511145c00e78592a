"""Sky line and ground: the parts of a scene that lie behind and below everything else."""

from __future__ import annotations

from ..canvas import GROUND_DEPTH, Canvas
from ..roles import Role
from ..street import Side, Street

FAR = 120.0
"""Metres to the end of the street."""

_HORIZON_DEPTH = 110.0


def draw_clouds(canvas: Canvas) -> None:
    """Up to four heaps of cloud in two scenes of five."""
    dice, camera = canvas.dice, canvas.camera
    if not dice.happens(0.4):
        return
    for _ in range(dice.integer(1, 4)):
        x, y = dice.unit() * camera.width, dice.between(0.05, 0.75) * camera.horizon
        size, paint = dice.between(0.04, 0.10) * camera.width, canvas.mix(Role.CLOUD)
        for step in (-1, 0, 1):
            centre = (x + step * size * dice.between(0.6, 1.0), y + dice.between(-0.1, 0.1) * size)
            radii = (size * dice.between(0.6, 1.0), size * dice.between(0.18, 0.32))
            canvas.ellipse(paint, centre, radii, 900.0)


def draw_skyline(canvas: Canvas) -> None:
    """A distant row of tree tops and houses in three scenes of four."""
    dice, camera = canvas.dice, canvas.camera
    if not dice.happens(0.75):
        return
    x, base = -0.04 * camera.width, camera.horizon
    while x < 1.04 * camera.width:
        width = dice.between(0.05, 0.16) * camera.width
        height = dice.between(0.01, 0.09) * camera.height
        if dice.happens(0.45):
            centre, radii = (x + width / 2, base), (0.7 * width, height)
            canvas.ellipse(canvas.mix(Role.FOLIAGE), centre, radii, _HORIZON_DEPTH)
        else:
            top, foot = (x, base - 1.5 * height), (x + width, base + 2)
            canvas.rectangle(canvas.mix(Role.FACADE), top, foot, _HORIZON_DEPTH)
        x += 0.8 * width


def draw_ground(canvas: Canvas, street: Street) -> None:
    """Everything on the ground, from the outside in."""
    camera, dice = canvas.camera, canvas.dice
    near = camera.near
    rest = canvas.mix(Role.TERRAIN if dice.happens(0.5) else Role.SIDEWALK)
    below = [
        (0.0, camera.horizon),
        (camera.width, camera.horizon),
        (camera.width, camera.height),
        (0.0, camera.height),
    ]
    canvas.polygon(rest, below, GROUND_DEPTH)
    walks = [_draw_outside(canvas, side) for side in street.sides]
    canvas.ground(canvas.mix(Role.ROAD), street.left.kerb, street.right.kerb, near, FAR)
    for side, has_walk in zip(street.sides, walks, strict=True):
        if has_walk:
            canvas.ground(canvas.mix(Role.CURB), side.kerb, side.outward(0.28), near, FAR)
    _draw_markings(canvas, street)


def _draw_outside(canvas: Canvas, side: Side) -> bool:
    near, end = canvas.camera.near, side.walk_end
    strip = Role.TERRAIN if side.verge else Role.SIDEWALK
    canvas.ground(canvas.mix(strip), end, end + side.sign * 60.0, near, FAR)
    if side.walk_width > 0:
        canvas.ground(canvas.mix(Role.SIDEWALK), side.kerb, end, near, FAR)
    return side.walk_width > 0


def _draw_markings(canvas: Canvas, street: Street) -> None:
    dice, near = canvas.dice, canvas.camera.near
    paint = canvas.mix(Role.MARKING)
    for lane, following in zip(street.lanes, street.lanes[1:], strict=False):
        x, dashed = (lane + following) / 2, dice.happens(0.75)
        z = near + dice.between(0.0, 4.0) if dashed else near
        while z < 60.0:
            end = z + (3.0 if dashed else 60.0)
            canvas.ground(paint, x - 0.1, x + 0.1, z, end)
            z = end + 4.5
    if dice.happens(0.5):
        for side in street.sides:
            x = side.outward(-2.0 if side.parking else -0.3)
            canvas.ground(paint, x - 0.07, x + 0.07, near, 60.0)
    if dice.happens(0.15):
        z, x = dice.between(9.0, 18.0), street.left.kerb + 0.4
        while x < street.right.kerb - 0.6:
            canvas.ground(paint, x, x + 0.55, z, z + 3.0)
            x += 1.1
