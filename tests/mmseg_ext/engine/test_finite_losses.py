"""A loss that is not finite stops the run: at once on the CPU, a step later on other devices."""

from __future__ import annotations

import copy

import pytest
import torch

from mmseg_ext.engine import finite_losses
from mmseg_ext.engine.finite_losses import FiniteLosses
from mmseg_ext.errors import NonFiniteLossError


def log(source, mix=1.0, device="cpu"):
    values = {"loss": source, "loss_source": source, "loss_mix": mix, "share": float("nan")}
    return {name: torch.tensor(value, device=device) for name, value in values.items()}


@pytest.fixture
def far(monkeypatch):
    """A device that values are on their way from; tells which of them were waited for."""
    waited = []

    def arriving(values):
        held = values.tolist()

        def wait():
            waited.append(held)
            return held

        return wait

    real = torch.stack
    monkeypatch.setattr(finite_losses, "arriving", arriving)
    monkeypatch.setattr(torch, "stack", lambda each: _Far(real(each)))
    return waited


class _Far:
    """Values of a device that is not the CPU."""

    device = torch.device("cuda")

    def __init__(self, values):
        self.tolist = values.tolist


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_on_the_cpu_the_step_itself_is_stopped(bad):
    losses = FiniteLosses()
    losses.look(log(1.0), 1)
    with pytest.raises(NonFiniteLossError, match=f"'mix' became {bad} in iteration 2"):
        losses.look(log(1.0, bad), 2)
    losses.look(log(1.0), 3)  # nothing is left of it


def test_elsewhere_it_is_looked_at_in_the_next_step(far):
    losses = FiniteLosses()
    losses.look(log(1.0), 1)
    losses.look(log(float("nan")), 2)
    assert far == [[1.0, 1.0]]  # those of the first step alone
    with pytest.raises(NonFiniteLossError, match="'source' became nan in iteration 2"):
        losses.look(log(1.0), 3)


def test_the_last_step_is_looked_at_by_whoever_settles(far):
    losses = FiniteLosses()
    losses.look(log(2.0), 1)
    losses.settle()
    losses.settle()
    assert far == [[2.0, 1.0]]
    losses.look(log(float("inf")), 2)
    with pytest.raises(NonFiniteLossError, match="'source' became inf in iteration 2"):
        losses.settle()


def test_a_copy_has_nothing_left_to_look_at(far):
    losses = FiniteLosses()
    losses.look(log(2.0), 1)
    copy.deepcopy(losses).settle()
    assert far == [[2.0, 1.0]]
    losses.look(log(float("nan")), 2)
    with pytest.raises(NonFiniteLossError, match="iteration 2"):
        copy.deepcopy(losses)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_is_not_waited_for():
    losses = FiniteLosses()
    torch.cuda.set_sync_debug_mode("error")
    try:
        losses.look(log(float("nan"), device="cuda"), 1)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    with pytest.raises(NonFiniteLossError, match="'source' became nan in iteration 1"):
        losses.settle()
