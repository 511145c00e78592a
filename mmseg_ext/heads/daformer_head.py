"""The context-aware decoder of DAFormer (Hoyer et al., CVPR 2022, section 3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from mmcv.cnn import ConvModule, build_norm_layer
from mmengine.model import kaiming_init
from torch import Tensor, nn

from mmseg_ext.encoders.standardized_conv import StandardizedConv
from mmseg_ext.errors import ExtensionError
from mmseg_ext.heads.depthwise import DilatedDepthwiseConv
from mmseg_ext.registry import MODELS

# mmseg needs the operators that the registry's module provides: import it afterwards.
from mmseg.models.decode_heads.decode_head import BaseDecodeHead  # isort: skip


class HeadError(ExtensionError):
    """A decoder head that cannot be built from its configuration: names the argument at fault."""


@MODELS.register_module()
class DAFormerHead(BaseDecodeHead):
    """Fuses all levels of an encoder and looks at them with several dilations at once.

    Each level is embedded linearly (no norm, no activation), enlarged to the size of the first
    one and concatenated. One convolution per dilation, depth-wise separable except for dilation 1,
    reads the stack; their outputs are concatenated, fused by a 3x3 convolution and classified.
    There is no image-level pooling branch. Logits come at the first level's size.

    Args:
        in_channels: channels of the encoder's levels, finest first.
        channels: width of every layer of the head.
        dilations: of the parallel convolutions; 1 is a point-wise one.
        norm_cfg: norm after every convolution, batch norm unless given.
        standardize: whether the point-wise and 3x3 convolutions between the embeddings and the
            classifier standardise their weights, for use with group norm; the paper's do not.
        **options: further arguments of MMSegmentation's ``BaseDecodeHead``, such as
            ``num_classes`` (required), ``dropout_ratio`` (0.1) or ``loss_decode``.

    Raises:
        HeadError: if ``align_corners`` is set, or there are no dilations or no levels.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int = 256,
        *,
        dilations: Sequence[int] = (1, 6, 12, 18),
        norm_cfg: Mapping[str, Any] | None = None,
        standardize: bool = False,
        **options: Any,
    ) -> None:
        if options.get("align_corners", False):
            raise HeadError(
                "align_corners is set, expected false: levels whose sizes halve are aligned by "
                "their cells, not by their corners; remove the argument"
            )
        if not in_channels or not dilations or min(dilations) < 1:
            raise HeadError(
                f"in_channels is {list(in_channels)} and dilations {list(dilations)}, "
                "expected at least one level and at least one dilation, none below 1"
            )
        super().__init__(
            list(in_channels),
            channels,
            in_index=list(range(len(in_channels))),
            input_transform="multiple_select",
            norm_cfg=dict(norm_cfg or {"type": "BN"}),
            conv_cfg={"type": StandardizedConv} if standardize else None,
            **options,
        )
        self.embeddings = nn.ModuleList(nn.Linear(c, channels) for c in in_channels)
        stacked = len(in_channels) * channels
        self.branches = nn.ModuleList(self._branch(stacked, d) for d in dilations)
        self.bottleneck = self._conv(len(dilations) * channels, kernel=3)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Map the encoder's levels to logits (N, num_classes, h, w) of the first level's size."""
        with in_fp32(inputs) as levels:
            stack = stack_levels(self.embeddings, levels)
            views = torch.cat([branch(stack) for branch in self.branches], dim=1)
            return self.cls_seg(self.bottleneck(views))  # type: ignore[no-any-return]

    def _branch(self, inputs: int, dilation: int) -> nn.Module:
        if dilation == 1:
            return self._conv(inputs, kernel=1)
        depthwise = DilatedDepthwiseConv(inputs, dilation)
        kaiming_init(depthwise)
        norm = build_norm_layer(self.norm_cfg, inputs)[1]
        return nn.Sequential(depthwise, norm, nn.ReLU(inplace=True), self._conv(inputs, kernel=1))

    def _conv(self, inputs: int, kernel: int) -> nn.Module:
        return ConvModule(  # type: ignore[no-any-return]
            inputs,
            self.channels,
            kernel,
            padding=kernel // 2,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
        )


@contextmanager
def in_fp32(levels: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """The levels in fp32, autocast off: an encoder may run in bf16, logits are made in fp32."""
    with torch.autocast(levels[0].device.type, enabled=False):
        yield [level.float() for level in levels]


def stack_levels(embeddings: nn.ModuleList, levels: Sequence[Tensor]) -> Tensor:
    """Embed each level linearly, enlarge it to the size of the first one and concatenate them."""
    size = levels[0].shape[2:]
    embedded = []
    for embedding, level in zip(embeddings, levels, strict=True):
        x = embedding(level.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        if x.shape[2:] != size:
            x = F.interpolate(x, size, mode="bilinear", align_corners=False)
        embedded.append(x)
    return torch.cat(embedded, dim=1)
