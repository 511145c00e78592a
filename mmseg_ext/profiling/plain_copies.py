"""Copies of networks without what this package does for their speed."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from mmseg_ext.encoders.mix_transformer import ChannelsLastFFN
from mmseg_ext.heads.depthwise import DilatedDepthwiseConv


def plain_copy(network: nn.Module) -> Any:
    """A copy whose images lie channel by channel and whose convolutions are torch's own."""
    copied = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    for module in copied.modules():
        if isinstance(module, DilatedDepthwiseConv):
            module.__class__ = nn.Conv2d  # type: ignore[assignment]
        elif isinstance(module, ChannelsLastFFN):
            module.__class__ = ChannelsLastFFN.__base__
    return copied
