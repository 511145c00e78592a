"""Scenes at any size."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_ext.datasets.export.scenes import Address, addresses, rendered, rendered_size
from mmseg_ext.datasets.minidrive import World


@settings(max_examples=300, deadline=None, derandomize=True)
@given(width=st.integers(8, 8192), height=st.integers(8, 8192))
def test_what_is_rendered_is_possible_and_near(width, height):
    columns, rows = rendered_size((width, height))
    World(height=rows, width=columns)  # raises for an impossible size
    if 1.3 < width / height < 2.9 and height >= 64:
        scale = min(1, 1024 / width)
        assert abs(columns - width * scale) <= 8
        assert abs(rows - height * scale) <= 8


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((128, 64), (128, 64)),
        ((1024, 512), (1024, 512)),
        ((1914, 1052), (1024, 560)),
        ((2048, 1024), (1024, 512)),
        ((3264, 2448), (1024, 768)),
        ((8, 8), (40, 32)),
    ],
)
def test_sizes_of_published_images(size, expected):
    assert rendered_size(size) == expected


def test_a_size_that_can_be_rendered_is_not_resized():
    image, label = rendered(Address("fog", "test", 3), 5, (128, 64), (128, 64))
    own = World(height=64, width=128, seed=5).render("fog", "test", 3)
    assert np.array_equal(image, own.image_rgb)
    assert np.array_equal(label, own.label)


def test_labels_are_resized_without_new_values():
    image, label = rendered(Address("real", "train", 0), 0, (131, 67), (77, 41))
    assert image.shape == (67, 131, 3)
    assert label.shape == (41, 77)
    own = World(height=64, width=128).render("real", "train", 0).label
    rows, columns = np.arange(41) * 64 // 41, np.arange(77) * 128 // 77
    assert np.array_equal(label, own[rows[:, None], columns])


def test_training_scenes_come_first_where_there_are_any():
    assert next(addresses("synthetic")) == Address("synthetic", "train", 0)
    assert [each.index for each in itertools.islice(addresses("night"), 3)] == [0, 1, 2]
    assert next(addresses("night")).split == "test"
    with pytest.raises(ValueError, match="MiniDrive domain 'dusk', expected one of"):
        next(addresses("dusk"))
