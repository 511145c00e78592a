"""Synthetic corruptions of images, after Hendrycks and Dietterich, at their five severities.

Dan Hendrycks and Thomas Dietterich, Benchmarking Neural Network Robustness to Common Corruptions
and Perturbations, ICLR 2019 (arXiv 1903.12261). The pixels are those of the package
``imagecorruptions-imaug`` (imaug/imagecorruptions), the kept fork of bethgelab/imagecorruptions,
which brought hendrycks/robustness to images of any size.

The library draws from the global generator of NumPy, and for two corruptions from a seed that it is
given. Both are a function of corruption, severity and the image's name here, so an image is the
same whoever looks at it, when, and in which order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

CORRUPTIONS = (
    *("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"),
    *("gaussian_blur", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    *("snow", "frost", "fog", "spatter"),
    *("brightness", "contrast", "saturate", "elastic_transform", "pixelate", "jpeg_compression"),
)
"""Names of all corruptions: the paper's fifteen and the four it keeps for validation."""
SEVERITIES = (1, 2, 3, 4, 5)
PACKAGE = "imagecorruptions-imaug"
MODULE = "imagecorruptions"
"""What the package is called when it is imported."""
SMALLEST = 32
"""Pixels of the shorter side that the library insists on."""

_SEEDED = ("impulse_noise", "glass_blur")
"""Corruptions that do not draw from NumPy's global generator."""


def corrupted(
    image_bgr: NDArray[np.uint8], corruption: str, severity: int, name: str
) -> NDArray[np.uint8]:
    """An image (H, W, 3) with one corruption; the label stays what it was.

    Args:
        image_bgr: at least 32 pixels high and wide; it is not changed.
        corruption: one of ``CORRUPTIONS``.
        severity: 1 (light) to 5.
        name: of the image; the random draws depend on it, corruption and severity alone.

    Raises:
        ValueError: there is no such corruption or severity, or the image is too small.
    """
    import imagecorruptions

    height, width = image_bgr.shape[:2]
    if corruption not in CORRUPTIONS or severity not in SEVERITIES:
        raise ValueError(
            f"corruption {corruption!r} at severity {severity!r}; expected one of "
            f"{', '.join(CORRUPTIONS)} at {SEVERITIES[0]} to {SEVERITIES[-1]}"
        )
    if min(height, width) < SMALLEST:
        raise ValueError(
            f"image {name}: {width}x{height} pixels, corruptions need {SMALLEST} each way"
        )
    seed = seed_of(corruption, severity, name)
    options: dict[str, Any] = {"seed": seed} if corruption in _SEEDED else {}
    image_rgb = np.ascontiguousarray(image_bgr[:, :, ::-1])
    with _numpy_seeded(seed):
        found = imagecorruptions.corrupt(
            image_rgb, severity=severity, corruption_name=corruption, **options
        )
    return np.ascontiguousarray(found[:, :, ::-1])


def seed_of(corruption: str, severity: int, name: str) -> int:
    """The seed, below 2**32, of everything that is drawn for one corrupted image."""
    digest = hashlib.sha256(f"{corruption}/{severity}/{name}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


@contextmanager
def _numpy_seeded(seed: int) -> Iterator[None]:
    """Seed NumPy's global generator, from which the library draws, and restore it after."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
