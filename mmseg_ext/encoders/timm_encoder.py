"""Backbones by timm's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmseg_ext.encoders.timm_tower import timm_tower
from mmseg_ext.encoders.tower_encoder import TowerEncoder, split_pretrained
from mmseg_ext.errors import EncoderError
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class TimmEncoder(TowerEncoder):
    """A tower of timm: DINOv2, DINOv3, EVA02, ViT, SAM, ConvNeXt and others.

    Args:
        model: name of a timm model without a tag, such as ``vit_small_patch14_dinov2``.
        model_args: arguments of that model that differ from its definition (``embed_dim``,
            ``depth``, ``num_heads``, ``patch_size``, ``img_size``, ...). ``img_size`` is the size
            for which the position table is made, not a limit.
        pretrained: tag of timm's weights (``lvd142m``), a weight file, or ``None``.
        checkpoint: file with the weights of the tag ``pretrained``, instead of their hub.
        drop_path_rate: stochastic depth of the last block of the complete tower; it grows linearly
            from 0 at the first block.
        **options: of `TowerEncoder`.

    Raises:
        EncoderError: an argument does not fit; the message names it.
        WeightsError: the weights cannot be loaded whole.
    """

    def __init__(
        self,
        model: str,
        model_args: Mapping[str, Any] | None = None,
        *,
        pretrained: str | None = None,
        checkpoint: str | None = None,
        drop_path_rate: float = 0.0,
        **options: Any,
    ) -> None:
        if "." in model:
            raise EncoderError(
                f"model is {model!r}, expected a name without a tag; give the tag as pretrained"
            )
        tag, file = split_pretrained(pretrained)
        checkpoint = file if checkpoint is None else checkpoint
        tower = timm_tower(
            f"{model}.{tag}" if tag else model,
            model_args,
            drop_path_rate=drop_path_rate,
            weights_follow=checkpoint is not None,
        )
        super().__init__(tower, checkpoint, **options)
