"""MiniDrive scenes at any size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.minidrive import DOMAINS, World
from mmseg_ext.datasets.minidrive.domains import splits_of

Size = tuple[int, int]
"""Width and height in pixels."""

_STEP, _LEAST_ROWS, _LEAST_COLUMNS, _MOST_COLUMNS = 8, 32, 40, 1024
_RATIO = (1.25, 3.0)  # width by height of what can be rendered


@dataclass(frozen=True)
class Address:
    """Which of MiniDrive's scenes an exported image shows."""

    domain: str
    split: str
    index: int


def addresses(domain: str) -> Iterator[Address]:
    """The scenes of a domain in order: of its training split, or of its test split without one.

    Raises:
        ValueError: there is no such domain.
    """
    if domain not in DOMAINS:
        raise ValueError(f"MiniDrive domain {domain!r}, expected one of {', '.join(DOMAINS)}")
    split = splits_of(domain)[0]
    index = 0
    while True:
        yield Address(domain, split, index)
        index += 1


def rendered_size(size: Size) -> Size:
    """The size at which a scene is rendered before it is brought to ``size``: the nearest one."""
    width, height = size
    scale = min(1.0, _MOST_COLUMNS / width)
    columns = max(_LEAST_COLUMNS, _STEP * round(width * scale / _STEP))
    least = max(_LEAST_ROWS, _STEP * math.ceil(columns / _RATIO[1] / _STEP))
    most = _STEP * math.floor(columns / _RATIO[0] / _STEP)
    return columns, min(max(_STEP * round(height * scale / _STEP), least), most)


def rendered(
    address: Address, seed: int, size: Size, label_size: Size
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A scene's image (RGB, resized bilinearly) and train ids (resized by the nearest pixel)."""
    width, height = rendered_size(size)
    # The number of images only bounds the index; it does not change any of them.
    bound = address.index + 1
    world = World(height=height, width=width, train_images=bound, test_images=bound, seed=seed)
    scene = world.render(address.domain, address.split, address.index)
    image = cv2.resize(scene.image_rgb, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(image, np.uint8), nearest(scene.label, label_size)


def nearest(label: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """A label map (height, width) at another size; no value is made up."""
    return np.asarray(cv2.resize(label, size, interpolation=cv2.INTER_NEAREST), np.uint8)
