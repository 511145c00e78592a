"""Which regions are found, how they pool tokens, and what they are called."""

from __future__ import annotations

import numpy as np
import pytest

from mmseg_ext.datasets.minidrive.roles import Role
from mmseg_ext.pretraining.categories import CATEGORIES, CATEGORY_OF
from mmseg_ext.pretraining.phrases import TEMPLATES, colour_name, phrase
from mmseg_ext.pretraining.region_text import box_weights
from mmseg_ext.pretraining.regions import Box, find_regions, square


def test_every_role_has_a_category_and_every_category_a_role() -> None:
    assert len(CATEGORY_OF) == len(Role)
    assert set(CATEGORY_OF.tolist()) == set(range(len(CATEGORIES)))
    assert CATEGORIES[CATEGORY_OF[Role.BUS_WINDOW]] == "bus"
    assert CATEGORIES[CATEGORY_OF[Role.RIDER_SKIN]] == "rider"


def test_each_category_gives_one_of_its_large_connected_parts() -> None:
    categories = np.zeros((20, 40), np.uint8)
    categories[2:5, 3:9] = 7  # 18 pixels
    categories[10:16, 30:36] = 7  # 36
    categories[19, 0:3] = 4  # too small
    found = {
        region
        for seed in range(20)
        for region in find_regions(categories, np.random.default_rng(seed), 12, 40)
        if region.category
    }
    assert found == {(7, Box(2, 3, 5, 9)), (7, Box(10, 30, 16, 36))}


def test_a_large_part_is_a_window_around_one_of_its_pixels() -> None:
    categories = np.zeros((64, 128), np.uint8)
    categories[40:] = 2
    for seed in range(20):
        regions = find_regions(categories, np.random.default_rng(seed), 12, 24)
        assert [region.category for region in regions] == [0, 2]
        for category, (top, left, bottom, right) in regions:
            assert 12 <= bottom - top == right - left <= 24
            assert 0 <= top < bottom <= 64
            assert 0 <= left < right <= 128
            assert (categories[top:bottom, left:right] == category).any()


@pytest.mark.parametrize(
    ("row", "column", "side", "box"),
    [(10, 10, 6, (7, 7, 13, 13)), (0, 19, 6, (0, 14, 6, 20)), (5, 5, 50, (0, 0, 20, 20))],
)
def test_squares_stay_inside(row: int, column: int, side: int, box: tuple[int, ...]) -> None:
    assert square(row, column, side, 20, 20) == box


@pytest.mark.parametrize("box", [Box(0, 0, 64, 128), Box(3, 5, 4, 7), Box(6, 10, 21, 33)])
def test_weights_of_a_box_are_the_shares_of_its_pixels(box: Box) -> None:
    """Independent: count the box's pixels in each cell of 8x8."""
    inside = np.zeros((64, 128))
    inside[box.top : box.bottom, box.left : box.right] = 1
    expected = inside.reshape(8, 8, 16, 8).sum((1, 3)) / inside.sum()
    np.testing.assert_allclose(box_weights(box, 64, 128, 8, 16).numpy(), expected, atol=1e-6)


def test_colours_are_named_and_not_twice() -> None:
    assert colour_name(np.full((5, 3), (200, 40, 40), np.uint8)) == "red"
    assert colour_name(np.full((5, 3), 118, np.uint8)) == "grey"
    rng = np.random.default_rng(0)
    phrases = {phrase("car", "red", rng) for _ in range(100)}
    assert phrases == {t.format(noun) for t in TEMPLATES for noun in ("car", "red car")}
    assert all("red yellow" not in phrase("yellow traffic sign", "red", rng) for _ in range(20))
