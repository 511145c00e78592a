"""Painting a layout: a map of primitive ids, far to near, and the record of every primitive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from .camera import Camera, Pixel
from .dice import Dice
from .roles import Role

Point = tuple[float, float, float]

GROUND_DEPTH = -1.0
"""Depth of ground primitives: every row of the ground has its own, exact depth."""


class Paint(NamedTuple):
    """What a primitive is painted with."""

    role: Role
    tone: float
    """In [0, 1): picks one of the colours of the role."""
    shade: float
    """Brightness offset in standard deviations."""

    def darker(self, amount: float) -> Paint:
        """The same colour in shade."""
        return Paint(self.role, self.tone, self.shade - amount)


class Caster(NamedTuple):
    """An upright rectangle that throws a shadow: a segment on the ground and a height (metres)."""

    x0: float
    z0: float
    x1: float
    z1: float
    height: float


class Footprint(NamedTuple):
    """Ground rectangle (metres) that a vehicle or person stands on."""

    x0: float
    x1: float
    z0: float
    z1: float


class Layout(NamedTuple):
    """A finished scene without appearance. Arrays over primitives have N entries."""

    camera: Camera
    ids: npt.NDArray[np.intp]
    """Primitive of every pixel at twice the size of the image."""
    roles: npt.NDArray[np.intp]
    depths: npt.NDArray[np.float32]
    tones: npt.NDArray[np.float32]
    shades: npt.NDArray[np.float32]
    owners: npt.NDArray[np.intp]
    """Instance of every primitive; 0 is none."""
    nouns: tuple[str, ...]
    """Name of every instance; the first entry belongs to instance 0."""
    casters: tuple[Caster, ...]
    footprints: tuple[Footprint, ...]
    tracks: tuple[float, ...]
    """X of the lane centres in metres."""


class Canvas:
    """Painter's algorithm on an id-map. One cv2 call per primitive; the last one wins."""

    def __init__(self, camera: Camera, dice: Dice) -> None:
        self.camera = camera
        self.dice = dice
        self.ids = np.zeros((camera.height, camera.width), np.uint16)
        self.casters: list[Caster] = []
        self.footprints: list[Footprint] = []
        self._records: list[tuple[int, float, float, float, int]] = []
        self._nouns: list[str] = [""]
        self._owner = 0
        self.primitive(Paint(Role.SKY, dice.unit(), 0.0), 900.0)

    def mix(self, role: Role) -> Paint:
        """A random paint for a role."""
        return Paint(role, self.dice.unit(), self.dice.normal())

    @contextmanager
    def instance(self, noun: str) -> Iterator[None]:
        """Everything painted inside belongs to one countable thing."""
        outer, self._owner = self._owner, len(self._nouns)
        self._nouns.append(noun)
        try:
            yield
        finally:
            self._owner = outer

    def primitive(self, paint: Paint, depth: float) -> int:
        """Register a primitive and return its id."""
        role, tone, shade = paint
        self._records.append((role, depth, tone, shade, self._owner))
        return len(self._records) - 1

    def polygon(self, paint: Paint, pixels: Sequence[Pixel], depth: float) -> None:
        """A convex polygon in pixels."""
        corners = np.array([(round(x), round(y)) for x, y in pixels], np.int32)
        cv2.fillConvexPoly(self.ids, corners, self.primitive(paint, depth))

    def face(self, paint: Paint, corners: Sequence[Point], depth: float) -> None:
        """A convex polygon in metres."""
        # The projection of Camera.project, inlined: this is the generator's hottest line.
        camera = self.camera
        vanishing, horizon, eye = camera.vanishing, camera.horizon, camera.above_ground
        focal, side = camera.focal, camera.side
        pixels = [
            (round(vanishing + side * focal * x / z), round(horizon + focal * (eye - y) / z))
            for x, y, z in corners
        ]
        points = np.array(pixels, np.int32)
        cv2.fillConvexPoly(self.ids, points, self.primitive(paint, depth))

    def along(self, paint: Paint, x: float, low: float, high: float, z0: float, z1: float) -> None:
        """An upright rectangle parallel to the street at X = x."""
        self.face(paint, [(x, high, z0), (x, high, z1), (x, low, z1), (x, low, z0)], (z0 + z1) / 2)

    def ground(self, paint: Paint, x0: float, x1: float, z0: float, z1: float) -> None:
        """A rectangle on the ground."""
        self.face(paint, [(x0, 0, z1), (x1, 0, z1), (x1, 0, z0), (x0, 0, z0)], GROUND_DEPTH)

    def faces(
        self, paint: Paint, polygons: npt.NDArray[np.float64], depth: float, groups: int = 1
    ) -> None:
        """Several disjoint polygons with equally many corners.

        Args:
            paint: what they are painted with.
            polygons: pixels, (polygons, corners, 2).
            depth: distance in metres.
            groups: number of primitives that they are dealt out to in turn.
        """
        shapes = list(np.rint(polygons).astype(np.int32, order="C"))
        for start in range(min(groups, len(shapes))):
            number = (self.primitive(paint, depth),)
            cv2.fillPoly(self.ids, shapes[start::groups], number)

    def rectangle(self, paint: Paint, a: Pixel, b: Pixel, depth: float) -> None:
        """An upright rectangle between two opposite corners in pixels."""
        number = self.primitive(paint, depth)
        cv2.rectangle(
            self.ids, (round(a[0]), round(a[1])), (round(b[0]), round(b[1])), (number,), -1
        )

    def ellipse(self, paint: Paint, centre: Pixel, radii: Pixel, depth: float) -> None:
        """A filled ellipse in pixels."""
        cv2.ellipse(
            self.ids,
            (round(centre[0]), round(centre[1])),
            (max(1, round(radii[0])), max(1, round(radii[1]))),
            0,
            0,
            360,
            (self.primitive(paint, depth),),
            -1,
        )

    def strokes(
        self, paint: Paint, segments: Sequence[tuple[Pixel, Pixel]], width: float, depth: float
    ) -> None:
        """Line segments in pixels that share one primitive."""
        number, thick = (self.primitive(paint, depth),), max(1, round(width))
        for a, b in segments:
            start, end = (round(a[0]), round(a[1])), (round(b[0]), round(b[1]))
            cv2.line(self.ids, start, end, number, thick)

    def ring(self, paint: Paint, centre: Pixel, radius: float, width: float, depth: float) -> None:
        """A circle line in pixels."""
        number = (self.primitive(paint, depth),)
        middle = (round(centre[0]), round(centre[1]))
        cv2.circle(self.ids, middle, max(1, round(radius)), number, max(1, round(width)))

    def finish(self, tracks: Sequence[float]) -> Layout:
        """The finished layout."""
        roles, depths, tones, shades, owners = zip(*self._records, strict=True)
        return Layout(
            camera=self.camera,
            ids=self.ids.astype(np.intp),
            roles=np.array(roles, np.intp),
            depths=np.array(depths, np.float32),
            tones=np.array(tones, np.float32),
            shades=np.clip(np.array(shades, np.float32), -2, 2),
            owners=np.array(owners, np.intp),
            nouns=tuple(self._nouns),
            casters=tuple(self.casters),
            footprints=tuple(self.footprints),
            tracks=tuple(tracks),
        )


class Board:
    """An upright sheet facing the camera at (x, z): objects are drawn on it in metres.

    Local coordinates: right of the middle and above the ground.
    """

    __slots__ = ("canvas", "depth", "horizontal", "scale", "x", "y")

    def __init__(self, canvas: Canvas, x: float, z: float, lift: float = 0.0) -> None:
        self.canvas = canvas
        self.depth = z
        self.scale = canvas.camera.focal / z
        self.horizontal = self.scale * canvas.camera.side
        self.x, self.y = canvas.camera.project(x, lift, z)

    def at(self, right: float, up: float) -> Pixel:
        """Pixel of a point on the board."""
        return self.x + right * self.horizontal, self.y - up * self.scale

    def polygon(self, paint: Paint, points: Sequence[tuple[float, float]]) -> None:
        """A convex polygon."""
        self.canvas.polygon(paint, [self.at(*point) for point in points], self.depth)

    def box(self, paint: Paint, left: float, bottom: float, right: float, top: float) -> None:
        """An axis-parallel rectangle."""
        self.canvas.rectangle(paint, self.at(left, bottom), self.at(right, top), self.depth)

    def boxes(self, paint: Paint, boxes: Sequence[tuple[float, float, float, float]]) -> None:
        """Disjoint rectangles (left, bottom, right, top) of one primitive."""
        number, at = (self.canvas.primitive(paint, self.depth),), self.at
        for left, bottom, right, top in boxes:
            (x0, y0), (x1, y1) = at(left, bottom), at(right, top)
            start, end = (round(x0), round(y0)), (round(x1), round(y1))
            cv2.rectangle(self.canvas.ids, start, end, number, -1)

    def disc(self, paint: Paint, right: float, up: float, rx: float, ry: float) -> None:
        """A filled ellipse."""
        radii = (rx * self.scale, ry * self.scale)
        self.canvas.ellipse(paint, self.at(right, up), radii, self.depth)

    def ring(self, paint: Paint, right: float, up: float, radius: float, width: float) -> None:
        """A circle line."""
        self.canvas.ring(
            paint, self.at(right, up), radius * self.scale, width * self.scale, self.depth
        )

    def strokes(
        self,
        paint: Paint,
        segments: Sequence[tuple[tuple[float, float], tuple[float, float]]],
        width: float,
    ) -> None:
        """Line segments of one primitive."""
        pixels = [(self.at(*a), self.at(*b)) for a, b in segments]
        self.canvas.strokes(paint, pixels, width * self.scale, self.depth)
