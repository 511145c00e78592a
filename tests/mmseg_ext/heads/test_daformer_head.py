from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from mmseg_ext.encoders import StandardizedConv
from mmseg_ext.heads import DAFormerHead, HeadError
from mmseg_ext.registry import MODELS


@pytest.mark.parametrize(
    ("channels", "parameters"),
    [
        ((64, 128, 320, 512), 3_712_275),
        ((256, 512, 1024, 2048), 4_433_171),
        ((1024, 1024, 1024, 1024), 4_498_707),
    ],
)
def test_has_the_published_number_of_parameters(channels: Sequence[int], parameters: int) -> None:
    head = DAFormerHead(channels, num_classes=19)
    assert sum(p.numel() for p in head.parameters()) == parameters


def levels(channels: Sequence[int], sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(2, c, *size, generator=generator)
        for c, size in zip(channels, sizes, strict=True)
    ]


def norm_relu(x: Tensor, norm: nn.Module) -> Tensor:
    """Batch norm by its definition, from the running statistics."""
    assert isinstance(norm, nn.BatchNorm2d)
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    shape = (1, -1, 1, 1)
    x = (x - mean.view(shape)) / (variance.view(shape) + norm.eps).sqrt()
    return (x * norm.weight.view(shape) + norm.bias.view(shape)).clamp(min=0)


def independent_forward(head: Any, inputs: Sequence[Tensor], dilations: Sequence[int]) -> Tensor:
    """The decoder spelled out in torch functions."""
    embedded = [
        torch.einsum("nchw,dc->ndhw", x, linear.weight) + linear.bias.view(1, -1, 1, 1)
        for x, linear in zip(inputs, head.embeddings, strict=True)
    ]
    size = inputs[0].shape[2:]
    stack = torch.cat(
        [F.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in embedded], 1
    )
    views = []
    for branch, d in zip(head.branches, dilations, strict=True):
        x, pointwise = stack, branch
        if d > 1:
            depthwise, norm, _, pointwise = branch
            x = F.conv2d(x, depthwise.weight, padding=d, dilation=d, groups=x.shape[1])
            x = norm_relu(x, norm)
        views.append(norm_relu(F.conv2d(x, pointwise.conv.weight), pointwise.norm))
    x = F.conv2d(torch.cat(views, 1), head.bottleneck.conv.weight, padding=1)
    x = norm_relu(x, head.bottleneck.norm)
    return F.conv2d(x, head.conv_seg.weight, head.conv_seg.bias)


def test_forward_equals_the_decoder_spelled_out() -> None:
    torch.manual_seed(0)
    channels, dilations = (3, 5, 7, 9), (1, 6, 12, 18)
    head = DAFormerHead(channels, 8, num_classes=19, dilations=dilations)
    for module in head.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean, module.running_var):
                assert value is not None
                nn.init.uniform_(value, 0.5, 1.5)
    head.eval()
    inputs = levels(channels, [(16, 32), (8, 16), (4, 8), (2, 4)])
    with torch.no_grad():
        logits = head(inputs)
        expected = independent_forward(head, inputs, dilations)
    assert logits.shape == (2, 19, 16, 32)
    torch.testing.assert_close(logits, expected)


def test_norm_and_dilations_follow_the_configuration() -> None:
    head = MODELS.build(
        {
            "type": "DAFormerHead",
            "in_channels": [4, 6, 8],
            "channels": 16,
            "num_classes": 19,
            "dilations": [1, 2],
            "norm_cfg": {"type": "GN", "num_groups": 8},
        }
    )
    assert not any(isinstance(m, nn.BatchNorm2d) for m in head.modules())
    norms = [m for m in head.modules() if isinstance(m, nn.GroupNorm)]
    assert sorted(norm.num_channels for norm in norms) == [16, 16, 16, 48]
    assert head(levels((4, 6, 8), [(16, 32), (8, 16), (8, 16)])).shape == (2, 19, 16, 32)


def test_standardized_convolutions_have_the_same_parameters() -> None:
    plain = DAFormerHead((4, 6), 8, num_classes=19)
    standardized = DAFormerHead((4, 6), 8, num_classes=19, standardize=True)
    assert sum(isinstance(m, StandardizedConv) for m in standardized.modules()) == 5
    standardized.load_state_dict(plain.state_dict())
    inputs = levels((4, 6), [(16, 32), (8, 16)])
    assert not torch.allclose(plain.eval()(inputs), standardized.eval()(inputs))


def test_classifier_starts_small_and_whole_channels_are_dropped() -> None:
    torch.manual_seed(0)
    head = DAFormerHead((8, 8), 64, num_classes=19)
    head.init_weights()
    assert head.conv_seg.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert head.conv_seg.bias.abs().max().item() == 0.0
    assert isinstance(head.dropout, nn.Dropout2d)
    assert head.dropout.p == 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"align_corners": True}, "align_corners"),
        ({"dilations": ()}, "dilation"),
        ({"dilations": (0, 6)}, "dilation"),
        ({"in_channels": ()}, "at least one level"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(HeadError, match=message):
        DAFormerHead(**{"in_channels": (8, 8), "num_classes": 19, **arguments})
