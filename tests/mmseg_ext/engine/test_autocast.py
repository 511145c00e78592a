"""bfloat16 in the network alone: losses, logits, weights and optimizer state stay in fp32."""

from __future__ import annotations

import pytest
import small_world
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmseg_ext.datasets.paired import PairedDataset
from mmseg_ext.engine import AutocastOptimWrapper, CurveHook
from mmseg_ext.parts import entropy
from mmseg_ext.registry import MODELS

METHODS = sorted(small_world.METHODS)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


def build(method):
    torch.manual_seed(0)
    model = MODELS.build(small_world.model(method))
    model.init_weights()
    return model.train()


@pytest.fixture
def data(domains):
    pairs = PairedDataset(
        small_world.dataset(domains, "source"),
        small_world.dataset(domains, "target", labelled=False),
    )
    return pseudo_collate([pairs[0], pairs[1]])


def wrappers(model, kind=AutocastOptimWrapper):
    parts = ["student"] + ["discriminator"] * hasattr(model, "discriminator")
    return OptimWrapperDict(
        **{
            part: (kind if part == "student" else OptimWrapper)(
                optimizer=torch.optim.AdamW(getattr(model, part).parameters(), lr=1e-3)
            )
            for part in parts
        }
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_encoder_runs_in_bfloat16_and_everything_else_in_fp32(data, method):
    model = build(method)
    inside, decoded, logits = [], [], []
    block = model.student.backbone.stages[-1]
    block.register_forward_hook(lambda *call: inside.append(call[2].dtype))
    classifier = model.student.decode_head.conv_seg
    classifier.register_forward_hook(lambda *call: decoded.append(call[2].dtype))
    segment = model._upsample
    model._upsample = lambda *args: logits.append(segment(*args)) or logits[-1]
    optimisers = wrappers(model)
    log = model.train_step(data, optimisers)
    assert torch.bfloat16 in set(inside), "the encoder runs in bf16"
    assert set(decoded) == {torch.float32}, "the decoder does not"
    assert {each.dtype for each in logits} == {torch.float32}
    assert {value.dtype for value in log.values()} == {torch.float32}
    tensors = [*model.parameters(), *(p.grad for p in model.parameters() if p.grad is not None)]
    for wrapper in optimisers.values():
        for state in wrapper.optimizer.state.values():
            tensors += [state["exp_avg"], state["exp_avg_sq"]]
    assert {each.dtype for each in tensors} == {torch.float32}


@pytest.mark.parametrize("method", METHODS)
def test_every_weight_of_the_student_gets_its_gradient(data, method):
    full, mixed = build(method), build(method)
    for model, kind in ((full, OptimWrapper), (mixed, AutocastOptimWrapper)):
        torch.manual_seed(1)
        model.train_step(data, wrappers(model, kind))
    for (name, one), other in zip(
        full.student.named_parameters(), mixed.student.parameters(), strict=True
    ):
        gradients = torch.stack([one.grad.flatten(), other.grad.flatten()])
        assert torch.cosine_similarity(*gradients, dim=0) > 0.8, name


def test_a_pass_without_gradient_does_not_cut_off_the_next_one():
    layer = torch.nn.Linear(3, 2)
    wrapper = AutocastOptimWrapper(optimizer=torch.optim.SGD(layer.parameters(), lr=0.1))
    with wrapper.optim_context(layer):
        with torch.no_grad():
            layer(torch.ones(2, 3))
        output = layer(torch.ones(2, 3))
    wrapper.backward(output.float().sum())
    assert layer.weight.grad.tolist() == [[2.0] * 3] * 2


def test_entropy_maps_are_made_of_fp32_logits(data, monkeypatch):
    from mmseg_ext.parts import output_adversary

    seen = []

    def watched(logits):
        seen.append(logits.dtype)
        return entropy.self_information(logits)

    monkeypatch.setitem(output_adversary._ADAPTERS, "self_information", watched)
    model = build("advent")
    model.train_step(data, wrappers(model))
    assert seen == [torch.float32] * 3


def test_a_run_in_mixed_precision_is_reproducible_and_close_to_fp32(domains, tmp_path):
    losses, weights = {}, {}
    for name, kind in (("a", "Autocast"), ("b", "Autocast"), ("full", "")):
        config = small_world.runner_config(domains, tmp_path / name, "minent", iterations=2)
        config["optim_wrapper"]["type"] = f"{kind}OptimWrapper"
        runner = Runner.from_cfg(Config(config))
        runner.train()
        losses[name] = next(h.curves["loss"] for h in runner.hooks if isinstance(h, CurveHook))
        weights[name] = runner.model.state_dict()
    assert losses["a"] == losses["b"] != losses["full"]
    assert losses["a"] == pytest.approx(losses["full"], rel=2e-2)
    for key, value in weights["a"].items():
        assert torch.equal(value, weights["b"][key]), key
