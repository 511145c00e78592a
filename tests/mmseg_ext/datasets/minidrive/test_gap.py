"""The gap moves the colours of the target domains from the synthetic to their own palette."""

from __future__ import annotations

import numpy as np
import pytest

from mmseg_ext.datasets.minidrive import MiniDriveError, World
from mmseg_ext.datasets.minidrive.appearance import texture_gain
from mmseg_ext.datasets.minidrive.palettes import PALETTES, blend, pick
from mmseg_ext.datasets.minidrive.roles import Role

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


def test_images_move_away_from_the_source_colours_with_the_gap() -> None:
    saturation = []
    for gap in GAPS:
        world = World(gap=gap)
        images = [world.render("real", "train", k).image_rgb.astype(np.int64) for k in range(8)]
        saturation.append(np.mean([(i.max(axis=2) - i.min(axis=2)).mean() for i in images]))
    assert all(later < earlier for later, earlier in zip(saturation[1:], saturation, strict=False))


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
