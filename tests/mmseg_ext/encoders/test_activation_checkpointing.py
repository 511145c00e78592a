"""Recomputed blocks: fewer kept activations, the same gradients, draws and statistics."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from mmengine.registry import init_default_scope
from torch import nn

from benchmark import registry
from mmseg_ext.encoders.activation_checkpointing import checkpoint_activations
from mmseg_ext.errors import EncoderError
from mmseg_ext.registry import MODELS

MINI = registry.find("encoder", "eva02-mini").require("backbone")
ENCODERS: dict[str, dict[str, Any]] = {
    "eva02-mini": {**MINI, "drop_path_rate": 0.5},
    "mit": {"type": "MixTransformer", "variant": "b0", "drop_path_rate": 0.5, "drop_rate": 0.1},
    "resnet": {"type": "ResNetEncoder", "depth": 18},
}


def encoder(name: str) -> Any:
    init_default_scope("mmseg_ext")
    torch.manual_seed(0)
    return MODELS.build(ENCODERS[name]).train()


def step(network: Any) -> tuple[list[torch.Tensor], int]:
    """Outputs of a pass with its gradients made, and how many values were kept for that."""
    kept = 0

    def count(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept += tensor.numel()
        return tensor

    torch.manual_seed(7)  # stochastic depth, dropout
    images = torch.randn(2, 3, 64, 64)
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        outputs = network(images)
    torch.rand(1)  # whatever else draws before the backward pass
    sum(level.square().mean() for level in outputs).backward()
    return [level.detach() for level in outputs], kept


@pytest.mark.parametrize("name", ENCODERS)
def test_gradients_draws_and_statistics_are_the_same(name: str) -> None:
    plain = encoder(name)
    recomputed = copy.deepcopy(plain)
    checkpoint_activations(recomputed)
    checkpoint_activations(recomputed)
    (expected, whole), (found, kept) = step(plain), step(recomputed)
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    assert kept < 0.6 * whole
    gradients = {key: value.grad for key, value in plain.named_parameters()}
    assert any(value is not None and value.abs().sum() > 0 for value in gradients.values())
    for key, parameter in recomputed.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[key], rtol=1e-6, atol=1e-9)
    for key, value in plain.state_dict().items():
        assert torch.equal(value, recomputed.state_dict()[key]), key
    assert plain.state_dict().keys() == recomputed.state_dict().keys()


def test_a_pass_without_gradient_is_computed_once() -> None:
    network = encoder("mit")
    block = network.layers[0][1][0]
    calls = 0
    forward = block.forward

    def counted(*args: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        result: torch.Tensor = forward(*args)
        return result

    block.forward = counted
    checkpoint_activations(network)
    with torch.no_grad():
        network(torch.randn(1, 3, 64, 64))
    assert calls == 1
    step(network)
    assert calls == 3


def test_encoders_without_blocks_and_towers_with_batch_norm_are_refused() -> None:
    with pytest.raises(EncoderError, match="ResNetMini has no blocks"):
        checkpoint_activations(MODELS.build({"type": "ResNetMini"}))
    tower = MODELS.build({"type": "TimmEncoder", "model": "test_resnet"})
    assert any(isinstance(each, nn.BatchNorm2d) for each in tower.modules())
    with pytest.raises(EncoderError, match="test_resnet has batch norm"):
        checkpoint_activations(tower)
