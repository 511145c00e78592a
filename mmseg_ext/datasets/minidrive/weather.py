"""Haze, fog, rain and snow."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .canvas import Layout
from .classes import ClassId
from .frame import Frame, stack
from .roles import CLASS_OF
from .textures import Ground, Map

_SNOW = (228.0, 232.0, 238.0)


def add_haze(frame: Frame, density: float, airlight: tuple[float, float, float]) -> None:
    """Koschmieder's law I t + A (1 - t) with t = exp(-density * distance)."""
    frame.cover(1 - np.exp(frame.depth * np.float32(-density)), airlight)


def clear_air(frame: Frame) -> None:
    """The light haze of a clear day."""
    bright = float(frame.rng.uniform(195, 220))
    add_haze(frame, float(frame.rng.uniform(0.001, 0.006)), (0.98 * bright, bright, 1.02 * bright))


def fog(frame: Frame) -> None:
    """Fog with a range of sight of about 45 to 120 m."""
    bright = float(frame.rng.uniform(175, 215))
    add_haze(frame, float(frame.rng.uniform(0.025, 0.065)), (bright, bright, 1.01 * bright))


def rain(frame: Frame) -> None:
    """Dull light, a wet street that mirrors the scene, and haze."""
    rng, image = frame.rng, frame.image
    height = frame.size[0]
    image *= np.float32(rng.uniform(0.55, 0.75))
    horizon = round(frame.layout.camera.horizon / 2)
    smear = (max(1, round(0.02 * height)), max(3, round(0.09 * height)))
    mirrored = cv2.blur(image[::-1], smear)
    mirrored = np.roll(mirrored, 2 * horizon - height, axis=0)
    wetness = frame.label <= ClassId.SIDEWALK
    puddles = np.zeros(frame.size, np.float32)
    if frame.ground is not None:
        first, blotch = frame.ground.first, frame.ground.blotch
        top = (first + 1) // 2
        low = blotch[2 * top - first :: 2, ::2]
        puddles[top : top + len(low)] = np.clip(low, -1, 1)
    wet = np.where(wetness, np.float32(rng.uniform(0.3, 0.55)) * (0.7 + 0.3 * puddles), 0)
    share = stack(wet.astype(np.float32))
    image += share * (np.float32(1.1) * mirrored - image)
    bright = float(rng.uniform(120, 160))
    density = float(rng.uniform(0.006, 0.015))
    add_haze(frame, density, (0.97 * bright, bright, 1.04 * bright))


def draw_rain(frame: Frame) -> None:
    """Streaks in the air and drops on the lens."""
    rng, (height, width) = frame.rng, frame.size
    streaks = np.zeros((height, width), np.float32)
    slant = float(rng.uniform(-0.3, 0.3))
    count = int(rng.uniform(25, 70) * height * width / 8192)
    long = rng.uniform(0.05, 0.14, count) * height
    starts = rng.random((count, 2)) * (width, height)
    ends = starts + np.stack([slant * long, long], axis=1)
    strengths = rng.uniform(0.12, 0.42, count)
    for (x, y), (u, v), strength in zip(
        starts.astype(int).tolist(), ends.astype(int).tolist(), strengths.tolist(), strict=True
    ):
        cv2.line(streaks, (x, y), (u, v), (strength,), 1)
    frame.cover(streaks, (190.0, 190.0, 194.0))
    image = frame.image
    for _ in range(int(rng.integers(0, 5))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        radius = max(2, int(rng.uniform(0.05, 0.12) * height))
        part = (slice(max(0, y - radius), y + radius), slice(max(0, x - radius), x + radius))
        image[part] = cv2.blur(image[part], (radius + 1, radius + 1)) * 0.9 + 14


def snow_cover(layout: Layout, ground: Ground, scene: Map, rng: np.random.Generator) -> None:
    """Lay snow on the scene (twice the size of the image, changed in place).

    Snow lies on sidewalks and terrain, thinner on the road and least in its wheel tracks, and on
    the upper edges of vehicles, trees and houses.
    """
    amount = float(rng.uniform(0.6, 1.5))
    classes = CLASS_OF[layout.roles].take(layout.ids)
    lower, first = classes[ground.first :], ground.first
    cover = _top_edges(classes, amount)
    road = ground.blotch + (0.7 * amount - 0.9)
    for lane in layout.tracks:
        distance = np.abs(np.abs(ground.x - np.float32(lane)) - np.float32(0.8))
        road -= np.maximum(np.float32(1.2) - 3 * distance, 0)
    beside = ground.blotch + (0.3 * ground.grain + amount)
    on_road, on_beside = lower == ClassId.ROAD, (lower == ClassId.SIDEWALK)
    on_beside |= lower == ClassId.TERRAIN
    level = np.where(on_road, road, beside)
    lying = 1 / (1 + np.exp(-4 * level))
    np.copyto(cover[first:], lying, where=on_road | on_beside, casting="same_kind")
    cover *= np.float32(0.92)
    scene *= stack(1 - cover)
    scene += np.multiply.outer(cover, np.asarray(_SNOW, np.float32))


def _top_edges(classes: npt.NDArray[np.uint8], amount: float) -> Map:
    """Snow on things that border on something else above them."""
    reach = max(2, round(0.024 * classes.shape[0] * (0.7 + 0.6 * amount)))
    above = np.empty_like(classes)
    above[reach:] = classes[:-reach]
    above[:reach] = ClassId.SKY
    carries = (classes != ClassId.SKY) & (classes > ClassId.SIDEWALK) & (above != classes)
    carries &= (above == ClassId.SKY) | (classes >= ClassId.CAR) | (classes == ClassId.VEGETATION)
    return np.asarray(carries * np.float32(0.85), np.float32)


def snow_air(frame: Frame) -> None:
    """The bright haze of a snowy day."""
    bright = float(frame.rng.uniform(195, 225))
    density = float(frame.rng.uniform(0.01, 0.025))
    add_haze(frame, density, (bright, bright, 1.02 * bright))


def draw_snow(frame: Frame) -> None:
    """Flakes, near ones blurred."""
    rng, (height, width) = frame.rng, frame.size
    flakes = np.zeros((height, width), np.float32)
    count = int(rng.uniform(30, 120) * height * width / 8192)
    where = rng.integers(0, height * width, count)
    flakes.ravel()[where] = rng.uniform(0.4, 0.95, count)
    if rng.random() < 0.6:
        near = cv2.blur(np.roll(flakes[::-1], 3, axis=1), (2, 2)) * 1.8
        flakes = np.minimum(np.maximum(flakes, near), 1)
    frame.cover(flakes, (242.0, 242.0, 242.0))
