"""The pinhole camera, and the ground it sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmseg_ext.datasets.minidrive.camera import Camera
from mmseg_ext.datasets.minidrive.layout import make_layout
from mmseg_ext.datasets.minidrive.roles import IS_GROUND
from mmseg_ext.datasets.minidrive.textures import ground_plane

CAMERA = Camera(height=128, width=256, focal=268.8, horizon=52.0, vanishing=120.0, above_ground=1.5)
METRES = st.floats(-30, 30)
DISTANCE = st.floats(2, 200)


@given(x=METRES, y=st.floats(0, 15), z=DISTANCE)
def test_twice_as_far_is_half_as_large(x: float, y: float, z: float) -> None:
    near, far = CAMERA.project(x, y, z), CAMERA.project(x, y, 2 * z)
    assert far[0] - CAMERA.vanishing == pytest.approx((near[0] - CAMERA.vanishing) / 2)
    assert far[1] - CAMERA.horizon == pytest.approx((near[1] - CAMERA.horizon) / 2)


@given(x=METRES, z=DISTANCE)
def test_the_horizon_is_at_the_height_of_the_camera(x: float, z: float) -> None:
    assert CAMERA.project(x, CAMERA.above_ground, z)[1] == pytest.approx(CAMERA.horizon)


@given(x=METRES, z=DISTANCE)
def test_left_hand_traffic_is_a_mirror_image(x: float, z: float) -> None:
    mirrored = replace(CAMERA, side=-1)
    assert mirrored.project(x, 0, z) == pytest.approx(CAMERA.project(-x, 0, z))


def test_the_nearest_ground_lies_below_the_lowest_row() -> None:
    row = CAMERA.project(0, 0, CAMERA.near)[1]
    assert CAMERA.height < row < 1.1 * CAMERA.height


def test_ground_coordinates_invert_the_projection() -> None:
    layout = make_layout(0, "geo", "test", 1, 64, 128)
    ground = ground_plane(layout, np.random.default_rng(0))
    for row, column in ((5, 10), (20, 200), (40, 128)):
        z, x = float(ground.depth[row, 0]), float(ground.x[row, column])
        pixel = layout.camera.project(x, 0, z)
        assert pixel == pytest.approx((column + 0.5, ground.first + row + 0.5), abs=0.01)


def test_ground_texture_is_finer_in_the_distance() -> None:
    layout = make_layout(0, "real", "test", 1, 64, 128)
    ground = ground_plane(layout, np.random.default_rng(0))

    def change(rows: slice) -> float:
        part = ground.blotch[rows]
        return float(np.abs(np.diff(part, axis=1)).mean() / part.std())

    assert change(slice(2, 12)) > 1.5 * change(slice(-12, None))


def test_no_ground_above_the_horizon() -> None:
    for index in range(5):
        layout = make_layout(0, "synthetic", "train", index, 64, 128)
        above = layout.ids[: int(layout.camera.horizon) - 1]
        assert not IS_GROUND[layout.roles].take(above).any()
