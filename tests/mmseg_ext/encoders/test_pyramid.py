from __future__ import annotations

import pytest
import torch

from mmseg_ext.encoders.pyramid import TokenPyramid, fit


@pytest.mark.parametrize(
    ("patch", "octaves"),
    [
        (4, (0, -1, -2, -3)),
        (8, (1, 0, -1, -2)),
        (14, (2, 1, 0, -1)),
        (16, (2, 1, 0, -1)),
        (32, (3, 2, 1, 0)),
    ],
)
def test_each_level_takes_the_nearest_power_of_two(patch: int, octaves: tuple[int, ...]) -> None:
    assert TokenPyramid(8, (8, 8, 8, 8), patch).octaves == octaves


def test_has_no_batch_statistics() -> None:
    pyramid = TokenPyramid(8, (8, 6, 4, 2), 16)
    assert not list(pyramid.buffers())
    maps = [torch.randn(2, 8, 4, 8) for _ in range(4)]
    together = pyramid(maps, 64, 128, (16.0, 16.0))
    alone = pyramid([m[:1] for m in maps], 64, 128, (16.0, 16.0))
    for both, one in zip(together, alone, strict=True):
        torch.testing.assert_close(both[:1], one)


def test_fit_keeps_cells_over_their_pixels() -> None:
    # Cells of 3.5 pixels holding the x coordinate of their centre, resampled to cells of 4 pixels.
    centres = (torch.arange(20) + 0.5) * 3.5
    resampled = fit(centres.view(1, 1, 1, 20).expand(1, 1, 20, 20), (3.5 / 4, 3.5 / 4), (17, 17))
    expected = (torch.arange(17) + 0.5) * 4
    torch.testing.assert_close(resampled[0, 0], expected.expand(17, 17))


def test_fit_repeats_the_border_where_the_map_ends_early() -> None:
    # 20 cells of 3.5 pixels cover 70 pixels; the 18th cell of 4 pixels has its centre at pixel 70.
    centres = (torch.arange(20) + 0.5) * 3.5
    resampled = fit(centres.view(1, 1, 1, 20).expand(1, 1, 20, 20), (3.5 / 4, 3.5 / 4), (18, 18))
    assert resampled.shape == (1, 1, 18, 18)
    torch.testing.assert_close(resampled[0, 0, 0, -1], centres[-1])


def test_fit_cuts_only_when_the_stride_is_right() -> None:
    x = torch.randn(2, 3, 6, 7)
    assert torch.equal(fit(x, (1.0, 1.0), (5, 4)), x[:, :, :5, :4])
