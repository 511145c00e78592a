"""What an encoder costs: parameters and multiply-adds, counted without computing anything."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class EncoderCost:
    """Parameters in millions, and GMACs (10^9 multiply-adds) for one square image by its side."""

    parameters_m: float
    gmacs: dict[int, float]


def count(encoder: nn.Module, sides: tuple[int, ...] = (512, 1024)) -> EncoderCost:
    """Count the cost of ``encoder``, whose tensors are moved to the meta device and lost.

    A multiply-add is half of what torch's flop counter counts. Matrix products and convolutions
    are in it, norms and activations are not. Attention must not be fused (`TowerEncoder`'s
    ``fused_attention``), or the counter passes it by on the meta device.
    """
    parameters = sum(each.numel() for each in encoder.parameters())
    encoder = encoder.to("meta").eval()
    gmacs = {}
    for side in sides:
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            encoder(torch.zeros(1, 3, side, side, device="meta"))
        gmacs[side] = counter.get_total_flops() / 2e9
    return EncoderCost(parameters / 1e6, gmacs)
