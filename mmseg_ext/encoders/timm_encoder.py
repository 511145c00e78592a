"""One adapter for every plain vision transformer of timm, EVA02-CLIP among them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import timm
import torch.nn.functional as F  # noqa: N812
from mmengine.model import BaseModule
from torch import Tensor

from mmseg_ext.encoders.detail_stem import DetailStem
from mmseg_ext.encoders.pyramid import STRIDES, TokenPyramid
from mmseg_ext.errors import ExtensionError
from mmseg_ext.registry import MODELS

# Set by the adapter itself, so a configuration must not set them a second time.
_RESERVED = ("pretrained", "num_classes", "dynamic_img_size", "drop_path_rate")


class EncoderError(ExtensionError):
    """An encoder that cannot be built from its configuration: names the argument at fault."""


@MODELS.register_module()
class TimmEncoder(BaseModule):
    """A timm transformer with a pyramid neck, as a backbone at strides 4, 8, 16 and 32.

    The tower takes images of any size: its absolute position table is interpolated and its rotary
    embedding is rescaled to the grid of its pre-training (both by timm). Images are padded with
    zeros at the right and at the bottom to whole patches; the outputs cover the unpadded image.

    Args:
        model: name of a timm model with tokens of one size throughout, such as
            ``eva02_base_patch16_clip_224``.
        model_args: arguments of that model that differ from its definition (``embed_dim``,
            ``depth``, ``num_heads``, ``patch_size``, ``img_size``, ...). ``img_size`` is the size
            for which the position table is made, not a limit.
        feature_layers: indices of four blocks, counted from 0, whose raw outputs become the levels
            4, 8, 16, 32; a block may serve several levels. Blocks after the last are not built.
        out_channels: channels of the outputs, one number or four; the tower's width if left out.
        drop_path_rate: stochastic depth of the last block of the complete tower; it grows linearly
            from 0 at the first block.
        gradient_checkpointing: recompute the blocks in the backward pass to save memory.
        detail_stem: add a small convolutional stem on the image to the level of stride 4, for
            towers trained from scratch at low resolution; its channels must be a multiple of 8.
        init_cfg: of MMEngine; never applies to the tower, which timm initialises.

    Raises:
        EncoderError: for an unknown model, one that is not a plain transformer, or arguments
            that do not fit it.
    """

    def __init__(
        self,
        model: str,
        model_args: Mapping[str, Any] | None = None,
        *,
        feature_layers: Sequence[int],
        out_channels: int | Sequence[int] | None = None,
        drop_path_rate: float = 0.0,
        gradient_checkpointing: bool = False,
        detail_stem: bool = False,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        tower = _tower(model, dict(model_args or {}), drop_path_rate)
        self.feature_layers = _checked_layers(model, feature_layers, len(tower.blocks))
        self._blocks = sorted(set(self.feature_layers))
        tower.prune_intermediate_layers(self._blocks, prune_norm=True, prune_head=True)
        tower.set_grad_checkpointing(gradient_checkpointing)
        # BaseModule.init_weights() descends into every child that has a method of that name and
        # timm's towers have one: without this mark it would draw pre-trained weights anew.
        tower.is_init = True
        self.tower = tower
        self.channels = _checked_channels(out_channels, int(tower.embed_dim))
        self.patch: int = tower.patch_embed.patch_size[0]
        self.pyramid = TokenPyramid(int(tower.embed_dim), self.channels, self.patch)
        if detail_stem and self.channels[0] % 8:
            raise EncoderError(
                f"out_channels begins with {self.channels[0]}, expected a multiple of 8 "
                "together with detail_stem"
            )
        self.detail_stem = DetailStem(self.channels[0]) if detail_stem else None

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Encode images (N, 3, H, W) to (N, C, ceil(H / s), ceil(W / s)) for s = 4, 8, 16, 32."""
        height, width = images.shape[-2:]
        padded = F.pad(images, (0, -width % self.patch, 0, -height % self.patch))
        rows, columns = (n // self.patch for n in padded.shape[-2:])
        tokens = self.tower.forward_intermediates(
            padded,
            indices=self._blocks,
            output_fmt="NLC",
            intermediates_only=True,
        )
        maps = {
            block: t.unflatten(1, (rows, columns)).permute(0, 3, 1, 2)
            for block, t in zip(self._blocks, tokens, strict=True)
        }
        levels = [maps[block] for block in self.feature_layers]
        outputs: tuple[Tensor, ...] = self.pyramid(levels, height, width)
        if self.detail_stem is None:
            return outputs
        return (outputs[0] + self.detail_stem(images), *outputs[1:])


def _tower(name: str, model_args: dict[str, Any], drop_path_rate: float) -> Any:
    """Build the tower without classifier; timm has initialised it when this returns."""
    reserved = sorted(set(model_args) & set(_RESERVED))
    if reserved:
        raise EncoderError(
            f"model_args of {name!r} must not hold {', '.join(reserved)}: "
            "the encoder sets these itself; remove them"
        )
    if not timm.is_model(name):
        raise EncoderError(
            f"timm has no model {name!r}; `timm.list_models('*eva02*')` lists those of a family"
        )
    try:
        tower: Any = timm.create_model(
            name,
            pretrained=False,
            num_classes=0,
            dynamic_img_size=True,
            drop_path_rate=drop_path_rate,
            **model_args,
        )
    except (TypeError, ValueError, AssertionError) as error:
        raise EncoderError(
            f"timm cannot build {name!r} with model_args {model_args}: {error}; expected a plain "
            "vision transformer that takes dynamic_img_size"
        ) from error
    needed = ("blocks", "embed_dim", "forward_intermediates", "prune_intermediate_layers")
    lacking = [attribute for attribute in needed if not hasattr(tower, attribute)]
    if lacking:
        raise EncoderError(
            f"timm model {name!r} is no plain vision transformer (it lacks {', '.join(lacking)}); "
            "choose one with tokens of one size throughout, such as eva02_* or vit_*"
        )
    rows, columns = tower.patch_embed.patch_size
    if rows != columns:
        raise EncoderError(f"patches of {name!r} are {rows}x{columns}, expected square ones")
    return tower


def _checked_layers(name: str, layers: Sequence[int], depth: int) -> tuple[int, ...]:
    chosen = tuple(layers)
    ascending = all(a <= b for a, b in itertools.pairwise(chosen))
    if len(chosen) != len(STRIDES) or not ascending or chosen[0] < 0 or chosen[-1] >= depth:
        raise EncoderError(
            f"feature_layers of {name!r} is {list(chosen)}, expected {len(STRIDES)} indices "
            f"of its {depth} blocks, from 0 to {depth - 1} and none below the one before it"
        )
    return chosen


def _checked_channels(channels: int | Sequence[int] | None, width: int) -> tuple[int, ...]:
    if channels is None:
        return (width,) * len(STRIDES)
    chosen = (channels,) * len(STRIDES) if isinstance(channels, int) else tuple(channels)
    if len(chosen) != len(STRIDES) or min(chosen) < 1:
        raise EncoderError(
            f"out_channels is {channels!r}, expected one positive number or {len(STRIDES)} of them"
        )
    return chosen
