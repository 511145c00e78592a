from __future__ import annotations

import math

import pytest
import torch

from mmseg_ext.encoders import ResNetMini
from mmseg_ext.registry import MODELS


@pytest.mark.parametrize("size", [(64, 128), (65, 130), (97, 71)])
def test_outputs_match_the_documented_strides_and_channels(size: tuple[int, int]) -> None:
    encoder = MODELS.build({"type": "ResNetMini"})
    with torch.no_grad():
        levels = encoder(torch.randn(2, 3, *size))
    assert [tuple(level.shape) for level in levels] == [
        (2, channels, math.ceil(size[0] / stride), math.ceil(size[1] / stride))
        for channels, stride in zip(encoder.channels, encoder.strides, strict=True)
    ]


def test_has_about_a_million_parameters() -> None:
    assert 950_000 < sum(p.numel() for p in ResNetMini().parameters()) < 1_100_000


def test_images_of_a_batch_do_not_influence_each_other() -> None:
    encoder = ResNetMini().train()
    assert not list(encoder.buffers())
    images = torch.randn(2, 3, 64, 64)
    for together, alone in zip(encoder(images), encoder(images[:1]), strict=True):
        torch.testing.assert_close(together[:1], alone)


def test_init_weights_keeps_the_initialisation() -> None:
    encoder = ResNetMini()
    before = {name: p.clone() for name, p in encoder.named_parameters()}
    encoder.init_weights()
    assert all(torch.equal(before[name], p) for name, p in encoder.named_parameters())


def test_signal_keeps_its_scale_through_the_stages() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        levels = ResNetMini()(torch.randn(2, 3, 64, 128))
    assert all(0.3 < level.std().item() < 3.0 for level in levels)


def test_every_parameter_gets_a_gradient() -> None:
    encoder = ResNetMini()
    sum(level.square().mean() for level in encoder(torch.randn(1, 3, 64, 64))).backward()
    assert [name for name, p in encoder.named_parameters() if p.grad is None] == []
