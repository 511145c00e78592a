"""Parameters of a world: sizes, keys, and what is refused."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from mmseg_ext.datasets.minidrive import World
from mmseg_ext.datasets.minidrive.errors import MiniDriveError


@pytest.mark.parametrize(("height", "width"), [(128, 256), (48, 128), (64, 96)])
@pytest.mark.parametrize("domain", ["synthetic", "night", "rain", "snow"])
def test_other_sizes(height: int, width: int, domain: str) -> None:
    scene = World(height=height, width=width).render(domain, "test", 1)
    assert scene.image_rgb.shape == (height, width, 3)
    assert scene.label.shape == (height, width)
    assert scene.image_rgb.std() > 5


def test_a_larger_world_shows_the_same_streets() -> None:
    small = World(train_images=8).render("real", "train", 2)
    large = World(height=128, width=256, train_images=8).render("real", "train", 2)
    agreement = (large.label[::2, ::2] == small.label).mean()
    assert agreement > 0.9


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"height": 60}, "height.*60.*multiple of 8"),
        ({"height": 16, "width": 32}, "height.*from 32"),
        ({"width": 64}, "64 x 64.*ratio"),
        ({"width": 256}, "64 x 256.*1.25..3.0"),
        ({"height": 1024, "width": 2048}, "1024 at most"),
        ({"height": 64.0}, "height"),
        ({"gap": 1.1}, "gap.*0..1"),
        ({"gap": float("nan")}, "gap"),
        ({"gap": "wide"}, "gap"),
        ({"train_images": 0}, "train_images.*from 1"),
        ({"test_images": True}, "test_images"),
        ({"seed": -1}, "seed.*from 0"),
    ],
)
def test_impossible_worlds_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(MiniDriveError, match=message):
        World(**parameters)


def test_the_key_names_all_parameters() -> None:
    base = World()
    others = [
        World(height=128, width=256),
        World(gap=0.5),
        World(train_images=10),
        World(test_images=10),
        World(seed=3),
    ]
    assert len({world.key() for world in [base, *others]}) == 6
    assert base.key() == World().key()
    assert World(gap=1).key() == World(gap=1.0).key()
    assert int(base.key(), 16) >= 0


def test_splits_and_counts() -> None:
    world = World(train_images=30, test_images=10)
    splits = world.splits()
    assert len(splits) == 10
    assert [pair for pair in splits if pair[1] == "train"] == [
        ("synthetic", "train"),
        ("real", "train"),
        ("adverse", "train"),
    ]
    assert world.count("real", "train") == world.count("adverse", "train") == 30
    assert world.count("geo", "test") == 10


def test_rendering_leaves_the_thread_setting_of_opencv_alone() -> None:
    before = cv2.getNumThreads()
    World().render("night", "test", 0)
    assert cv2.getNumThreads() == before


def test_rendering_does_not_touch_the_global_random_state() -> None:
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    World().render("rain", "test", 0)
    assert np.random.random() == expected
