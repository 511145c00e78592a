"""MiT, the encoder of SegFormer, with its ImageNet weights loaded whole."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn

from mmseg_ext.encoders.tower import IMAGENET, Tower, description
from mmseg_ext.encoders.weight_file import State, stripped
from mmseg_ext.errors import EncoderError, WeightsError
from mmseg_ext.registry import MODELS

# mmseg needs the operators that the registry's module provides: import it afterwards.
from mmseg.models.backbones import MixVisionTransformer  # isort: skip
from mmseg.models.backbones.mit import MixFFN  # isort: skip

# Width and blocks of each stage of the variants B0 to B5 (Xie et al., 2021, table 6).
_VARIANTS = {
    "b0": (32, (2, 2, 2, 2)),
    "b1": (64, (2, 2, 2, 2)),
    "b2": (64, (3, 4, 6, 3)),
    "b3": (64, (3, 4, 18, 3)),
    "b4": (64, (3, 8, 27, 3)),
    "b5": (64, (3, 6, 40, 3)),
}
_ORIGINAL = re.compile(r"(patch_embed|block|norm)(\d)\.(.+)")
_INNER = (
    ("mlp.fc1.", "ffn.layers.0."),
    ("mlp.dwconv.dwconv.", "ffn.layers.1."),
    ("mlp.fc2.", "ffn.layers.4."),
    ("attn.proj.", "attn.attn.out_proj."),
)


@MODELS.register_module()
class MixTransformer(MixVisionTransformer):
    """MMSegmentation's MiT with the constants of the original; outputs at strides 4, 8, 16, 32.

    Xie et al., "SegFormer", NeurIPS 2021 (NVlabs/SegFormer, mmseg/models/backbones/
    mix_transformer.py). MMSegmentation's class has no stochastic depth by default and an epsilon of
    1e-6 in all norms; the original has 0.1, and 1e-5 in the norms of patch embeddings and
    reduced keys. Level sizes are ceil(H / s). Attention runs fused: asking torch for the attention
    weights, as MMSegmentation does, only to drop them is slow. Feed-forward layers are
    `ChannelsLastFFN`.

    Args:
        variant: ``b0`` to ``b5``.
        pretrained: ``imagenet`` for the authors' weights, or ``None``. They have no address that
            a program can fetch: give ``checkpoint``.
        checkpoint: file with these weights, in the authors' or MMSegmentation's layout.
        drop_path_rate: stochastic depth of the last block; it grows linearly from 0.
        **options: of MMSegmentation's ``MixVisionTransformer``, such as ``with_cp``.

    Raises:
        EncoderError: there is no such variant.
        WeightsError: the weights cannot be loaded whole, or are asked for without a file.
    """

    image_statistics = IMAGENET

    def __init__(
        self,
        variant: str = "b5",
        *,
        pretrained: str | None = None,
        checkpoint: str | None = None,
        drop_path_rate: float = 0.1,
        **options: Any,
    ) -> None:
        if variant not in _VARIANTS or pretrained not in (None, "imagenet"):
            raise EncoderError(
                f"variant is {variant!r} and pretrained {pretrained!r}, expected one of "
                f"{', '.join(_VARIANTS)} and 'imagenet' or None"
            )
        width, depths = _VARIANTS[variant]
        super().__init__(
            embed_dims=width,
            num_layers=list(depths),
            num_heads=[1, 2, 5, 8],
            drop_path_rate=drop_path_rate,
            **options,
        )
        for name, module in self.named_modules():
            is_embedding = re.fullmatch(r"layers\.\d\.0\.norm", name)
            if isinstance(module, nn.LayerNorm) and (is_embedding or name.endswith("attn.norm")):
                module.eps = 1e-5
            if isinstance(module, nn.MultiheadAttention):
                module.register_forward_pre_hook(_without_weights, with_kwargs=True)
            if type(module) is MixFFN:
                module.__class__ = ChannelsLastFFN
        tower = Tower(
            name=f"mit_{variant}" + (f"/{pretrained}" if pretrained else ""),
            network=self,
            statistics=IMAGENET,
            convert=_arrange,
            download=(lambda: _no_address(variant)) if pretrained else None,
        )
        self.name, self.loaded = tower.name, tower.load(checkpoint)

    def describe(self) -> dict[str, Any]:
        """Facts about this encoder for a record, as JSON can hold them."""
        return description(self.name, self.loaded)

    def init_weights(self) -> None:
        """Draw random weights, unless pre-trained ones were loaded."""
        if self.loaded is None:
            super().init_weights()


class ChannelsLastFFN(MixFFN):  # type: ignore[misc]
    """MMSegmentation's ``MixFFN`` that copies nothing on the CPU.

    Tokens (N, h w, C) are a map (N, C, h, w) in channels-last layout as they lie in memory.
    ``MixFFN`` copies them to the other layout and back; its convolutions are no faster there.
    """

    def forward(
        self, x: Tensor, hw_shape: tuple[int, int], identity: Tensor | None = None
    ) -> Tensor:
        """Tokens (N, h w, C) of a map of size ``hw_shape``, with the shortcut added."""
        if x.device.type != "cpu":
            return super().forward(x, hw_shape, identity)  # type: ignore[no-any-return]
        map_bchw = x.unflatten(1, tuple(hw_shape)).permute(0, 3, 1, 2)
        out = self.layers(map_bchw).permute(0, 2, 3, 1).flatten(1, 2)
        return (x if identity is None else identity) + self.dropout_layer(out)  # type: ignore[no-any-return]


def _without_weights(
    _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, {**kwargs, "need_weights": False}


def _no_address(variant: str) -> Any:
    raise WeightsError(
        f"the ImageNet weights of MiT-{variant.upper()} (mit_{variant}.pth) are linked from the "
        "page of NVlabs/SegFormer and cannot be fetched by a program; download the file and give "
        "it as checkpoint, or set pretrained=None for random weights"
    )


def _arrange(state: State) -> tuple[State, str]:
    """Name the tensors of a file as MMSegmentation does; both layouts are known."""
    state = stripped(state, "backbone.") or state
    if any(key.startswith("layers.") for key in state):
        return state, "open-mmlab"
    renamed: State = {}
    for key, value in state.items():
        match = _ORIGINAL.fullmatch(key)
        if match is None:
            renamed[key] = value
            continue
        part, stage, rest = match[1], int(match[2]) - 1, match[3]
        if part == "block":
            for old, new in _INNER:
                rest = rest.replace(old, new)
            if rest.endswith(("ffn.layers.0.weight", "ffn.layers.4.weight")):
                value = value[:, :, None, None]  # a linear layer is a 1x1 convolution here
        rest = rest.replace("proj.", "projection.") if part == "patch_embed" else rest
        renamed[f"layers.{stage}.{('patch_embed', 'block', 'norm').index(part)}.{rest}"] = value
    return _with_joint_projections(renamed), "original"


def _with_joint_projections(state: State) -> State:
    """Queries (C, C), then keys and values (2C, C), become one input projection (3C, C)."""
    joint: State = {}
    for key, value in state.items():
        head, separator, kind = key.rpartition(".attn.q.")
        if separator and f"{head}.attn.kv.{kind}" in state:
            both = torch.cat([value, state[f"{head}.attn.kv.{kind}"]])
            joint[f"{head}.attn.attn.in_proj_{kind}"] = both
        elif ".attn.kv." not in key or key.replace(".kv.", ".q.") not in state:
            joint[key] = value
    return joint
