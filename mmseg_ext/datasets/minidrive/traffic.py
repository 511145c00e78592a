"""Road users: who drives, walks or is parked where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from .canvas import Canvas
from .dice import Dice
from .objects import people, two_wheelers, vehicles
from .street import Street
from .styles import Style

FORCED: tuple[str, ...] = ("truck", "bus", "train", "motorcycle", "bicycle")
"""Rare classes that test layouts are stratified by, in turn."""

_Pairs = Iterator[tuple[float, Callable[[Canvas], None]]]


class _Spaces:
    """Ground already taken by vehicles, so that no two of them stand in each other."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float, float]] = []

    def claim(self, x: float, z: float, length: float) -> bool:
        """Take the ground of a vehicle and say whether it was free."""
        end = z + length
        for other, start, stop in self._taken:
            if abs(other - x) < 2.1 and z < stop + 1.0 and start < end + 1.0:
                return False
        self._taken.append((x, z, end))
        return True


def traffic_items(dice: Dice, style: Style, street: Street, forced: str | None) -> _Pairs:
    """Pairs of distance and drawing call; a `forced` vehicle comes first and near."""
    spaces = _Spaces()
    yield from _trains(dice, style, street, forced == "train")
    yield from _heavy(dice, style, street, spaces, forced)
    yield from _two_wheelers(dice, style, street, spaces, forced)
    yield from _cars(dice, style, street, spaces)
    if dice.happens(style.crossing):
        z = dice.between(7.0, 22.0)
        x = dice.between(street.left.kerb, street.right.kerb)
        yield z, partial(people.draw_person, x=x, z=z)


def _lane(dice: Dice, street: Street) -> tuple[float, bool]:
    """X of a vehicle in a lane, and whether it comes towards the camera."""
    x = dice.pick(street.lanes)
    return x + dice.between(-0.35, 0.35), x in street.oncoming


def _trains(dice: Dice, style: Style, street: Street, force: bool) -> _Pairs:
    if dice.happens(style.train) or force:
        side = dice.pick(street.sides)
        z, x = dice.between(8.0, 16.0), side.outward(dice.between(-0.5, 1.0))
        yield z, partial(vehicles.draw_train, sign=side.sign, x=x, z=z)


def _heavy(dice: Dice, style: Style, street: Street, spaces: _Spaces, forced: str | None) -> _Pairs:
    kinds = (
        ("truck", style.truck, vehicles.draw_truck, 7.0),
        ("bus", style.bus, vehicles.draw_bus, 10.0),
    )
    for noun, probability, draw, length in sorted(kinds, key=lambda kind: kind[0] != forced):
        if not (dice.happens(probability) or noun == forced):
            continue
        z = dice.between(9.0, 16.0 if noun == forced else 28.0)
        x, oncoming = _lane(dice, street)
        if spaces.claim(x, z, length):
            yield z, partial(draw, x=x, z=z, oncoming=oncoming)


def _two_wheelers(
    dice: Dice, style: Style, street: Street, spaces: _Spaces, forced: str | None
) -> _Pairs:
    left, right = street.left.kerb, street.right.kerb
    for _ in range(style.motorcycles):
        if dice.happens(style.motorcycle) or forced == "motorcycle":
            z, x = dice.between(4.8, 11.0), dice.between(left, right)
            spaces.claim(x, z, 1.5)
            ridden = dice.happens(style.ridden)
            yield z, partial(two_wheelers.draw_motorcycle, x=x, z=z, ridden=ridden)
    if dice.happens(style.bicycle) or forced == "bicycle":
        z, x = dice.between(4.8, 11.0), dice.between(left - 1.5, right + 1.5)
        spaces.claim(x, z, 1.5)
        ridden = dice.happens(style.ridden)
        yield z, partial(two_wheelers.draw_bicycle, x=x, z=z, ridden=ridden)


def _cars(dice: Dice, style: Style, street: Street, spaces: _Spaces) -> _Pairs:
    for _ in range(dice.poisson(style.cars)):
        z = 8.0 + 45.0 * dice.unit() ** 1.5
        x, oncoming = _lane(dice, street)
        if spaces.claim(x, z, 4.0):
            yield z, partial(vehicles.draw_car, x=x, z=z, oncoming=oncoming)
    for side in street.sides:
        if not side.parking:
            continue
        for _ in range(dice.poisson(style.parked)):
            z, x = dice.between(6.0, 40.0), side.outward(-0.95)
            if spaces.claim(x, z, 4.0):
                oncoming = side.sign < 0 and bool(street.oncoming)
                yield z, partial(vehicles.draw_car, x=x, z=z, oncoming=oncoming)
