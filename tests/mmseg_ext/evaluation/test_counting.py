"""Counts at the labels' size against interpolating everything at once and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from mmseg_ext.evaluation.counting import class_counts, predictions

SIZES = {"height": st.integers(1, 40), "width": st.integers(1, 40)}


def whole(logits, size, **options):
    """All predictions at once, and by how much the best class is ahead of the second."""
    resized = functional.interpolate(logits[None], size, mode="bilinear", **options)[0]
    best = resized.topk(2, dim=0)
    return best.indices[0], best.values[0] - best.values[1]


def joined(logits, size, **options):
    return torch.cat([part for _, part in predictions(logits, size, **options)])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    **SIZES,
    tall=st.integers(1, 90),
    wide=st.integers(1, 90),
    corners=st.booleans(),
    seed=st.integers(0, 999),
)
def test_bands_give_what_resizing_at_once_gives(height, width, tall, wide, corners, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = 10 * torch.randn(19, height, width, generator=generator)
    expected, lead = whole(logits, (tall, wide), align_corners=corners)
    found = joined(logits, (tall, wide), align_corners=corners)
    # Equal wherever the best class is ahead by more than rounding makes.
    assert (found == expected)[lead > 1e-4].all()
    for band in (1, 19 * wide * 3, 10**9):
        again = joined(logits, (tall, wide), align_corners=corners, band=band)
        assert torch.equal(again, found)


def test_logits_of_the_labels_size_are_compared_as_they_are():
    logits = torch.randn(19, 33, 21, generator=torch.Generator().manual_seed(3))
    assert torch.equal(joined(logits, (33, 21), band=700), logits.argmax(dim=0))


def test_counts_are_those_of_a_plain_loop():
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(4, 5, 7, generator=generator)
    truth = torch.randint(0, 5, (11, 13), generator=generator)
    truth[truth == 4] = 255
    expected = np.zeros((4, 4), int)
    prediction, _ = whole(logits, (11, 13), align_corners=False)
    for y in range(11):
        for x in range(13):
            if truth[y, x] != 255:
                expected[truth[y, x], prediction[y, x]] += 1
    for band in (1, 100, 10**6):
        counts = class_counts(logits, truth.to(torch.uint8), band=band)
        assert counts.tolist() == expected.tolist()


def test_an_image_without_labelled_pixels_counts_nothing():
    counts = class_counts(torch.randn(19, 4, 4), torch.full((8, 8), 255, dtype=torch.uint8))
    assert counts.shape == (19, 19)
    assert int(counts.sum()) == 0


class LargestFloats(TorchFunctionMode):
    """Notes the size of the largest floating-point tensor that an operation returns."""

    largest = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor) and made.is_floating_point():
            self.largest = max(self.largest, made.numel())
        return made


@pytest.mark.parametrize("size", [(600, 800), (300, 1600)])
def test_memory_is_bounded_by_the_band_and_not_by_the_label(size):
    logits = torch.randn(19, 30, 40)
    truth = torch.zeros(size, dtype=torch.uint8)
    watch = LargestFloats()
    with watch:
        class_counts(logits, truth, band=19 * 1600 * 4)
    assert 19 * size[1] <= watch.largest <= 19 * 1600 * 4 < 19 * size[0] * size[1] / 50
