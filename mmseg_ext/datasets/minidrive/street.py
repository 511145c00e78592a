"""The cross-section of a street: kerbs, lanes, sidewalks, and where houses begin."""

from __future__ import annotations

from dataclasses import dataclass

from .dice import Dice
from .styles import Style


@dataclass(frozen=True)
class Side:
    """One side of the street. `sign` is -1 on the left and 1 on the right; X in metres."""

    sign: int
    kerb: float
    walk_width: float
    verge: bool
    parking: bool
    houses: float
    """X of the line of house fronts."""

    @property
    def walk_end(self) -> float:
        """X of the outer edge of the sidewalk."""
        return self.kerb + self.sign * self.walk_width

    def outward(self, metres: float) -> float:
        """X of the point `metres` beyond the kerb, away from the road."""
        return self.kerb + self.sign * metres


@dataclass(frozen=True)
class Street:
    """A straight street; the camera drives near X = 0."""

    left: Side
    right: Side
    own: tuple[float, ...]
    """X of the centres of the lanes in driving direction."""
    oncoming: tuple[float, ...]
    """X of the centres of the lanes towards the camera."""
    lane_width: float

    @property
    def sides(self) -> tuple[Side, Side]:
        """Left and right."""
        return self.left, self.right

    @property
    def lanes(self) -> tuple[float, ...]:
        """X of the centres of all lanes."""
        return self.oncoming + self.own


def build_street(dice: Dice, style: Style) -> Street:
    """Draw a cross-section."""
    lanes, width = dice.integer(*style.lanes), dice.within(style.lane_width)
    middle = dice.between(-0.3, 0.3)
    extra = dice.integer(0, lanes - 1)
    own = tuple(middle + width * k for k in range(extra + 1))
    count = 0 if dice.happens(style.one_way) else lanes
    oncoming = tuple(middle - width * k for k in range(count, 0, -1))
    right = own[-1] + width / 2 + 0.2
    left = (oncoming[0] if oncoming else own[0]) - width / 2 - 0.2
    return Street(
        left=_side(dice, style, -1, left),
        right=_side(dice, style, 1, right),
        own=own,
        oncoming=oncoming,
        lane_width=width,
    )


def _side(dice: Dice, style: Style, sign: int, edge: float) -> Side:
    parking = dice.happens(0.6)
    kerb = edge + sign * (1.8 if parking else 0.0)
    walk = 0.0 if dice.happens(style.no_sidewalk) else dice.within(style.sidewalk_width)
    verge = dice.happens(style.verge)
    gap = dice.between(1.5, 5.0) if verge else dice.within(style.setback)
    return Side(sign, kerb, walk, verge or walk == 0.0, parking, kerb + sign * (walk + gap))
