"""What recipes have in common: their registry, what they return, and their learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.registry import Registry
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

PRETRAININGS = Registry(
    "pretraining",
    scope="mmseg_ext",
    locations=["mmseg_ext.pretraining.crop_classification", "mmseg_ext.pretraining.region_text"],
)
"""Recipes: built from their constants; ``train(backbone, progress)`` returns `Pretrained`."""

Progress = Callable[[int, int], None]
"""Called with the steps done and the steps in all."""


@dataclass(frozen=True)
class Pretrained:
    """What a recipe made.

    Attributes:
        weights: tensors of the encoder by name, as the encoder's ``checkpoint`` loads them.
        measured: scores on held-out scenes beside what chance would score, as JSON can hold them.
        beside: further networks by name, such as a text tower.
    """

    weights: Mapping[str, Tensor]
    measured: Mapping[str, Any]
    beside: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)


def warm_cosine(
    optimizer: torch.optim.Optimizer, warmup: int, iterations: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Linear warm-up, then half a cosine down to zero (Loshchilov and Hutter, SGDR, 2017)."""

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        share = (step - warmup) / max(1, iterations - warmup)
        return 0.5 * (1.0 + math.cos(math.pi * share))

    return LambdaLR(optimizer, factor)


def normalized(images_rgb: Tensor) -> Tensor:
    """Images (N, 3, H, W) in 0-255 with the mean and deviation of ImageNet, as the encoders get."""
    from mmseg_ext.encoders.tower import IMAGENET

    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (IMAGENET.mean, IMAGENET.std))
    return (images_rgb.float() - mean) / std
