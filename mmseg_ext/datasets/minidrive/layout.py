"""Composing a scene: what stands where, drawn far to near."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from .camera import Camera
from .canvas import Canvas, Layout
from .dice import Dice
from .domains import find, layout_key
from .objects import buildings, furniture, greenery, ground, people
from .street import Side, build_street
from .styles import Style, style_of
from .traffic import FORCED, traffic_items

SUPERSAMPLING = 2
"""Layouts are painted at this multiple of the image size."""

FORCE_EVERY = 4
"""Every so many test layouts one rare class is forced in."""

_ATTEMPTS = 12


class Item(NamedTuple):
    """Something to draw, and its distance for the order."""

    depth: float
    draw: Callable[[Canvas], None]


def forced_noun(split: str, index: int) -> str | None:
    """The rare class that a layout must show, or None.

    Every fourth test layout shows one of truck, bus, train, motorcycle and bicycle in turn;
    without that their IoU on a small test set would be noise.
    """
    if split != "test" or index % FORCE_EVERY:
        return None
    return FORCED[index // FORCE_EVERY % len(FORCED)]


def make_layout(seed: int, domain: str, split: str, index: int, height: int, width: int) -> Layout:
    """The layout of one address for an image of `height` x `width` pixels.

    When a forced object is hidden behind others the scene is drawn again from the next attempt's
    stream, so that the object can be seen in (nearly) every layout that was to have it.
    """
    style, noun = style_of(find(domain).layouts), forced_noun(split, index)
    for attempt in range(_ATTEMPTS):
        dice = Dice(layout_key(seed, domain, split, index, attempt))
        layout = compose(dice, style, height, width, noun)
        if noun is None or _visible_share(layout, noun) > 0.002:
            break
    return layout


def _visible_share(layout: Layout, noun: str) -> float:
    """Share of the scene's pixels that belong to instances of `noun`."""
    wanted = np.array([name == noun for name in layout.nouns])
    return float(wanted[layout.owners].take(layout.ids).mean())


def compose(dice: Dice, style: Style, height: int, width: int, forced: str | None) -> Layout:
    """Draw one scene from a stream of decisions."""
    rows, columns = SUPERSAMPLING * height, SUPERSAMPLING * width
    camera = Camera(
        height=rows,
        width=columns,
        focal=1.05 * columns,
        horizon=dice.within(style.horizon) * rows,
        vanishing=dice.within(style.vanishing) * columns,
        above_ground=dice.within(style.camera_height),
        side=-1 if style.left_hand else 1,
    )
    street = build_street(dice, style)
    canvas = Canvas(camera, dice)
    ground.draw_clouds(canvas)
    ground.draw_skyline(canvas)
    ground.draw_ground(canvas, street)
    items = [Item(*pair) for side in street.sides for pair in _side_items(dice, style, side)]
    items += [Item(*pair) for pair in traffic_items(dice, style, street, forced)]
    for item in sorted(items, key=lambda item: -item.depth):
        item.draw(canvas)
    return canvas.finish(street.lanes)


_Pairs = Iterator[tuple[float, Callable[[Canvas], None]]]


def _side_items(dice: Dice, style: Style, side: Side) -> _Pairs:
    yield from _lots(dice, style, side)
    yield from _barrier(dice, style, side)
    yield from _furniture(dice, style, side)
    yield from _pedestrians(dice, style, side)


def _lots(dice: Dice, style: Style, side: Side) -> _Pairs:
    """A row of houses and greens, or on some sides greens only."""
    row = dice.happens(style.house + 0.15)
    z = dice.between(70.0, 100.0)
    while z > 3.5:
        start = max(z - dice.between(7.0, 18.0), 2.5)
        if row and dice.happens(style.house):
            x = side.houses + side.sign * dice.between(0.0, 0.8)
            height = dice.within(style.house_height)
            yield z, partial(_house, sign=side.sign, x=x, z0=start, z1=z, height=height)
        else:
            yield z, partial(_bushes, sign=side.sign, x=side.houses, z0=start, z1=z)
        z = start - (dice.between(0.0, 6.0) if dice.happens(0.3) else 0.0)


def _house(canvas: Canvas, sign: int, x: float, z0: float, z1: float, height: float) -> None:
    buildings.draw_house(canvas, sign, x, z0, z1, height)


def _bushes(canvas: Canvas, sign: int, x: float, z0: float, z1: float) -> None:
    greenery.draw_bushes(canvas, sign, x, z0, z1)


def _barrier(dice: Dice, style: Style, side: Side) -> _Pairs:
    throw = dice.unit()
    if throw >= style.wall + style.fence:
        return
    draw = buildings.draw_wall if throw < style.wall else buildings.draw_fence
    z0 = dice.between(3.0, 16.0)
    z1 = z0 + dice.between(10.0, 35.0)
    x = side.walk_end + side.sign * dice.between(0.1, 0.8)
    yield z1 + 0.5, partial(draw, x=x, z0=z0, z1=z1)


def _furniture(dice: Dice, style: Style, side: Side) -> _Pairs:
    """Trees, lamps, a sign and a traffic light along the kerb."""
    if dice.happens(style.tree):
        inner = side.outward(max(0.7 * side.walk_width, 0.6))
        x = side.walk_end + side.sign * 0.8 if side.verge else inner
        yield from _series(dice, (6.0, 12.0), (7.0, 14.0), partial(greenery.draw_tree, x=x))
    if dice.happens(style.lamp):
        draw = partial(furniture.draw_lamp, sign=side.sign, x=side.outward(0.6))
        yield from _series(dice, (6.0, 20.0), (14.0, 24.0), draw)
    if dice.happens(style.sign):
        z = dice.between(6.0, 20.0)
        yield z, partial(furniture.draw_sign, x=side.outward(dice.between(0.5, 1.2)), z=z)
    if dice.happens(style.traffic_light):
        z = dice.between(7.0, 20.0)
        yield z, partial(furniture.draw_traffic_light, x=side.outward(0.5), z=z)


def _series(
    dice: Dice,
    start: tuple[float, float],
    spacing: tuple[float, float],
    draw: Callable[..., None],
) -> _Pairs:
    """The same thing again and again up to 60 m, with one spacing."""
    z, step = dice.within(start), dice.within(spacing)
    while z < 60.0:
        yield z, partial(draw, z=z)
        z += step


def _pedestrians(dice: Dice, style: Style, side: Side) -> _Pairs:
    for _ in range(dice.poisson(style.pedestrians)):
        # A power, so that more of them are near enough to be recognised.
        z = 5.0 + 18.0 * dice.unit() ** 2
        x = side.outward(dice.between(0.5, max(side.walk_width, 1.5)))
        yield z, partial(people.draw_person, x=x, z=z)
