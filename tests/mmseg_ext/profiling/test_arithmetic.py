"""Multiply-adds by hand, operations that wait, and rates of known devices."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional

from mmseg_ext.profiling import arithmetic


def test_multiply_adds_of_a_linear_layer_forward_and_backward():
    layer, x = nn.Linear(30, 40), torch.randn(7, 30, requires_grad=True)
    once = 7 * 30 * 40 / 1e9
    assert arithmetic.gmacs(lambda: layer(x), "cpu") == pytest.approx(once)
    assert arithmetic.gmacs(lambda: layer(x).sum().backward(), "cpu") == pytest.approx(3 * once)


@pytest.mark.parametrize("groups", [1, 4, 16])
def test_a_convolution_costs_three_times_its_forward_pass_however_it_is_grouped(groups):
    layer = nn.Conv2d(16, 16, 3, padding=1, groups=groups)
    x = torch.randn(2, 16, 10, 12, requires_grad=True)
    once = 2 * 10 * 12 * 16 * (16 // groups) * 9 / 1e9
    assert arithmetic.gmacs(lambda: layer(x).sum().backward(), "cpu") == pytest.approx(3 * once)
    first = x.detach()
    assert arithmetic.gmacs(lambda: layer(first).sum().backward(), "cpu") == pytest.approx(2 * once)


def test_attention_is_counted_as_its_two_products():
    query, key = torch.randn(2, 3, 50, 8), torch.randn(2, 3, 70, 8)
    attend = functional.scaled_dot_product_attention
    expected = 2 * (2 * 3 * 50 * 70 * 8) / 1e9
    assert arithmetic.gmacs(lambda: attend(query, key, key), "cpu") == pytest.approx(expected)


def test_operations_that_wait_are_counted_by_name():
    x = torch.arange(6.0)

    def run():
        x.sum().item()
        bool(x.any())
        x[x > 2]
        torch.unique(x)
        return x * 2 + 1

    found = arithmetic.waits(run)
    assert found == {"_local_scalar_dense": 2, "_unique2": 1, "index by a mask": 1}
    assert arithmetic.waits(lambda: x[torch.tensor([1, 2])] * 3) == {}


def test_an_optimizer_waits_for_nobody():
    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([weight])

    def run():
        weight.sum().backward()
        optimizer.step()
        weight.detach().sum().item()

    assert arithmetic.waits(run, [optimizer]) == {"_local_scalar_dense": 1}
    assert arithmetic.waits(run)["_local_scalar_dense"] > 1


@pytest.mark.parametrize(
    ("name", "bf16"),
    [
        ("NVIDIA H100 80GB HBM3", 989.0),
        ("NVIDIA H100 PCIe", 756.0),
        ("NVIDIA H200", 989.0),
        ("NVIDIA A100-SXM4-40GB", 312.0),
        ("NVIDIA A10G", 70.0),
        ("NVIDIA A10", 125.0),
        ("NVIDIA L4", 121.0),
        ("NVIDIA L40", None),
        ("Some other card", None),
    ],
)
def test_the_peak_is_that_of_the_very_card(name, bf16):
    assert arithmetic.peak_rate(name, "bf16") == bf16


def test_a_matrix_rate_is_measured():
    assert 1e-4 < arithmetic.measured_rate("cpu", torch.float32, repeats=1) < 100


def test_both_are_counted_in_one_run():
    layer, x = nn.Linear(30, 40), torch.randn(7, 30)
    runs = []

    def run():
        runs.append(layer(x).sum().item())

    found = arithmetic.counted(run, [], "cpu")
    assert found == (pytest.approx(7 * 30 * 40 / 1e9), {"_local_scalar_dense": 1})
    assert len(runs) == 1


def test_waits_on_a_gpu_are_those_that_torch_warns_of(monkeypatch):
    modes = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)

    def run():
        for _ in range(2):
            warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
        warnings.warn("something else", stacklevel=1)

    assert arithmetic.gpu_waits(run) == {"synchronizing": 2}
    assert modes == ["warn", "default"]
    assert arithmetic.gpu_waits(lambda: None) == {}


def test_copies_between_devices_wait_unless_they_are_told_not_to():
    host, far = torch.arange(3.0), torch.empty(3, device="meta")
    assert arithmetic.waits(lambda: host.to("meta")) == {"copy from cpu to meta": 1}
    assert arithmetic.waits(lambda: far.copy_(host)) == {"copy from cpu to meta": 1}

    def goes_on():
        host.to("meta", non_blocking=True)
        far.copy_(host, non_blocking=True)
        far.copy_(far + 1)
        host.double()

    assert arithmetic.waits(goes_on) == {}


def test_sizes_that_depend_on_values_are_waited_for():
    x, counts = torch.arange(4), torch.tensor([1, 0, 2, 1])
    assert arithmetic.waits(lambda: x.repeat_interleave(counts)) == {"repeat_interleave": 1}
    assert arithmetic.waits(lambda: x.repeat_interleave(2)) == {}
    assert arithmetic.waits(lambda: torch.bincount(x)) == {"bincount": 1}
