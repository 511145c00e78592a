"""Images as bytes of PNG and JPEG files."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_JPEG_QUALITY = 95


def png(array: NDArray[Any]) -> bytes:
    """A PNG of one, three (RGB) or four (RGBA) channels of 8 or 16 bits."""
    return _encoded(".png", array)


def picture(image_rgb: NDArray[np.uint8], name: str) -> bytes:
    """An image in the format that the ending of its name asks for.

    Raises:
        ValueError: the name ends in neither .png nor .jpg.
    """
    if name.endswith(".png"):
        return png(image_rgb)
    if name.endswith((".jpg", ".jpeg")):
        return _encoded(".jpg", image_rgb, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    raise ValueError(f"{name}: expected an image's name to end in .png or .jpg")


def _encoded(ending: str, array: NDArray[Any], options: list[int] | None = None) -> bytes:
    if array.ndim == 3:  # OpenCV's order is blue, green, red
        array = array[:, :, [2, 1, 0, *range(3, array.shape[2])]]
    done, content = cv2.imencode(ending, np.ascontiguousarray(array), options or [])
    if not done:
        raise ValueError(f"OpenCV cannot write {array.shape} of {array.dtype} as {ending}")
    return bytes(content.tobytes())
