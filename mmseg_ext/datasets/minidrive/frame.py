"""What the steps of the appearance share: the scene, and the image being developed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from .canvas import Layout
from .classes import ClassId
from .layout import SUPERSAMPLING
from .roles import CLASS_OF, IS_GROUND
from .textures import Ground, Map


def stack(field: Map) -> Map:
    """A map (H, W) as three equal channels (H, W, 3); cheaper than NumPy's broadcasting."""
    return np.asarray(cv2.merge([field, field, field]), np.float32)


def plane(height: int, width: int, right: float, down: float) -> Map:
    """One plus a linear change from edge to edge, (H, W)."""
    across = np.linspace(-right, right, width, dtype=np.float32)
    along = np.linspace(1 - down, 1 + down, height, dtype=np.float32)
    return np.asarray(along[:, None] + across, np.float32)


@dataclass
class Frame:
    """One image in development, at its final size unless stated otherwise."""

    layout: Layout
    rng: np.random.Generator
    """Appearance stream."""
    image: Map
    """RGB in grey values 0..255, not yet limited, (H, W, 3)."""
    ground: Ground | None = None
    """The ground plane at twice the size; None in the synthetic domain."""

    @cached_property
    def ids(self) -> npt.NDArray[np.intp]:
        """Primitive of every pixel: every second row and column of the scene, (H, W)."""
        step = SUPERSAMPLING
        return np.ascontiguousarray(self.layout.ids[step - 1 :: step, step - 1 :: step])

    @cached_property
    def label(self) -> npt.NDArray[np.uint8]:
        """Train id of every pixel, (H, W)."""
        return CLASS_OF[self.layout.roles].take(self.ids)

    @cached_property
    def depth(self) -> Map:
        """Distance in metres, (H, W); exact on the ground, constant on every other primitive."""
        camera, step = self.layout.camera, SUPERSAMPLING
        rows = np.arange(step - 1, camera.height, step, dtype=np.float32) + np.float32(0.5)
        below = np.maximum(rows - np.float32(camera.horizon), np.float32(0.5))
        exact = np.minimum(camera.focal * camera.above_ground / below, 200.0)
        ground = IS_GROUND[self.layout.roles].take(self.ids)
        depth = np.where(ground, exact[:, None], self.layout.depths.take(self.ids))
        return np.asarray(depth, np.float32)

    @cached_property
    def sky(self) -> npt.NDArray[np.bool_]:
        """Where the sky is, (H, W)."""
        return np.asarray(self.label == ClassId.SKY)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.image.shape[0], self.image.shape[1]

    def cover(self, amount: Map, colour: tuple[float, float, float]) -> None:
        """Blend a colour over the image; `amount` is its opacity in 0..1, (H, W)."""
        self.image *= stack(1 - amount)
        self.image += np.multiply.outer(amount, np.asarray(colour, np.float32))
