"""Night: little light, street lamps, the own head lights, and things that shine."""

from __future__ import annotations

import cv2
import numpy as np

from .frame import Frame, stack
from .roles import EMISSION_OF, IS_LIT_ROOM
from .textures import Map

_LAMP_LIGHT = (188.0, 161.0, 105.0)


def nightfall(frame: Frame, colours: Map) -> None:
    """Turn a day image into a night image.

    Args:
        frame: the image, without haze.
        colours: colour of every primitive, (N, 3); lamps shine in their own colour.
    """
    rng = frame.rng
    ambient = float(rng.uniform(0.20, 0.38))
    lit = _street_light(frame, ambient)
    lit[frame.sky] = 0.35 * ambient
    warm = rng.random() < 0.7
    tint = np.array((1.02, 0.90, 0.72) if warm else (0.85, 0.95, 1.10), np.float32)
    base = frame.image * np.multiply.outer(lit, tint)
    shining, opaque = _emission(frame, colours)
    frame.image = base + opaque * np.maximum(shining - base, 0) + np.float32(0.5) * _glow(shining)


def _street_light(frame: Frame, ambient: float) -> Map:
    """Light that falls on every pixel: ambient, head-light cone, one to four pools, (H, W)."""
    rng, (height, width) = frame.rng, frame.size
    horizon = np.float32(frame.layout.camera.horizon / 2)
    middle = frame.layout.camera.vanishing / 2 + float(rng.normal()) * 0.03 * width
    x = np.arange(width, dtype=np.float32)
    below = np.arange(height, dtype=np.float32)[:, None] - horizon
    spread = np.maximum(np.float32(0.12 * width) + np.float32(0.9) * below, np.float32(2.0))
    cone = np.exp(-np.square((x - np.float32(middle)) / spread))
    cone *= np.clip((below + 3) / np.float32(0.25 * height), 0, 1)
    lit = np.float32(ambient) + np.float32(rng.uniform(0.25, 0.5)) * cone
    for _ in range(int(rng.integers(1, 5))):
        cx, cy = float(rng.uniform(0, width)), float(rng.uniform(0.1, 0.7)) * height
        across = np.exp(-np.square((x - np.float32(cx)) / np.float32(0.16 * width)))
        along = np.exp(-np.square((below + horizon - np.float32(cy)) / np.float32(0.3 * height)))
        lit += np.float32(rng.uniform(0.15, 0.45)) * along * across
    return np.asarray(lit, np.float32)


def _emission(frame: Frame, colours: Map) -> tuple[Map, Map]:
    """Light sent out by every pixel (H, W, 3), and the share of it that shines (H, W, 3)."""
    layout = frame.layout
    burns = frame.rng.random(len(layout.roles)) < EMISSION_OF[layout.roles]
    glow = np.minimum(colours * np.float32(1.15), 255)
    glow[IS_LIT_ROOM[layout.roles]] = _LAMP_LIGHT
    glow[~burns] = 0
    height, width = frame.size
    # At the size of the scene, so that lamps of less than a pixel still show.
    scene = glow.take(layout.ids, axis=0)
    shining = cv2.resize(scene, (width, height), interpolation=cv2.INTER_AREA)
    share = burns.astype(np.float32).take(layout.ids)
    share = cv2.resize(share, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(shining, np.float32), stack(np.asarray(share, np.float32))


def _glow(shining: Map) -> Map:
    """Two halos around bright spots, computed at a quarter of the size."""
    height, width = shining.shape[:2]
    small = cv2.resize(shining, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    sigma = height / 64.0 * 0.625
    halo = cv2.GaussianBlur(small, (0, 0), sigma)
    halo += 0.6 * cv2.GaussianBlur(small, (0, 0), 2.4 * sigma)
    return np.asarray(cv2.resize(halo, (width, height)), np.float32)
