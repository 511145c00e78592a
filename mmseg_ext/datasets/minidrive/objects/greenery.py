"""Trees and bushes."""

from __future__ import annotations

from ..canvas import Board, Canvas, Caster
from ..roles import Role

_DETAIL = 30.0
"""Metres beyond which plants are drawn with fewer tufts."""


def draw_tree(canvas: Canvas, x: float, z: float) -> None:
    """A street tree of 4 to 7.5 m: a trunk and a crown of five tufts, lighter on top."""
    dice, board = canvas.dice, Board(canvas, x, z)
    height, spread = dice.between(4.0, 7.5), dice.between(0.8, 1.25)
    girth = dice.between(0.12, 0.2)
    board.box(canvas.mix(Role.TRUNK), -girth, 0.0, girth, 0.6 * height)
    leaves = canvas.mix(Role.FOLIAGE)
    for level in (0.62, 0.66, 0.74, 0.82, 0.9) if z < _DETAIL else (0.66, 0.78, 0.88):
        paint = leaves.darker(2.5 * (0.78 - level) + 0.4 * dice.normal())
        rx, ry = spread * dice.between(0.9, 1.5), dice.between(0.7, 1.2)
        board.disc(paint, spread * 0.7 * dice.normal(), height * level, rx, ry)
    canvas.casters.append(Caster(x - 1.6 * spread, z, x + 1.6 * spread, z, height))


def draw_bushes(canvas: Canvas, sign: int, x: float, z0: float, z1: float) -> None:
    """Greenery instead of a house: three bushes or small trees between z0 and z1."""
    dice, height = canvas.dice, canvas.dice.between(1.5, 6.0)
    near = max(z0, 5.0)
    for k in range(3):
        z = z1 + (near - z1) * k / 2
        tall = height * dice.between(0.6, 1.1)
        board = Board(canvas, x + sign * dice.between(1.5, 5.0), z)
        leaves = canvas.mix(Role.FOLIAGE)
        wide = max(0.6 * tall, 2.2)
        board.disc(leaves.darker(0.5), 0.0, 0.45 * tall, wide, 0.55 * tall)
        if z < _DETAIL:
            board.disc(leaves.darker(-0.4), -0.25 * wide, 0.62 * tall, 0.6 * wide, 0.38 * tall)
