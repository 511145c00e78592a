"""An address always gives the same image, in any process and order."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_ext.datasets.minidrive import MiniDriveError, Scene, World
from mmseg_ext.datasets.minidrive.appearance import develop
from mmseg_ext.datasets.minidrive.domains import appearance_key, find, layout_key
from mmseg_ext.datasets.minidrive.layout import make_layout
from mmseg_ext.datasets.minidrive.sensor import quantise

WORLD = World(train_images=60, test_images=40)
ADDRESSES = [
    ("synthetic", "train", 3),
    ("real", "test", 4),
    ("night", "test", 0),
    ("snow", "test", 7),
    ("adverse", "train", 9),
]
CONDITIONS = ("fog", "night", "rain", "snow")

_PRINT_DIGESTS = """
import sys
from hashlib import sha256
from mmseg_ext.datasets.minidrive import World
world = World(train_images=60, test_images=40)
for address in reversed({addresses!r}):
    scene = world.render(*address)
    parts = scene.image_rgb.tobytes() + scene.label.tobytes() + scene.caption.encode()
    print(sha256(parts).hexdigest())
heavy = [name for name in ("torch", "mmengine", "mmcv", "mmseg") if name in sys.modules]
assert not heavy, heavy
"""


def digest(scene: Scene) -> str:
    parts = scene.image_rgb.tobytes() + scene.label.tobytes() + scene.caption.encode()
    return hashlib.sha256(parts).hexdigest()


def test_two_processes_draw_the_same_bytes_without_heavy_imports() -> None:
    script = _PRINT_DIGESTS.format(addresses=ADDRESSES)
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    here = [digest(WORLD.render(*address)) for address in ADDRESSES]
    for run in runs:
        assert run.stdout.split() == here[::-1]


@settings(max_examples=25, deadline=None)
@given(
    address=st.sampled_from(WORLD.splits()).flatmap(
        lambda pair: st.tuples(st.just(pair), st.integers(0, WORLD.count(*pair) - 1))
    ),
    other=st.integers(0, 39),
)
def test_every_address_is_a_pure_function(address: tuple[tuple[str, str], int], other: int) -> None:
    (domain, split), index = address
    first = WORLD.render(domain, split, index)
    WORLD.render("fog", "test", other)
    again = WORLD.render(domain, split, index)
    assert digest(first) == digest(again)
    assert first.image_rgb.shape == (64, 128, 3)
    assert first.image_rgb.dtype == np.uint8
    assert first.label.shape == (64, 128)
    assert first.label.dtype == np.uint8
    assert first.label.max() < 19


def test_appearance_streams_are_never_shared() -> None:
    keys = [
        appearance_key(0, domain, split, index)
        for domain, split in WORLD.splits()
        for index in range(WORLD.count(domain, split))
    ]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {5}


def test_layout_streams_are_shared_by_the_conditions_of_one_street_only() -> None:
    owners: dict[str, set[tuple[str, str]]] = {}
    for domain, split in WORLD.splits():
        for index in range(5):
            key = layout_key(0, domain, split, index, 0)
            owners.setdefault(key, set()).add((domain, split))
    for key, users in owners.items():
        domains = {domain for domain, _ in users}
        assert len(users) == 1 or domains == {"real", *CONDITIONS}, key
        assert len({split for _, split in users}) == 1


def test_conditions_show_the_streets_of_the_real_test_set() -> None:
    for index in (0, 5):
        street = WORLD.render("real", "test", index)
        for domain in CONDITIONS:
            scene = WORLD.render(domain, "test", index)
            np.testing.assert_array_equal(scene.label, street.label)
            assert not np.array_equal(scene.image_rgb, street.image_rgb)


def test_source_and_target_train_on_different_streets() -> None:
    for index in range(5):
        label = WORLD.render("synthetic", "train", index).label
        assert not np.array_equal(label, WORLD.render("real", "train", index).label)
        assert not np.array_equal(label, WORLD.render("synthetic", "test", index).label)


def test_adverse_training_images_show_the_conditions_in_turn_on_streets_of_their_own() -> None:
    phrases = ("in fog", "at night", "in the rain", "in snow")
    shares = [0, 0, 0, 0]
    for index in range(8):
        scene = WORLD.render("adverse", "train", index)
        told = [phrase in scene.caption for phrase in phrases]
        assert sum(told) == 1
        shares[told.index(True)] += 1
        assert told[index % 4]
        for domain, split in (("real", "train"), ("real", "test"), ("synthetic", "train")):
            other = WORLD.render(domain, split, index)
            assert not np.array_equal(scene.label, other.label)
    assert shares == [2, 2, 2, 2]


def test_an_adverse_image_is_drawn_like_those_of_its_condition() -> None:
    """The same street and the same stream of light and weather give the same picture."""
    for index, condition in enumerate(CONDITIONS):
        layout = make_layout(0, "adverse", "train", index, 64, 128)
        rng = np.random.default_rng(appearance_key(0, "adverse", "train", index))
        frame = develop(layout, find(condition), WORLD.gap, rng)
        scene = WORLD.render("adverse", "train", index)
        np.testing.assert_array_equal(scene.image_rgb, quantise(frame.image))


def test_no_seed_is_ever_given_to_another_image() -> None:
    """Written out here: a row that is put into the table of domains must not move the others."""
    codes = {
        "synthetic": ("synthetic", 1), "real": ("real", 2), "geo": ("geo", 3),
        "fog": ("real", 4), "night": ("real", 5), "rain": ("real", 6), "snow": ("real", 7),
        "adverse": ("adverse", 8),
    }  # fmt: skip
    assert {domain for domain, _ in WORLD.splits()} == set(codes)
    for domain, (layouts, code) in codes.items():
        for number, split in ((1, "train"), (2, "test")):
            assert layout_key(5, domain, split, 9, 0) == f"layout/5/{layouts}/{split}/9/0"
            assert appearance_key(5, domain, split, 9) == (5, 1, code, number, 9)


def test_the_seed_makes_another_world() -> None:
    one, two = World(), World(seed=1)
    assert one.key() != two.key()
    assert digest(one.render("real", "train", 0)) != digest(two.render("real", "train", 0))


@pytest.mark.parametrize(
    ("domain", "split", "index", "message"),
    [
        ("reel", "test", 0, "Did you mean 'real'.*synthetic, real, geo"),
        ("fog", "train", 0, "'fog'.*Valid: test"),
        ("adverse", "test", 0, "'adverse'.*Valid: train"),
        ("real", "val", 0, "Valid: train, test"),
        ("real", "test", 40, r"valid: 0\.\.39"),
        ("real", "train", -1, r"valid: 0\.\.59"),
        ("real", "train", 1.5, r"valid: 0\.\.59"),
    ],
)
def test_a_wrong_address_is_named(domain: str, split: str, index: int, message: str) -> None:
    with pytest.raises(MiniDriveError, match=message):
        WORLD.render(domain, split, index)
