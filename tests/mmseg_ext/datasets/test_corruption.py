"""Corrupted images: the published strengths, and the same bytes for the same name."""

from __future__ import annotations

import colorsys
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg_ext.datasets.corruption import CORRUPTIONS, SEVERITIES, corrupted, seed_of

SHAPE = (40, 56)
DIGESTS = """
import hashlib, json, sys
from test_corruption import CORRUPTIONS, digests
print(json.dumps(digests(CORRUPTIONS[::-1])))
"""


def image(seed: int = 0) -> np.ndarray:
    """Blocks of random colours, BGR."""
    blocks = np.random.RandomState(seed).randint(0, 256, (5, 7, 3))
    return np.kron(blocks, np.ones((8, 8, 1))).astype(np.uint8)


def digests(corruptions: tuple[str, ...]) -> dict[str, str]:
    return {
        name: hashlib.sha256(corrupted(image(), name, 4, "frame_01").tobytes()).hexdigest()
        for name in corruptions
    }


def test_bytes_are_equal_in_another_process_and_order() -> None:
    here = digests(CORRUPTIONS)
    other = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DIGESTS],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(other.stdout) == here
    assert len({*here.values()}) == len(CORRUPTIONS)
    # Whatever was drawn before, by the library or by others.
    np.random.seed(7)
    assert digests(CORRUPTIONS[:9]) == {name: here[name] for name in CORRUPTIONS[:9]}


def test_corruptions_are_those_of_the_library() -> None:
    from imagecorruptions import get_corruption_names

    assert {*get_corruption_names("all")} == {*CORRUPTIONS}


def test_draws_depend_on_name_and_severity_and_leave_the_global_generator_alone() -> None:
    np.random.seed(3)
    expected = np.random.RandomState(3).uniform(size=4)
    noise = [corrupted(image(), "gaussian_noise", s, n) for s, n in ((1, "a"), (1, "b"), (2, "a"))]
    assert np.array_equal(np.random.uniform(size=4), expected)
    first = np.unique(np.concatenate([each.ravel()[:200] for each in noise]).reshape(3, -1), axis=0)
    assert len(first) == 3
    assert len({seed_of(c, s, "a") for c in CORRUPTIONS for s in SEVERITIES}) == 5 * 19


@pytest.mark.parametrize(("severity", "deviation"), enumerate((0.08, 0.12, 0.18, 0.26, 0.38), 1))
def test_noise_has_the_published_deviation(severity: int, deviation: float) -> None:
    given = image()
    noise = np.random.RandomState(seed_of("gaussian_noise", severity, "x")).normal(
        size=given.shape, scale=deviation
    )
    # Drawn for RGB pixels; the library cuts decimals off.
    expected = np.uint8(np.clip(given[:, :, ::-1] / 255.0 + noise, 0, 1) * 255)[:, :, ::-1]
    assert np.array_equal(corrupted(given, "gaussian_noise", severity, "x"), expected)


@pytest.mark.parametrize(("severity", "share"), enumerate((0.4, 0.3, 0.2, 0.1, 0.05), 1))
def test_contrast_keeps_a_share_of_the_difference_to_the_mean(severity: int, share: float) -> None:
    given = image().astype(np.float64)
    mean = given.mean(axis=(0, 1))
    found = corrupted(image(), "contrast", severity, "x")
    assert np.abs(found - (mean + share * (given - mean))).max() <= 1


@pytest.mark.parametrize("severity", SEVERITIES)
def test_brightness_is_added_to_the_value_of_a_colour(severity: int) -> None:
    given, found = image(), corrupted(image(), "brightness", severity, "x")
    for y, x in ((0, 0), (9, 20), (39, 55)):
        hue, saturation, value = colorsys.rgb_to_hsv(*(given[y, x, ::-1] / 255.0))
        lighter = colorsys.hsv_to_rgb(hue, saturation, min(1.0, value + severity / 10))
        assert np.abs(found[y, x, ::-1] - 255 * np.array(lighter)).max() <= 1


@pytest.mark.parametrize(("severity", "quality"), enumerate((25, 18, 15, 10, 7), 1))
def test_compression_has_the_published_quality(severity: int, quality: int) -> None:
    stream = io.BytesIO()
    Image.fromarray(image()[:, :, ::-1]).save(stream, "JPEG", quality=quality)
    expected = np.array(Image.open(stream))[:, :, ::-1]
    assert np.array_equal(corrupted(image(), "jpeg_compression", severity, "x"), expected)


@pytest.mark.parametrize(
    ("corruption", "severity", "size", "message"),
    [
        ("rain", 1, SHAPE, "corruption 'rain' at severity 1"),
        ("fog", 6, SHAPE, "at severity 6; expected one of gaussian_noise, .* at 1 to 5"),
        ("fog", 1, (31, 64), "image x: 64x31 pixels, corruptions need 32 each way"),
    ],
)
def test_wrong_arguments_are_named(corruption, severity, size, message) -> None:
    with pytest.raises(ValueError, match=message):
        corrupted(np.zeros((*size, 3), np.uint8), corruption, severity, "x")
