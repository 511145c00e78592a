"""Street furniture on poles: lamps, traffic lights and signs."""

from __future__ import annotations

from ..canvas import Board, Canvas, Caster
from ..roles import Role


def _draw_pole(canvas: Canvas, board: Board, x: float, height: float, half_width: float) -> None:
    least = 0.9 / board.scale
    half = max(half_width, least)
    board.box(canvas.mix(Role.POLE), -half, 0.0, half, height)
    canvas.casters.append(Caster(x - half, board.depth, x + half, board.depth, height))


def draw_lamp(canvas: Canvas, sign: int, x: float, z: float) -> None:
    """A street lamp of 5 to 8 m with an arm over the road; `sign` is its side of the street."""
    height, board = canvas.dice.between(5.0, 8.0), Board(canvas, x, z)
    _draw_pole(canvas, board, x, height, 0.09)
    arm = [((0.0, height), (-sign * 1.3, height + 0.15))]
    board.strokes(canvas.mix(Role.POLE), arm, max(0.12, 1.2 / board.scale))
    tip = -sign * 1.5
    board.box(canvas.mix(Role.LAMP), tip - 0.35, height, tip + 0.35, height + 0.18)


def draw_traffic_light(canvas: Canvas, x: float, z: float) -> None:
    """A traffic light: pole, box, and a red or a green lamp."""
    dice, board = canvas.dice, Board(canvas, x, z)
    height = dice.between(2.8, 3.6)
    _draw_pole(canvas, board, x, height, 0.08)
    board.box(canvas.mix(Role.SIGNAL_BOX), -0.34, height - 0.75, 0.34, height + 0.75)
    if dice.happens(0.5):
        board.disc(canvas.mix(Role.SIGNAL_RED), 0.0, height + 0.42, 0.24, 0.24)
    else:
        board.disc(canvas.mix(Role.SIGNAL_GREEN), 0.0, height - 0.42, 0.24, 0.24)


def draw_sign(canvas: Canvas, x: float, z: float) -> None:
    """One of four signs: prohibition ring, blue board, warning triangle or priority diamond."""
    dice, board = canvas.dice, Board(canvas, x, z)
    height, size = dice.between(2.2, 3.2), dice.between(0.55, 0.70)
    _draw_pole(canvas, board, x, height, 0.07)
    red, white = canvas.mix(Role.SIGN_RED), canvas.mix(Role.SIGN_WHITE)
    kind = dice.integer(0, 3)
    if kind == 0:
        board.disc(red, 0.0, height, size, size)
        board.disc(white, 0.0, height, 0.6 * size, 0.6 * size)
    elif kind == 1:
        board.box(canvas.mix(Role.SIGN_BLUE), -size, height - size, size, height + size)
        board.box(white, -0.35 * size, height - 0.5 * size, 0.35 * size, height + 0.5 * size)
    elif kind == 2:
        for paint, share in ((red, 1.15), (white, 0.6)):
            a = share * size
            board.polygon(paint, [(0.0, height + a), (a, height - 0.8 * a), (-a, height - 0.8 * a)])
    else:
        for paint, share in ((white, 1.25), (canvas.mix(Role.SIGN_YELLOW), 0.95)):
            a = share * size
            board.polygon(paint, [(0.0, height + a), (a, height), (0.0, height - a), (-a, height)])
