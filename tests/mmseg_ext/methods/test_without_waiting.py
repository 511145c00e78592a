"""No step of any method waits for its device: shown without a GPU, and on one where there is one.

On torch's ``meta`` device tensors have no values. Whatever would make the host wait for a GPU, a
value that is read or a shape that depends on one, fails there, while what the host draws and
decides by itself stays on the CPU and works.
"""

from __future__ import annotations

import contextlib

import pytest
import small_world
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mmseg_ext import methods
from mmseg_ext.engine import finite_losses
from mmseg_ext.engine.part_optimizers import STUDENT, by_part
from mmseg_ext.errors import NonFiniteLossError
from mmseg_ext.profiling import arithmetic
from mmseg_ext.profiling.random_images import batches
from mmseg_ext.registry import MODELS

# Draws of each image of their own, which take other ways through mixing and augmentation.
BY_IMAGE = {
    "class_mix": {"scope": "image"},
    "strong_augmentation": {"per": "image", "shared_order": False, "jitter_probability": 0.5},
}
CASES = [(name, {}) for name in small_world.METHODS if name != "daformer-hrda"]
CASES.append(("dacs", BY_IMAGE))


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


def build(name, device, **changes):
    """A method and its optimizers, the student's gradients being clipped."""
    torch.manual_seed(0)
    method = MODELS.build(small_world.model(name, **changes)).to(device).train()
    wrapper = build_optim_wrapper(method, small_world.optimization(name)["optim_wrapper"])
    by_part(wrapper)[STUDENT].clip_grad_kwargs = {"max_norm": 1.0}
    by_part(wrapper)[STUDENT].clip_func = torch.nn.utils.clip_grad_norm_
    by_part(wrapper)[STUDENT].grad_name = "grad_norm"
    return method, wrapper


def data_for(name):
    return batches((64, 64), 2, name not in small_world.SOURCE_ALONE, seed=5)


def two_steps(method, wrapper, data):
    return [method.train_step(next(data), wrapper) for _ in range(2)]


def waits(method, wrapper, data, steps=2):
    """Those of the first steps; AdamW counts its own steps on the host."""
    optimizers = [each.optimizer for each in by_part(wrapper).values()]

    def run():
        for _ in range(steps):
            method.train_step(next(data), wrapper)

    return arithmetic.waits(run, optimizers)


@pytest.fixture
def without_values(monkeypatch):
    """What a device without values cannot do and a GPU can: autocast, and sending losses later."""
    arrived = []

    def arriving(values):
        assert values.device.type == "meta"
        arrived.append(len(values))
        return lambda: [0.0] * len(values)

    def tensor(*values, device=None, **options):
        # On a GPU it waits for the values to be copied; without values there is no copy to see.
        assert torch.device(device or "cpu").type == "cpu"
        return made(*values, **options)

    made = torch.tensor
    monkeypatch.setattr(torch, "tensor", tensor)
    monkeypatch.setattr(finite_losses, "arriving", arriving)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    return arrived


def test_all_methods_are_here():
    tested = {small_world.METHODS[name]["type"] for name, _ in CASES}
    assert tested == set(methods.__all__)


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_a_step_needs_no_value_from_its_device(without_values, name, changes):
    method, wrapper = build(name, "meta", **changes)
    steps = 1 if "hrda" in name else 2  # an operation without values takes long
    assert waits(method, wrapper, data_for(name), steps) == {}
    assert len(without_values) == steps


def test_reading_a_loss_would_be_noticed(without_values, monkeypatch):
    method, wrapper = build("dacs", "meta")
    original = method.loss
    monkeypatch.setattr(method, "loss", lambda *given: original(*given) * bool(given[1].any()))
    with pytest.raises(RuntimeError, match="meta tensors"):
        two_steps(method, wrapper, data_for("dacs"))


def test_a_copy_that_is_waited_for_would_be_noticed(without_values, monkeypatch):
    method, wrapper = build("dacs", "meta")
    original = method.class_mix
    sent = lambda *given: (torch.ones(3).to("meta"), original(*given))[1]  # noqa: E731
    monkeypatch.setattr(method, "class_mix", sent)
    assert waits(method, wrapper, data_for("dacs")) == {"copy from cpu to meta": 2}


@pytest.mark.parametrize("hand_out", ["train_step", "state_dict", "eval"])
def test_weights_after_a_bad_loss_go_nowhere(without_values, monkeypatch, hand_out):
    method, wrapper = build("source-only", "meta")
    data = data_for("source-only")
    method.train_step(next(data), wrapper)
    monkeypatch.setattr(finite_losses, "arriving", lambda _: lambda: [float("nan")])
    method.train_step(next(data), wrapper)
    given = (next(data), wrapper) if hand_out == "train_step" else ()
    with pytest.raises(NonFiniteLossError, match="'source' became nan in iteration 2"):
        getattr(method, hand_out)(*given)


def test_a_resumed_method_counts_on():
    method, wrapper = build("daformer", "cpu")
    data = data_for("daformer")
    two_steps(method, wrapper, data)
    resumed, wrapper = build("daformer", "cpu")
    resumed.load_state_dict(method.state_dict())
    frozen = next(resumed.feature_distance.teacher.parameters()).clone()
    resumed.train_step(next(data), wrapper)
    assert int(resumed.iteration) == int(resumed.teacher.step) == 3
    # neither the teacher nor the frozen encoder starts again from the student
    assert torch.equal(next(resumed.feature_distance.teacher.parameters()), frozen)
    assert not torch.equal(
        next(resumed.teacher.network.parameters()), next(method.student.parameters())
    )
    resumed.cross_entropy.class_weight = torch.full((19,), float("nan"))
    with pytest.raises(NonFiniteLossError, match="in iteration 4"):
        resumed.train_step(next(data), wrapper)


def test_the_profile_counts_no_wait_on_a_cpu_either():
    method, wrapper = build("dacs", "cpu", **BY_IMAGE)
    assert waits(method, wrapper, data_for("dacs")) == {}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("name", "changes"), CASES)
def test_a_gpu_is_never_waited_for(name, changes):
    method, wrapper = build(name, "cuda", **changes)
    data = data_for(name)
    two_steps(method, wrapper, data)  # libraries choose their kernels in the first steps
    torch.cuda.set_sync_debug_mode("error")
    try:
        two_steps(method, wrapper, data)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    method.eval()
