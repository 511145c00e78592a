"""Cars, trucks, buses and trains: a face towards the camera and the visible flank."""

from __future__ import annotations

from ..canvas import Board, Canvas, Caster, Footprint, Paint
from ..roles import Role


def _flank_x(canvas: Canvas, x: float, width: float) -> float:
    """X of the flank that the camera at X = 0 can see."""
    return x - width / 2 if x > 0 else x + width / 2


def _stand(canvas: Canvas, x: float, z: float, width: float, length: float, height: float) -> None:
    """Record where the vehicle shades the ground."""
    half = width / 2
    canvas.footprints.append(Footprint(x - half - 0.15, x + half + 0.15, z - 0.5, z + length))
    canvas.casters.append(Caster(x - half, z, x + half, z, height))
    canvas.casters.append(Caster(x - half, z, x - half, z + length, height))
    canvas.casters.append(Caster(x + half, z, x + half, z + length, height))


def _draw_wheels(
    canvas: Canvas, paint: Paint, x: float, starts: tuple[float, ...], size: float
) -> None:
    """Wheels in a flank at X = x, as upright rectangles from each start."""
    for z in starts:
        canvas.along(paint, x, 0.0, size, z, z + 1.15 * size)


def _pair(
    right: float, half_width: float, low: float, high: float
) -> list[tuple[float, float, float, float]]:
    """Two equal boxes, left and right of the middle."""
    return [(side - half_width, low, side + half_width, high) for side in (-right, right)]


def draw_car(canvas: Canvas, x: float, z: float, oncoming: bool) -> None:
    """A car of 4 m; the face is its front when it is oncoming, else its rear."""
    dice = canvas.dice
    width, height, length = dice.between(1.7, 2.0), dice.between(1.4, 1.85), 4.0
    belt, half = 0.58 * height, width / 2
    body, glass = canvas.mix(Role.CAR), canvas.mix(Role.CAR_WINDOW)
    rubber, flank = canvas.mix(Role.CAR_WHEEL), _flank_x(canvas, x, width)
    _stand(canvas, x, z, width, length, height)
    with canvas.instance("car"):
        inner = x + 0.78 * (flank - x)
        cabin = [(inner, height, z + 0.4), (inner, height, z + 2.5)]
        cabin += [(flank, belt, z + 3.2), (flank, belt, z + 0.05)]
        canvas.along(body.darker(0.6), flank, 0.25, belt, z, z + length)
        canvas.face(body.darker(0.6), cabin, z + 1.5)
        window = [(0.97 * inner + 0.03 * flank, 0.95 * height, z + 0.8)]
        window += [(0.97 * inner + 0.03 * flank, 0.95 * height, z + 2.3)]
        window += [(flank, 1.04 * belt, z + 2.8), (flank, 1.04 * belt, z + 0.5)]
        canvas.face(glass, window, z + 1.5)
        _draw_wheels(canvas, rubber, flank, (z + 0.4, z + 2.8), 0.62)
        board = Board(canvas, x, z)
        board.boxes(rubber, _pair(0.78 * half, 0.16, 0.0, 0.35))
        shape = [(-0.76 * half, height), (0.76 * half, height), (half, belt), (half, 0.22)]
        board.polygon(body, [*shape, (-half, 0.22), (-half, belt)])
        pane = [(-0.66 * half, 0.94 * height), (0.66 * half, 0.94 * height)]
        board.polygon(glass, [*pane, (0.82 * half, 1.06 * belt), (-0.82 * half, 1.06 * belt)])
        light = canvas.mix(Role.CAR_HEAD if oncoming else Role.CAR_TAIL)
        board.boxes(light, _pair(0.8 * half, 0.13, 0.62 * belt, 0.9 * belt))
        board.box(body.darker(1.8), -half, 0.22, half, 0.36)


def draw_truck(canvas: Canvas, x: float, z: float, oncoming: bool) -> None:
    """A truck of 7 m: the doors of its box from behind, cab and windscreen from the front."""
    dice = canvas.dice
    width, height, length = 2.5, dice.between(3.0, 3.8), 7.0
    half, flank = width / 2, _flank_x(canvas, x, width)
    box, cab = canvas.mix(Role.TRUCK_BOX), canvas.mix(Role.TRUCK_CAB)
    rubber, glass = canvas.mix(Role.TRUCK_WHEEL), canvas.mix(Role.TRUCK_WINDOW)
    light = canvas.mix(Role.TRUCK_HEAD if oncoming else Role.TRUCK_TAIL)
    _stand(canvas, x, z, width, length, height)
    with canvas.instance("truck"):
        start = z + (1.9 if oncoming else 0.0)
        canvas.along(box.darker(0.6), flank, 0.75, height, start, z + length)
        canvas.along(cab.darker(1.0), flank, 0.5, 0.78, z, z + length)
        if oncoming:
            canvas.along(cab.darker(0.6), flank, 0.5, 2.7, z, z + 1.8)
            canvas.along(glass, flank, 1.6, 2.4, z + 0.4, z + 1.4)
        _draw_wheels(canvas, rubber, flank, (z + 0.7, z + 1.9, z + 5.3), 0.9)
        board = Board(canvas, x, z)
        board.boxes(rubber, _pair(0.7 * half, 0.27, 0.0, 0.8))
        board.box(box, -half, 0.75, half, height)
        if oncoming:
            board.box(cab, -0.94 * half, 0.4, 0.94 * half, 2.75)
            board.box(glass, -0.82 * half, 1.5, 0.82 * half, 2.45)
            board.box(cab.darker(1.6), -0.5 * half, 0.75, 0.5 * half, 1.25)
        else:
            board.box(cab, -half, 0.5, half, 0.8)
            board.box(box.darker(2.0), -0.03, 0.8, 0.03, height - 0.1)
        board.boxes(light, _pair(0.82 * half, 0.16, 0.52, 0.78))


def draw_bus(canvas: Canvas, x: float, z: float, oncoming: bool) -> None:
    """A city bus of 10 m with a large pane, a row of side windows and a destination board."""
    dice = canvas.dice
    width, height, length = 2.6, dice.between(2.9, 3.3), 10.0
    half, flank = width / 2, _flank_x(canvas, x, width)
    body, glass = canvas.mix(Role.BUS), canvas.mix(Role.BUS_WINDOW)
    rubber = canvas.mix(Role.BUS_WHEEL)
    light = canvas.mix(Role.BUS_HEAD if oncoming else Role.BUS_TAIL)
    _stand(canvas, x, z, width, length, height)
    with canvas.instance("bus"):
        canvas.along(body.darker(0.6), flank, 0.3, height, z, z + length)
        for k in range(5):
            start = z + 0.5 + 1.9 * k
            canvas.along(glass, flank, 1.4, 2.55, start, start + 1.6)
        _draw_wheels(canvas, rubber, flank, (z + 1.7, z + 7.2), 0.9)
        board = Board(canvas, x, z)
        board.boxes(rubber, _pair(0.76 * half, 0.2, 0.0, 0.4))
        board.box(body, -half, 0.3, half, height)
        board.box(glass, -0.88 * half, 1.25, 0.88 * half, 2.4)
        board.box(glass.darker(1.5), -0.6 * half, height - 0.42, 0.6 * half, height - 0.14)
        board.boxes(light, _pair(0.8 * half, 0.17, 0.6, 0.88))


def draw_train(canvas: Canvas, sign: int, x: float, z: float) -> None:
    """A tram of 25 to 45 m; its flank towards the road stands at X = x on side `sign`."""
    dice = canvas.dice
    width, height, length = 2.7, 3.6, dice.between(25.0, 45.0)
    middle, half = x + sign * width / 2, width / 2
    body, glass = canvas.mix(Role.TRAIN), canvas.mix(Role.TRAIN_WINDOW)
    stripe = canvas.mix(Role.TRAIN_STRIPE)
    _stand(canvas, middle, z, width, length, height)
    with canvas.instance("train"):
        canvas.along(body.darker(0.5), x, 0.2, height, z, z + length)
        canvas.along(stripe, x, 1.2, 1.5, z, z + length)
        start = z + 0.6
        while start + 2.2 < z + length:
            canvas.along(glass, x, 1.8, 2.9, start, start + 2.3)
            start += 3.0
        board = Board(canvas, middle, z)
        board.box(body, -half, 0.2, half, height)
        board.box(glass, -0.78 * half, 1.9, 0.78 * half, 3.15)
        board.box(stripe, -half, 1.2, half, 1.5)
        board.box(body.darker(2.5), -half, 0.2, half, 0.5)
