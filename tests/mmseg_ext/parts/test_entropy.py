"""Self-information and entropy against sums written out, and where half precision breaks them."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_ext.parts.entropy import mean_entropy, self_information


def plain_information(logits):
    """The definition for one pixel in double precision: softmax, then -p log p / log C."""
    largest = max(logits)
    weights = [math.exp(value - largest) for value in logits]
    shares = [weight / sum(weights) for weight in weights]
    return [-p * math.log2(p) / math.log2(len(logits)) if p > 0 else 0.0 for p in shares]


def test_maps_follow_the_definition_pixel_by_pixel():
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 3, 4) * 5
    maps = self_information(logits)
    for b in range(2):
        for y in range(3):
            for x in range(4):
                expected = plain_information(logits[b, :, y, x].tolist())
                assert maps[b, :, y, x].tolist() == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_maps_equal_the_form_the_paper_gives_in_double_precision():
    torch.manual_seed(1)
    logits = torch.randn(2, 19, 8, 8, dtype=torch.float64) * 4
    p = logits.softmax(1)
    expected = -p * torch.log2(p + 1e-30) / math.log2(19)
    assert torch.allclose(self_information(logits).double(), expected, rtol=1e-4, atol=1e-7)


def test_entropy_is_the_mean_over_pixels_of_the_sum_over_classes():
    torch.manual_seed(2)
    logits = torch.randn(2, 19, 3, 5)
    total = sum(
        sum(plain_information(logits[b, :, y, x].tolist()))
        for b in range(2)
        for y in range(3)
        for x in range(5)
    )
    assert float(mean_entropy(logits)) == pytest.approx(total / 30, rel=1e-5)


def test_the_range():
    uniform = torch.zeros(1, 19, 2, 2)
    assert float(mean_entropy(uniform)) == pytest.approx(1.0, rel=1e-6)
    certain = torch.zeros(1, 19, 2, 2)
    certain[:, 3] = 200.0
    assert float(mean_entropy(certain)) == 0.0
    # The largest entry is at p = 1/e: log-odds of 1/e against 18 equal rests.
    logits = torch.zeros(1, 19, 1, 1)
    logits[:, 0] = math.log((1 / math.e) / ((1 - 1 / math.e) / 18))
    assert float(self_information(logits)[0, 0]) == pytest.approx(0.125, abs=1e-3)


@given(
    st.lists(st.floats(-1e4, 1e4, width=16), min_size=2, max_size=19),
    st.sampled_from([torch.float16, torch.bfloat16, torch.float32]),
)
@settings(max_examples=150, deadline=None)
def test_any_logits_of_any_precision_give_finite_maps_and_gradients(values, dtype):
    logits = torch.tensor(values).to(dtype).view(1, -1, 1, 1).requires_grad_()
    maps = self_information(logits)
    assert maps.dtype == torch.float32
    expected = plain_information(logits.detach().flatten().double().tolist())
    assert maps.flatten().tolist() == pytest.approx(expected, rel=1e-3, abs=1e-6)
    mean_entropy(logits).backward()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize(
    ("dtype", "value"),
    [(torch.float16, 65504.0), (torch.bfloat16, 3e38), (torch.float32, 3e38)],
)
def test_saturated_logits_are_certain_and_not_nan(dtype, value):
    logits = torch.full((1, 3, 1, 1), -value, dtype=dtype)
    logits[:, 1] = value
    logits.requires_grad_()
    loss = mean_entropy(logits)
    loss.backward()
    assert loss.item() == 0.0
    assert (logits.grad == 0).all()


def test_a_class_ruled_out_with_minus_infinity_has_no_information():
    logits = torch.tensor([0.0, 0.0, -math.inf]).view(1, 3, 1, 1).requires_grad_()
    loss = mean_entropy(logits)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2) / math.log(3))
    assert logits.grad.isfinite().all()


def test_the_gradient_matches_finite_differences():
    logits = torch.randn(1, 4, 2, 2, generator=torch.Generator().manual_seed(3))
    logits.requires_grad_()
    mean_entropy(logits).backward()
    step = 1e-2
    for index in range(logits.numel()):
        shift = torch.zeros(logits.numel())
        shift[index] = step
        with torch.no_grad():
            up = mean_entropy(logits + shift.view_as(logits))
            down = mean_entropy(logits - shift.view_as(logits))
        expected = float(up - down) / (2 * step)
        assert float(logits.grad.flatten()[index]) == pytest.approx(expected, abs=1e-4)


def test_autocast_does_not_lower_the_precision():
    logits = torch.randn(1, 19, 4, 4, generator=torch.Generator().manual_seed(4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        maps = self_information(logits)
    assert torch.equal(maps, self_information(logits))
