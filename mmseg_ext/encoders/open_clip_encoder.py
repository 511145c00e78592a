"""Backbones by open_clip's names, EVA02-CLIP among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmseg_ext.encoders.open_clip_tower import open_clip_tower
from mmseg_ext.encoders.tower_encoder import TowerEncoder, split_pretrained
from mmseg_ext.errors import EncoderError
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class OpenClipEncoder(TowerEncoder):
    """The image tower of an open_clip model: CLIP, SigLIP2, EVA02-CLIP, ConvNeXt-CLIP and others.

    Args:
        model: name of an open_clip model, such as ``ViT-B-16``.
        model_args: arguments of the tower that differ from its definition, in timm's names.
        pretrained: tag of open_clip's weights (``laion2b_s34b_b88k``), a weight file, or ``None``.
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
        tag, file = split_pretrained(pretrained)
        checkpoint = file if checkpoint is None else checkpoint
        tower = open_clip_tower(
            model,
            tag,
            model_args,
            drop_path_rate=drop_path_rate,
            weights_follow=checkpoint is not None,
        )
        super().__init__(tower, checkpoint, **options)


@MODELS.register_module()
class EVA02CLIP(OpenClipEncoder):
    """EVA02-CLIP, the vision-language encoder of arXiv 2411.16407.

    Sun et al., "EVA-CLIP: Improved Training Techniques for CLIP at Scale", 2023
    (baaivision/EVA, EVA-CLIP); Fang et al., "EVA-02", 2023. Its blocks have rotary positions beside
    a learned table, SwiGLU, and layer norms inside attention and MLP; all of them are loaded.

    Args:
        model: an EVA02 model of open_clip.
        pretrained: tag, weight file (open_clip's, timm's or EVA-CLIP's own layout), or ``None``.
        **options: of `OpenClipEncoder`.

    Raises:
        EncoderError: an argument does not fit; the message names it.
        WeightsError: the weights cannot be loaded whole.
    """

    def __init__(
        self, model: str = "EVA02-L-14", *, pretrained: str | None = None, **options: Any
    ) -> None:
        if not model.startswith("EVA02-"):
            raise EncoderError(
                f"model is {model!r}, expected an EVA02 model such as 'EVA02-L-14'; "
                "OpenClipEncoder builds the others"
            )
        super().__init__(model, pretrained=pretrained, **options)
