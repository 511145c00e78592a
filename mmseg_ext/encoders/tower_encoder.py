"""The adapter that makes a backbone with strides 4, 8, 16 and 32 of any library's tower."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.model import BaseModule
from timm.models import group_parameters
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from mmseg_ext.encoders.detail_stem import DetailStem
from mmseg_ext.encoders.pyramid import STRIDES, StageProjections, TokenPyramid
from mmseg_ext.encoders.tower import Tower, description
from mmseg_ext.encoders.tower_shape import (
    checked_channels,
    checked_layers,
    own_channels,
    patch_side,
    resample_patches,
    stages,
)
from mmseg_ext.encoders.weight_file import SUFFIXES
from mmseg_ext.errors import EncoderError, WeightsError

PatchFit = Literal["pad", "resize", "resample"]
PATCH_FITS = ("pad", "resize", "resample")


class TowerEncoder(BaseModule):
    """A tower as a backbone whose outputs cover an image of any size at exact strides.

    Plain vision transformers have one token for each patch; four of their block outputs go through
    a `TokenPyramid`. Towers whose stages have strides 4 to 32 already (ConvNeXt, ResNet) hand
    over their stages. The weights are loaded on construction, before anybody copies the network.

    Where the sides of an image are no multiples of the patch (512 and 14), ``patch_fit`` decides:
    ``pad`` adds zeros at the right and at the bottom up to whole patches; ``resize`` enlarges the
    image to whole patches (512 to 518); ``resample`` resamples the patch kernel once to the nearest
    power of two (14 to 16), which keeps the grid of the position table but changes what a token
    sees. With ``pad`` and ``resize`` an image of whole patches meets the untouched tower.

    Args:
        tower: the built network.
        checkpoint: weight file to load; see `Tower.load`.
        feature_layers: indices of four blocks, counted from 0, whose raw outputs become the levels
            4, 8, 16, 32; a block may serve several levels. Blocks after the last are dropped.
            By default the blocks at 1/4, 1/2, 3/4 and the end of the depth. ``None`` for stages.
        out_channels: channels of the outputs, one number or four; those of the tower by default.
            Stages are projected only if it is given.
        patch_fit: ``pad``, ``resize`` or ``resample``.
        frozen: ``"all"``, or how many blocks (stages) from the input stay as they are, together
            with what lies before them; 0 trains everything. Frozen parts are in evaluation mode.
        gradient_checkpointing: recompute the blocks in the backward pass to save memory.
        fused_attention: scaled-dot-product attention of torch; the same up to rounding.
        detail_stem: add a small convolutional stem on the image to the level of stride 4, for
            towers trained from scratch at low resolution; its channels must be a multiple of 8.
        init_cfg: of MMEngine; never applies to the tower.

    Raises:
        EncoderError: an argument does not fit the tower; the message names it.
        WeightsError: the weights cannot be loaded whole.
    """

    def __init__(
        self,
        tower: Tower,
        checkpoint: str | None = None,
        *,
        feature_layers: Sequence[int] | None = None,
        out_channels: int | Sequence[int] | None = None,
        patch_fit: PatchFit = "pad",
        frozen: int | Literal["all"] = 0,
        gradient_checkpointing: bool = False,
        fused_attention: bool = True,
        detail_stem: bool = False,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        network = tower.network
        if patch_fit not in PATCH_FITS:
            raise EncoderError(f"patch_fit is {patch_fit!r}, expected one of {PATCH_FITS}")
        self.loaded = tower.load(checkpoint)
        self.name, self.image_statistics = tower.name, tower.statistics
        self.patch_fit, self.frozen = patch_fit, frozen
        self.patch = patch_side(tower)
        self.feature_layers = checked_layers(tower, feature_layers)
        self._taken = sorted(set(self.feature_layers))
        if self.patch and patch_fit == "resample":
            self.patch = resample_patches(network, self.patch)
        network.prune_intermediate_layers(self._taken, prune_norm=True, prune_head=True)
        for module in network.modules():
            if hasattr(module, "fused_attn"):
                module.fused_attn = fused_attention
        # BaseModule.init_weights() descends into every child that has a method of that name and
        # timm's towers have one: without this mark it would draw pre-trained weights anew.
        network.is_init = True
        self.tower = network
        if gradient_checkpointing:
            self.checkpoint_activations()
        own = own_channels(tower, self.feature_layers)
        self.channels = own if out_channels is None else checked_channels(out_channels)
        self.pyramid: TokenPyramid | StageProjections | None = None
        if self.patch:
            self.pyramid = TokenPyramid(own[0], self.channels, self.patch)
        elif out_channels is not None:
            self.pyramid = StageProjections(own, self.channels)
        self.detail_stem = None
        if detail_stem:
            self.detail_stem = _detail_stem(self.channels[0])
        self._freeze()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Encode images (N, 3, H, W) to (N, C, ceil(H / s), ceil(W / s)) for s = 4, 8, 16, 32."""
        height, width = images.shape[-2:]
        maps = self.intermediates(images)
        outputs: tuple[Tensor, ...]
        if self.patch:
            assert self.pyramid is not None
            outputs = self.pyramid(maps, height, width, self._cell(height, width))
        else:
            cut = tuple(
                level[:, :, : math.ceil(height / s), : math.ceil(width / s)]
                for level, s in zip(maps, STRIDES, strict=True)
            )
            outputs = cut if self.pyramid is None else self.pyramid(cut)
        if self.detail_stem is None:
            return outputs
        return (outputs[0] + self.detail_stem(images), *outputs[1:])

    def intermediates(self, images: Tensor) -> list[Tensor]:
        """The tower's own maps (N, C, h, w) for each of ``feature_layers``, before the pyramid."""
        with torch.no_grad() if self.frozen == "all" else nullcontext():
            maps = self.tower.forward_intermediates(
                self._fitted(images),
                indices=self._taken,
                output_fmt="NCHW",
                intermediates_only=True,
            )
        by_layer = dict(zip(self._taken, maps, strict=True))
        return [by_layer[layer] for layer in self.feature_layers]

    def train(self, mode: bool = True) -> TowerEncoder:
        """Set the mode as usual, but keep frozen parts in evaluation mode."""
        super().train(mode)
        for part in self._frozen_parts():
            part.train(False)
        return self

    def checkpoint_activations(self) -> None:
        """Recompute the tower's blocks in the backward pass; timm's, not re-entrant.

        Raises:
            EncoderError: the tower cannot, or has batch norm, whose statistics would move twice.
        """
        if any(isinstance(module, _NormBase) for module in self.tower.modules()):
            raise EncoderError(
                f"gradient_checkpointing: {self.name} has batch norm, whose running statistics "
                "would move twice a step; leave it out"
            )
        try:
            self.tower.set_grad_checkpointing(True)
        except (AssertionError, AttributeError) as error:
            raise EncoderError(f"gradient_checkpointing: {self.name} has none") from error

    def parameter_depths(self) -> dict[str, int]:
        """Depth of every parameter of ``tower`` by name: 0 for what lies before the first block."""
        depths: dict[str, int] = group_parameters(
            self.tower, self.tower.group_matcher(coarse=True), reverse=True
        )
        return depths

    def describe(self) -> dict[str, Any]:
        """Facts about this encoder for a record, as JSON can hold them."""
        return {
            **description(self.name, self.loaded),
            "feature_layers": list(self.feature_layers),
            "patch": self.patch,
            "patch_fit": self.patch_fit if self.patch else None,
            "frozen": self.frozen,
        }

    def _multiple(self) -> int:
        return self.patch or STRIDES[-1]

    def _fitted(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        rows, columns = -height % self._multiple(), -width % self._multiple()
        if not rows and not columns:
            return images
        if self.patch and self.patch_fit == "resize":
            size = (height + rows, width + columns)
            return F.interpolate(images, size, mode="bilinear", align_corners=False)
        return F.pad(images, (0, columns, 0, rows))

    def _cell(self, height: int, width: int) -> tuple[float, float]:
        """Pixels of the image under one token."""
        assert self.patch is not None
        if self.patch_fit != "resize":
            return float(self.patch), float(self.patch)
        return (
            height / math.ceil(height / self.patch),
            width / math.ceil(width / self.patch),
        )

    def _freeze(self) -> None:
        depth = len(self.tower.blocks if self.patch else stages(self.tower))
        number = depth if self.frozen == "all" else self.frozen
        if type(number) is not int or not 0 <= number <= depth:
            raise EncoderError(f"frozen is {self.frozen!r}, expected 'all' or 0 to {depth}")
        for part in self._frozen_parts():
            part.requires_grad_(False)
        if self.frozen:
            # Tables and tokens are parameters of the tower itself.
            for parameter in self.tower.parameters(recurse=False):
                parameter.requires_grad_(False)

    def _frozen_parts(self) -> list[nn.Module]:
        if self.frozen == "all":
            return [self.tower]
        if not self.frozen:
            return []
        main = self.tower.blocks if self.patch else stages(self.tower)
        before = itertools.takewhile(lambda child: child is not main, self.tower.children())
        return [*before, *list(main)[: self.frozen]]


def split_pretrained(pretrained: str | None) -> tuple[str | None, str | None]:
    """Tag and file of ``pretrained``, which is the one or the other."""
    if pretrained is None:
        return None, None
    if not isinstance(pretrained, str) or not pretrained:
        raise WeightsError(
            f"pretrained is {pretrained!r}, expected the tag of weights, a file, or None for none"
        )
    if pretrained.lower().endswith(SUFFIXES) or os.sep in pretrained:
        return None, pretrained
    return pretrained, None


def _detail_stem(channels: int) -> DetailStem:
    if channels % 8:
        raise EncoderError(
            f"out_channels begins with {channels}, expected a multiple of 8 together with "
            "detail_stem"
        )
    return DetailStem(channels)
