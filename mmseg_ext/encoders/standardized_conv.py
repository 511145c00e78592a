"""Convolution with standardised weights, the partner of group norm."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

_GROUPS = 8


class StandardizedConv(nn.Conv2d):
    """A convolution whose filters are brought to zero mean and unit variance in every forward pass.

    Qiao et al., "Micro-Batch Training with Batch-Channel Normalization and Weight
    Standardization", 2019, section 3, who propose it with group norm for batches too small for
    batch norm. It must be followed by a norm, which sets the scale again.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve a map (N, in_channels, h, w)."""
        # Standardising a filter is a layer norm of it, which has a fast fused kernel. Filters are
        # flattened in the order they have in memory, so that nothing is copied.
        last = self.weight.is_contiguous(memory_format=torch.channels_last)
        filters = self.weight.permute(0, 2, 3, 1) if last else self.weight
        weight = F.layer_norm(filters, filters.shape[1:], eps=1e-6)
        weight = weight.permute(0, 3, 1, 2) if last else weight
        output: Tensor = self._conv_forward(x, weight, self.bias)
        return output


def conv_and_norm(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A standardised convolution that keeps the size (but for its stride), and its group norm.

    The filters are drawn after He et al. (2015); ``outputs`` must be a multiple of 8.
    """
    conv = StandardizedConv(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.GroupNorm(_GROUPS, outputs))
