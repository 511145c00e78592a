"""The gap moves the colours of the target domains from the synthetic to their own palette."""

from __future__ import annotations

import numpy as np
import pytest

from mmseg_ext.datasets.minidrive import MiniDriveError, World, sensor
from mmseg_ext.datasets.minidrive.appearance import texture_gain
from mmseg_ext.datasets.minidrive.dice import Dice
from mmseg_ext.datasets.minidrive.frame import Frame
from mmseg_ext.datasets.minidrive.layout import compose
from mmseg_ext.datasets.minidrive.palettes import PALETTES, blend, pick
from mmseg_ext.datasets.minidrive.roles import Role
from mmseg_ext.datasets.minidrive.styles import STREET

ROLES = np.repeat(np.arange(len(Role)), 5)
TONES = np.tile(np.linspace(0, 0.999, 5, dtype=np.float32), len(Role))
GAPS = (0.0, 0.25, 0.5, 0.75, 1.0)


@pytest.mark.parametrize("palette", ["real", "geo"])
def test_colours_move_monotonically_towards_the_target_palette(palette: str) -> None:
    target, source = pick(palette, ROLES, TONES), pick("synthetic", ROLES, TONES)
    mixed = [blend(palette, ROLES, TONES, gap) for gap in GAPS]
    np.testing.assert_allclose(mixed[0], source, atol=1e-3)
    np.testing.assert_allclose(mixed[-1], target, atol=1e-3)
    distances = [np.abs(colours - target).sum(axis=1) for colours in mixed]
    different = np.abs(source - target).sum(axis=1) > 0
    assert different.mean() > 0.9
    for nearer, farther in zip(distances[1:], distances, strict=False):
        assert (nearer[different] < farther[different]).all()


def test_the_source_does_not_depend_on_the_gap() -> None:
    for index in range(3):
        scenes = [World(gap=gap).render("synthetic", "train", index) for gap in (0.0, 1.0)]
        np.testing.assert_array_equal(scenes[0].image_rgb, scenes[1].image_rgb)


def test_images_move_farther_from_those_without_a_gap_as_it_grows() -> None:
    def photographs(gap: float) -> np.ndarray:
        world = World(gap=gap)
        return np.stack([world.render("real", "train", k).image_rgb for k in range(12)]).astype(int)

    distances = [np.abs(photographs(gap) - photographs(0.0)).mean() for gap in GAPS]
    assert distances[0] == 0
    assert all(later > earlier for later, earlier in zip(distances[1:], distances, strict=False))


def test_photographs_differ_in_how_far_they_are_from_the_game() -> None:
    """Some hardly faded and without a cast, some strongly: adaptation has somewhere to start."""

    def cast(index: int) -> float:
        mean = World().render("real", "train", index).image_rgb.mean(axis=(0, 1))
        return float(mean.max() - mean.min())

    casts = sorted(cast(index) for index in range(40))
    assert casts[4] < 30
    assert casts[-5] > 2 * casts[4]


def frame_of(image: np.ndarray) -> Frame:
    layout = compose(Dice("1"), STREET, 32, 64, None)
    return Frame(layout, np.random.default_rng(0), image.astype(np.float32))


def test_without_strength_fading_and_white_balance_leave_the_image() -> None:
    image = np.random.default_rng(1).uniform(0, 255, (32, 64, 3))
    frame = frame_of(image)
    sensor.fade(frame, saturation=0.0, contrast=0.0)
    sensor.white_balance(frame, 0.0)
    np.testing.assert_allclose(frame.image, image, atol=1e-3)


def test_fading_keeps_the_order_of_greys_and_never_adds_colour() -> None:
    image = np.random.default_rng(2).uniform(0, 255, (32, 64, 3)).astype(np.float32)
    frame = frame_of(image)
    sensor.fade(frame, saturation=0.8, contrast=0.8)
    before, after = image.mean(axis=2).ravel(), frame.image.mean(axis=2).ravel()
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(1.0, abs=1e-4)
    assert np.ptp(after) < np.ptp(before)
    assert (np.ptp(frame.image, axis=2) <= np.ptp(image, axis=2) + 1e-3).all()


def test_the_gap_changes_no_label_and_no_caption() -> None:
    scenes = [World(gap=gap).render("rain", "test", 3) for gap in (0.2, 0.9)]
    np.testing.assert_array_equal(scenes[0].label, scenes[1].label)
    assert scenes[0].caption == scenes[1].caption


def test_texture_grows_with_the_gap() -> None:
    gains = [texture_gain(gap) for gap in GAPS]
    assert gains == sorted(gains)
    assert 0 < gains[0] < gains[-1] <= 1


def test_palettes_cover_every_role_with_real_colours() -> None:
    for name, palette in PALETTES.items():
        assert set(palette) == set(Role), name
        for colours in palette.values():
            assert all(0 <= value <= 255 for colour in colours for value in colour)


def test_an_unknown_palette_is_named() -> None:
    with pytest.raises(MiniDriveError, match="Valid: synthetic, real, geo"):
        pick("night", ROLES, TONES)
