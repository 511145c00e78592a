"""The size of test images and of the labels they are scored on."""

from __future__ import annotations

import numpy as np
import pytest

from mmseg_ext.datasets.scoring_size import HalveImageAndLabel, LabelAtImageSize, ScaleImage


def frame(height, width):
    rng = np.random.default_rng(0)
    return {
        "img": rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        "gt_seg_map": rng.integers(0, 19, (height, width), dtype=np.uint8),
        "ori_shape": (height, width),
        "seg_fields": ["gt_seg_map"],
    }


@pytest.mark.parametrize(
    ("size", "arguments", "expected"),
    [
        ((1024, 2048), {"bound": (1024, 512)}, (512, 1024)),
        ((1080, 1920), {"bound": [960, 540]}, (540, 960)),
        ((720, 1280), {"bound": (1024, 512)}, (512, 910)),  # by the shorter side
        ((300, 1000), {"bound": (1024, 512)}, (307, 1024)),  # by the longer one
        ((720, 1280), {"short_side": 1024}, (1024, 1820)),
        ((1000, 750), {"short_side": 512}, (683, 512)),
        ((720, 1280), {"bound": (640, 480), "keep_ratio": False}, (480, 640)),
    ],
)
def test_images_are_scaled_and_labels_left_alone(size, arguments, expected):
    given = frame(*size)
    label = given["gt_seg_map"].copy()
    found = ScaleImage(**arguments).transform(given)
    assert found["img"].shape[:2] == found["img_shape"] == expected
    assert found["ori_shape"] == size
    assert np.array_equal(found["gt_seg_map"], label)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"bound": (4, 2), "short_side": 2}, {"short_side": 2, "keep_ratio": False}],
)
def test_scaling_needs_one_rule(arguments):
    with pytest.raises(ValueError, match="exactly one is needed"):
        ScaleImage(**arguments)


@pytest.mark.parametrize(("height", "width"), [(8, 12), (9, 13)])
def test_half_is_half_of_both_and_of_the_scored_size(height, width):
    given = frame(height, width)
    label = given["gt_seg_map"].copy()
    found = HalveImageAndLabel().transform(given)
    assert found["img"].shape == (height // 2, width // 2, 3)
    assert found["ori_shape"] == found["img_shape"] == (height // 2, width // 2)
    for y in range(height // 2):
        for x in range(width // 2):
            # Nearest to the centre of the halved pixel.
            source = label[int((y + 0.5) * height / (height // 2))]
            assert found["gt_seg_map"][y, x] == source[int((x + 0.5) * width / (width // 2))]


def test_half_of_a_smooth_image_is_smooth():
    ramp = np.repeat(np.arange(0, 128, 2, dtype=np.uint8)[None, :, None], 16, 0).repeat(3, 2)
    given = {**frame(16, 64), "img": ramp}
    half = HalveImageAndLabel().transform(given)["img"][4, 2:-2, 0].astype(int)
    assert np.abs(half - (4 * np.arange(2, 30) + 1)).max() <= 1


def test_labels_follow_the_image_to_the_network():
    found = ScaleImage(short_side=20).transform(frame(10, 15))
    label = found["gt_seg_map"].copy()
    found = LabelAtImageSize().transform(found)
    assert found["gt_seg_map"].shape == found["ori_shape"] == (20, 30)
    assert np.array_equal(found["gt_seg_map"], label.repeat(2, 0).repeat(2, 1))
