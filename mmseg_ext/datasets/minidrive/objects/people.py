"""Pedestrians, and the bodies of riders."""

from __future__ import annotations

from ..canvas import Board, Canvas, Caster, Footprint
from ..roles import Role


def draw_person(canvas: Canvas, x: float, z: float) -> None:
    """A pedestrian of 1.5 to 1.9 m, standing or walking."""
    dice, board = canvas.dice, Board(canvas, x, z)
    tall, half = dice.between(1.5, 1.9), 0.24 * dice.between(0.9, 1.25)
    stride = dice.between(0.02, 0.26)
    with canvas.instance("person"):
        trousers, shirt = canvas.mix(Role.TROUSERS), canvas.mix(Role.SHIRT)
        for sign in (-1, 1):
            foot, hip = sign * stride, 0.5 * tall
            leg = [(sign * 0.8 * half, hip), (0.0, hip)]
            leg += [(foot - 0.3 * half, 0.0), (foot + 0.35 * half, 0.0)]
            board.polygon(trousers.darker(0.2 * sign), leg)
        skin = canvas.mix(Role.SKIN)
        hands = [(sign * (half + 0.3 * stride), 0.46 * tall) for sign in (-1, 1)]
        shoulders = [(sign * 0.9 * half, 0.8 * tall) for sign in (-1, 1)]
        arms = list(zip(shoulders, hands, strict=True))
        board.strokes(shirt.darker(0.7), arms, 0.13)
        torso = [(-half, 0.83 * tall), (half, 0.83 * tall)]
        torso += [(0.85 * half, 0.45 * tall), (-0.85 * half, 0.45 * tall)]
        board.polygon(shirt, torso)
        board.disc(skin, 0.0, 0.91 * tall, 0.13, 0.16)
        board.disc(canvas.mix(Role.HAIR), 0.0, 0.965 * tall, 0.135, 0.09)
    canvas.casters.append(Caster(x - 0.3, z, x + 0.3, z, tall))
    canvas.footprints.append(Footprint(x - 0.4, x + 0.4, z - 0.2, z + 0.3))


def draw_rider(canvas: Canvas, x: float, z: float, seat: float) -> None:
    """Someone on a two-wheeler whose seat is `seat` metres above the ground."""
    dice, board = canvas.dice, Board(canvas, x, z)
    half = 0.25 * dice.between(0.95, 1.2)
    with canvas.instance("rider"):
        trousers, shirt = canvas.mix(Role.RIDER_TROUSERS), canvas.mix(Role.RIDER_SHIRT)
        knee, sole = seat - 0.25, seat - 0.62
        for sign in (-1, 1):
            side = sign * half
            leg = [(0.2 * side, seat), (side, seat + 0.05), (1.15 * side, knee)]
            board.polygon(trousers, [*leg, (0.9 * side, sole), (0.5 * side, sole)])
        arms = [((s * 0.9 * half, seat + 0.5), (s * 1.25 * half, seat + 0.15)) for s in (-1, 1)]
        board.strokes(shirt.darker(0.7), arms, 0.13)
        top = seat + 0.62
        torso = [(-1.05 * half, top), (1.05 * half, top), (half, seat - 0.02), (-half, seat - 0.02)]
        board.polygon(shirt, torso)
        board.disc(canvas.mix(Role.RIDER_SKIN), 0.0, top + 0.14, 0.13, 0.16)
        board.disc(canvas.mix(Role.HELMET), 0.0, top + 0.2, 0.155, 0.13)
    canvas.casters.append(Caster(x - 0.35, z, x + 0.35, z, seat + 0.9))
