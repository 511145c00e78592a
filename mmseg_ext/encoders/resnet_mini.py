"""A residual network small enough to train on one CPU core within a minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F  # noqa: N812
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.registry import MODELS

GROUPS = 8


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with group norm and a shortcut (He et al., 2016, figure 2)."""

    def __init__(self, in_channels: int, channels: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.first = _conv(in_channels, channels, 3, stride, dilation)
        self.second = _conv(channels, channels, 3, 1, dilation)
        same = in_channels == channels and stride == 1
        self.shortcut = nn.Identity() if same else _conv(in_channels, channels, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, h, w) to (N, channels, ceil(h / stride), ceil(w / stride))."""
        residual = self.second(F.relu(self.first(x), inplace=True))
        return F.relu(residual + self.shortcut(x), inplace=True)


@MODELS.register_module()
class ResNetMini(BaseModule):
    """Stem and four residual stages; outputs at strides 4, 8, 8 and 8.

    As in the ResNet-101 that DAFormer's authors use, stages 3 and 4 keep stride 8 and widen their
    view by dilations 2 and 4 instead. Group norm in place of batch norm: target images that merely
    pass through batch norm already shift its statistics, which looks like adaptation.

    Args:
        stem: channels of the two stem convolutions, the first with stride 2.
        stages: channels of the four stages, each a multiple of 8.
        blocks: residual blocks of the four stages.
        init_cfg: of MMEngine; the network is initialised (He et al., 2015) on construction.
    """

    strides = (4, 8, 8, 8)

    def __init__(
        self,
        stem: int = 24,
        stages: Sequence[int] = (48, 96, 128, 128),
        blocks: Sequence[int] = (1, 2, 1, 1),
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        self.channels = tuple(stages)
        self.stem = nn.Sequential(
            _conv(3, stem, 3, stride=2),
            nn.ReLU(inplace=True),
            _conv(stem, stem, 3),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.ModuleList()
        width = stem
        for channels, count, stride, dilation in zip(
            stages, blocks, (2, 2, 1, 1), (1, 1, 2, 4), strict=True
        ):
            stage = [ResidualBlock(width, channels, stride, dilation)]
            stage += [ResidualBlock(channels, channels, 1, dilation) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(*stage))
            width = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Encode images (N, 3, H, W) to four maps at ``strides``, sizes rounded up."""
        x = self.stem(images)
        outputs = []
        for stage in self.stages:
            x = stage(x)
            outputs.append(x)
        return tuple(outputs)


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    padding = kernel // 2 * dilation
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False),
        nn.GroupNorm(GROUPS, outputs),
    )
