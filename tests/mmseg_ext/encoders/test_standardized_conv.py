from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812

from mmseg_ext.encoders import StandardizedConv


def test_filters_act_with_zero_mean_and_unit_variance() -> None:
    torch.manual_seed(0)
    conv = StandardizedConv(4, 6, 3, stride=2, padding=1)
    with torch.no_grad():
        conv.weight.mul_(3.0).add_(0.5)
    flat = conv.weight.flatten(1)
    standard = (flat - flat.mean(1, keepdim=True)) / flat.std(1, correction=0, keepdim=True)
    x = torch.randn(2, 4, 9, 8)
    expected = F.conv2d(x, standard.view_as(conv.weight), conv.bias, stride=2, padding=1)
    torch.testing.assert_close(conv(x), expected, atol=1e-4, rtol=1e-4)


def test_the_size_of_the_weights_has_no_gradient() -> None:
    torch.manual_seed(0)
    conv = StandardizedConv(4, 6, 3, bias=False)
    conv(torch.randn(2, 4, 8, 8)).square().sum().backward()
    gradient = conv.weight.grad
    assert gradient is not None
    assert gradient.abs().max() > 0
    along = (gradient * conv.weight.detach()).sum((1, 2, 3))
    assert along.abs().max() < 1e-2 * gradient.abs().max()


def test_keeps_the_memory_layout_of_its_input() -> None:
    conv = StandardizedConv(4, 6, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.randn(2, 4, 8, 8).to(memory_format=torch.channels_last)
    y = conv(x)
    assert y.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y, conv.to(memory_format=torch.contiguous_format)(x.contiguous()))
