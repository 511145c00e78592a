"""The overview picture."""

from __future__ import annotations

import numpy as np
import pytest

from mmseg_ext.datasets.minidrive import (
    DOMAINS,
    PALETTE,
    MiniDriveError,
    World,
    colourise,
    contact_sheet,
)

WORLD = World(height=32, width=64, test_images=4)


def test_shows_every_domain_and_the_legend() -> None:
    sheet = contact_sheet(WORLD, columns=2, tile_width=128)
    assert sheet.dtype == np.uint8
    assert sheet.ndim == 3
    one = contact_sheet(WORLD, DOMAINS[:1], columns=2, tile_width=128)
    two = contact_sheet(WORLD, DOMAINS[:2], columns=2, tile_width=128)
    row = two.shape[0] - one.shape[0]
    assert sheet.shape[0] == one.shape[0] + 6 * row
    assert row >= 2 * 64
    legend = one[row:]
    shown = {tuple(colour) for colour in legend.reshape(-1, 3).tolist()}
    assert set(PALETTE) <= shown


def test_shows_the_domains_that_have_the_split() -> None:
    one = contact_sheet(WORLD, ["real"], columns=2, split="train", tile_width=128)
    sheet = contact_sheet(WORLD, columns=2, split="train", tile_width=128)
    three = contact_sheet(
        WORLD, ["synthetic", "real", "adverse"], columns=2, split="train", tile_width=128
    )
    assert sheet.shape[0] > one.shape[0]
    np.testing.assert_array_equal(sheet, three)


def test_tiles_are_the_rendered_scenes() -> None:
    sheet = contact_sheet(WORLD, ["real"], columns=1, first=2, tile_width=64)
    wanted = colourise(WORLD.render("real", "test", 2).label)
    rows, columns = np.nonzero((sheet == wanted[0, 0]).all(axis=2))
    found = [
        (y, x)
        for y, x in zip(rows.tolist(), columns.tolist(), strict=True)
        if np.array_equal(sheet[y : y + 32, x : x + 64], wanted)
    ]
    assert len(found) == 1


def test_is_deterministic() -> None:
    one, two = (contact_sheet(WORLD, ["night"], columns=1) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_refuses_scenes_that_do_not_exist() -> None:
    with pytest.raises(MiniDriveError, match=r"0\.\.3"):
        contact_sheet(WORLD, ["real"], columns=5)
    with pytest.raises(MiniDriveError, match="Valid: test"):
        contact_sheet(WORLD, ["fog"], columns=1, split="train")


def test_colourise_paints_ignored_pixels_black() -> None:
    label = np.array([[0, 18, 255]], np.uint8)
    assert colourise(label).tolist() == [[[128, 64, 128], [119, 11, 32], [0, 0, 0]]]
