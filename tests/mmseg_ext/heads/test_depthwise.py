from __future__ import annotations

import pytest
import torch
from torch import nn

from mmseg_ext.heads.depthwise import DilatedDepthwiseConv


@pytest.mark.parametrize("dilation", [1, 2, 3, 6, 18])
@pytest.mark.parametrize("size", [(16, 32), (5, 7), (1, 1)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_equals_the_convolution_of_torch(
    dilation: int, size: tuple[int, int], layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    ours = DilatedDepthwiseConv(6, dilation)
    plain = nn.Conv2d(6, 6, 3, padding=dilation, dilation=dilation, groups=6, bias=False)
    plain.load_state_dict(ours.state_dict())
    gradients = []
    for module in (ours, plain):
        x = torch.randn(2, 6, *size, generator=torch.Generator().manual_seed(1))
        x = x.contiguous(memory_format=layout).requires_grad_()
        y = module(x)
        (y * torch.linspace(0, 1, y.numel()).view_as(y)).sum().backward()
        gradients.append((y.detach(), x.grad, module.weight.grad))
    for actual, expected in zip(*gradients, strict=True):
        assert actual is not None
        assert expected is not None
        torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)
