"""A residual network small enough to train on one CPU core within a minute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch.nn.functional as F  # noqa: N812
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_ext.encoders.standardized_conv import conv_and_norm
from mmseg_ext.encoders.tower import description
from mmseg_ext.encoders.weight_file import load_whole
from mmseg_ext.registry import MODELS


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with group norm and a shortcut (He et al., 2016, figure 2)."""

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.first = conv_and_norm(in_channels, channels, 3, stride)
        self.second = conv_and_norm(channels, channels, 3)
        same = in_channels == channels and stride == 1
        self.shortcut = nn.Identity() if same else conv_and_norm(in_channels, channels, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, h, w) to (N, channels, ceil(h / stride), ceil(w / stride))."""
        residual = self.second(F.relu(self.first(x), inplace=True))
        return F.relu(residual + self.shortcut(x), inplace=True)


@MODELS.register_module()
class ResNetMini(BaseModule):
    """Stem and four residual stages; outputs at strides 4, 8, 16 and 32.

    Group norm and standardised weights in place of batch norm: target images that merely pass
    through batch norm already shift its statistics, which looks like adaptation.

    Args:
        stem: channels of the two stem convolutions, the first with stride 2.
        stages: channels of the four stages, each a multiple of 8.
        blocks: residual blocks of the four stages.
        pretrained: ``None``; a fragment's recipe is replaced by the file that it made.
        checkpoint: file with all of the network's weights, instead of random ones.
        init_cfg: of MMEngine; the network is initialised (He et al., 2015) on construction.

    Raises:
        WeightsError: the weights cannot be loaded whole.
    """

    strides = (4, 8, 16, 32)

    def __init__(
        self,
        stem: int = 24,
        stages: Sequence[int] = (48, 96, 128, 128),
        blocks: Sequence[int] = (1, 1, 2, 1),
        pretrained: None = None,
        checkpoint: str | None = None,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        self.channels = tuple(stages)
        self.stem = nn.Sequential(
            conv_and_norm(3, stem, 3, stride=2),
            nn.ReLU(inplace=True),
            conv_and_norm(stem, stem, 3),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.ModuleList()
        width = stem
        for channels, count in zip(stages, blocks, strict=True):
            stage = [ResidualBlock(width, channels, stride=2)]
            stage += [ResidualBlock(channels, channels) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(*stage))
            width = channels
        self.loaded = None
        if checkpoint is not None:
            self.loaded = load_whole(self, Path(checkpoint), lambda state: (state, "own"))

    def describe(self) -> dict[str, Any]:
        """Facts about this encoder for a record, as JSON can hold them."""
        return description(type(self).__name__, self.loaded)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Encode images (N, 3, H, W) to four maps at ``strides``, sizes rounded up."""
        x = self.stem(images)
        outputs = []
        for stage in self.stages:
            x = stage(x)
            outputs.append(x)
        return tuple(outputs)
