"""The scale attention of HRDA (Hoyer et al., ECCV 2022, section 3.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmseg_ext.encoders.standardized_conv import StandardizedConv
from mmseg_ext.heads.daformer_head import HeadError, in_fp32, stack_levels
from mmseg_ext.registry import MODELS

# mmseg needs the operators that the registry's module provides: import it afterwards.
from mmseg.models.decode_heads.decode_head import BaseDecodeHead  # isort: skip


@MODELS.register_module()
class ScaleAttentionHead(BaseDecodeHead):
    """Says where the detail crop is to be trusted more than its context.

    The levels are embedded and stacked as in `DAFormerHead`, fused by a point-wise convolution and
    classified; there is no dilated context (lhoyer/HRDA, mmseg/models/decode_heads/hrda_head.py).
    The outputs are logits; HRDA takes their sigmoid.

    Args:
        in_channels: channels of the encoder's levels, finest first.
        channels: width of the head.
        num_classes: classes of the segmentation.
        classwise: one attention map a class as in the paper, or one for all classes.
        norm_cfg: norm after the convolution, batch norm unless given.
        standardize: whether the convolution standardises its weights, for use with group norm.
        **options: further arguments of MMSegmentation's ``BaseDecodeHead``.

    Raises:
        HeadError: if there are no levels.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int = 256,
        *,
        num_classes: int,
        classwise: bool = True,
        norm_cfg: Mapping[str, Any] | None = None,
        standardize: bool = False,
        **options: Any,
    ) -> None:
        if not in_channels:
            raise HeadError("in_channels is empty, expected at least one level of the encoder")
        super().__init__(
            list(in_channels),
            channels,
            num_classes=num_classes,
            out_channels=num_classes if classwise else 1,
            threshold=0.5,  # wanted for a single output, never used
            in_index=list(range(len(in_channels))),
            input_transform="multiple_select",
            norm_cfg=dict(norm_cfg or {"type": "BN"}),
            conv_cfg={"type": StandardizedConv} if standardize else None,
            **options,
        )
        self.embeddings = nn.ModuleList(nn.Linear(c, channels) for c in in_channels)
        self.fusion = ConvModule(
            len(in_channels) * channels,
            channels,
            1,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Map the encoder's levels to (N, num_classes or 1, h, w) at the first level's size."""
        with in_fp32(inputs) as levels:
            return self.cls_seg(self.fusion(stack_levels(self.embeddings, levels)))  # type: ignore[no-any-return]
