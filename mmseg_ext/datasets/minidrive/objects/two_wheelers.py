"""Motorcycles and bicycles, ridden or parked, from the side or from behind."""

from __future__ import annotations

from ..canvas import Board, Canvas, Footprint
from ..roles import Role
from .people import draw_rider


def draw_motorcycle(canvas: Canvas, x: float, z: float, ridden: bool) -> None:
    """A motorcycle or scooter."""
    dice, board = canvas.dice, Board(canvas, x, z)
    facing = dice.sign()
    canvas.footprints.append(Footprint(x - 0.8, x + 0.8, z - 0.3, z + 0.4))
    with canvas.instance("motorcycle"):
        body, rubber = canvas.mix(Role.MOTORCYCLE), canvas.mix(Role.MOTORCYCLE_WHEEL)
        if dice.happens(0.6):
            for sign in (-1, 1):
                board.disc(rubber, 0.62 * sign, 0.31, 0.32, 0.31)
            hull = [(-0.7, 0.78), (0.3, 0.92), (0.68, 0.62), (0.35, 0.25), (-0.4, 0.25)]
            board.polygon(body, [(facing * right, up) for right, up in hull])
            fork = [((0.64 * facing, 0.31), (0.42 * facing, 1.12))]
            board.strokes(body.darker(1.0), fork, 0.12)
            board.box(body.darker(1.5), -0.62, 0.78, 0.0, 0.88)
        else:
            board.box(rubber, -0.12, 0.0, 0.12, 0.65)
            board.polygon(body, [(-0.32, 1.0), (0.32, 1.0), (0.22, 0.4), (-0.22, 0.4)])
            board.strokes(body.darker(1.0), [((-0.45, 1.06), (0.45, 1.06))], 0.1)
            board.box(canvas.mix(Role.MOTORCYCLE_LIGHT), -0.12, 0.62, 0.12, 0.8)
    if ridden:
        draw_rider(canvas, x, z, 0.85)


def draw_bicycle(canvas: Canvas, x: float, z: float, ridden: bool) -> None:
    """A bicycle with a diamond frame."""
    dice, board = canvas.dice, Board(canvas, x, z)
    facing = dice.sign()
    canvas.footprints.append(Footprint(x - 0.7, x + 0.7, z - 0.15, z + 0.25))
    line = max(0.09, 1.6 / board.scale)
    with canvas.instance("bicycle"):
        frame, rubber = canvas.mix(Role.BICYCLE), canvas.mix(Role.BICYCLE_WHEEL)
        if dice.happens(0.75):
            for sign in (-1, 1):
                board.ring(rubber, 0.55 * sign, 0.34, 0.32, max(0.1, line))
            back, front, crank = (-0.55, 0.34), (0.55, 0.34), (0.0, 0.32)
            saddle, head, bar = (-0.16, 0.82), (0.42, 0.84), (0.36, 1.06)
            tubes = [(back, saddle), (saddle, head), (head, front), (back, crank)]
            tubes += [(crank, saddle), (crank, head), (head, bar)]
            sided = [((facing * a[0], a[1]), (facing * b[0], b[1])) for a, b in tubes]
            board.strokes(frame, sided, line)
        else:
            board.box(rubber, -0.08, 0.0, 0.08, 0.66)
            board.strokes(frame, [((-0.32, 1.02), (0.32, 1.02)), ((0.0, 1.02), (0.0, 0.5))], line)
    if ridden:
        draw_rider(canvas, x, z, 0.88)
