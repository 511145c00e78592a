"""Patch features in the space of the texts: of open_clip's models and of MiniDrive's own tower."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from timm.layers import resample_abs_pos_embed
from torch import Tensor

from mmseg_ext.encoders.timm_tower import timm_tower
from mmseg_ext.encoders.weight_file import load_whole
from mmseg_ext.errors import EncoderError
from mmseg_ext.pretraining.text_tower import TextTower
from mmseg_ext.zero_shot.class_names import CLASS_NAMES, TEMPLATES
from mmseg_ext.zero_shot.dense_text import DenseText

NAMES = [name for names in CLASS_NAMES for name in names]
MADE_TEMPLATES = TEMPLATES[:2]
"""Those of them that the text towers made here were trained with."""
OWNERS = [train_id for train_id, names in enumerate(CLASS_NAMES) for _ in names]


def of_open_clip(clip: Any, tokenize: Any, test_cfg: Mapping[str, Any] | None = None) -> DenseText:
    """The zero-shot segmentor of a complete open_clip model, in evaluation mode.

    Args:
        clip: made by ``open_clip.create_model``; its position table is resampled to the images.
        tokenize: of ``open_clip.get_tokenizer``.
        test_cfg: see `DenseText`.

    Raises:
        EncoderError: its image tower is neither a plain transformer of open_clip nor of timm.
    """
    clip = clip.eval()
    with torch.no_grad():
        texts = torch.stack([
            F.normalize(clip.encode_text(tokenize([t.format(name) for name in NAMES])), dim=1)
            for t in TEMPLATES
        ]).mean(0)  # fmt: skip
    visual = clip.visual
    features: Callable[[Tensor], Tensor]
    if isinstance(visual, VisionTransformer) and visual.attn_pool is None:
        features, patch = partial(value_features, visual), visual.patch_size
    elif isinstance(visual, TimmModel) and _has_class_token(visual.trunk):
        features, patch = TokenFeatures(visual), visual.trunk.patch_embed.patch_size
    else:
        raise EncoderError(
            f"{type(visual).__name__}: patches of this image tower cannot be compared with texts; "
            "expected a plain vision transformer of open_clip or timm that ends in a class token"
        )
    return DenseText(
        features, texts, OWNERS, test_cfg=test_cfg, image_multiple=math.lcm(*patch), network=visual
    )


def _has_class_token(trunk: Any) -> bool:
    """Not where attention pools the patches: what comes out of it has passed further layers."""
    pooled = getattr(trunk, "attn_pool", None) is not None
    return bool(getattr(trunk, "num_prefix_tokens", 0)) and not pooled


def value_features(visual: VisionTransformer, images: Tensor) -> Tensor:
    """MaskCLIP's dense features (B, D, h, w): the last block's values, projected as its output.

    The attention of the last block, which gathers the whole image in the class token, is left out,
    and with it the block's shortcut and MLP (Zhou et al., 2022, section 3.2).
    """
    tokens = _embedded(visual, images)
    blocks = visual.transformer.resblocks
    for block in blocks[:-1]:
        tokens = block(tokens)
    last: Any = blocks[-1]
    attention, width = last.attn, last.attn.embed_dim
    values = F.linear(
        last.ln_1(tokens),
        attention.in_proj_weight[2 * width :],
        attention.in_proj_bias[2 * width :],
    )
    dense = visual.ln_post(attention.out_proj(values))[:, 1:] @ visual.proj
    return _as_map(dense, images, visual.patch_size)


def _embedded(visual: Any, images: Tensor) -> Tensor:
    """Tokens before the first block, the table of positions resampled to the images' grid."""
    grid = tuple(
        side // step for side, step in zip(images.shape[2:], visual.patch_size, strict=True)
    )
    native = tuple(visual.grid_size)
    if grid == native:
        return visual._embeds(images)
    own = visual.positional_embedding
    resampled = resample_abs_pos_embed(own[None], new_size=grid, old_size=native)[0]
    visual.positional_embedding = torch.nn.Parameter(resampled, requires_grad=False)
    try:
        return visual._embeds(images)
    finally:
        visual.positional_embedding = own


class TokenFeatures:
    """Patch tokens (B, D, h, w) of a timm tower through the head of its class token.

    Images of any size whose sides are multiples of the patch: the table of positions is resampled
    from the one that was trained, whatever sizes came before.
    """

    def __init__(self, visual: TimmModel) -> None:
        self.visual = visual
        trunk: Any = visual.trunk
        self._size, self._table = trunk.patch_embed.img_size, trunk.pos_embed

    def __call__(self, images: Tensor) -> Tensor:
        trunk: Any = self.visual.trunk
        size = tuple(images.shape[2:])
        if size != tuple(trunk.patch_embed.img_size):
            trunk.patch_embed.set_input_size(img_size=self._size)
            if self._table is not None:
                trunk.pos_embed = torch.nn.Parameter(self._table.to(images.device))
            trunk.set_input_size(img_size=size)
        tokens = trunk.forward_features(images)[:, trunk.num_prefix_tokens :]
        dense = self.visual.head(trunk.head(trunk.fc_norm(tokens)))
        return _as_map(dense, images, trunk.patch_embed.patch_size)


def of_region_text(
    backbone: Mapping[str, Any],
    folder: Path,
    embedding: int,
    test_cfg: Mapping[str, Any] | None = None,
) -> DenseText:
    """The zero-shot segmentor of what ``RegionTextContrast`` made in ``folder``.

    Args:
        backbone: configuration of the encoder, its ``pretrained`` being the recipe.
        folder: with ``weights``, ``projection`` and ``text``, each ``.safetensors``.
        embedding: length of the shared features, of the recipe.
        test_cfg: see `DenseText`.

    Raises:
        WeightsError: a file is missing or does not fit.
    """
    tower = timm_tower(backbone["model"], backbone.get("model_args"))
    tower.load(str(folder / "weights.safetensors"))
    network = tower.network.eval()
    projection = torch.nn.Linear(network.embed_dim, embedding, bias=False)
    text = TextTower(network.embed_dim, backbone["pretrained"]["text_layers"], embedding).eval()
    for module, name in ((projection, "projection"), (text, "text")):
        load_whole(module, folder / f"{name}.safetensors", lambda state: (state, "own"))

    def patch_features(images: Tensor) -> Tensor:
        tokens = network.forward_features(images)[:, network.num_prefix_tokens :]
        return _as_map(projection(tokens), images, network.patch_embed.patch_size)

    return DenseText(
        patch_features,
        text.prompts(NAMES, MADE_TEMPLATES),
        OWNERS,
        test_cfg=test_cfg,
        image_multiple=math.lcm(*network.patch_embed.patch_size),
        network=torch.nn.ModuleList([network, projection]),
    )


def _as_map(dense_bnd: Tensor, images: Tensor, patch: Sequence[int]) -> Tensor:
    return dense_bnd.transpose(1, 2).unflatten(2, _grid(images, patch))


def _grid(images: Tensor, patch: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of patches."""
    return images.shape[2] // patch[0], images.shape[3] // patch[1]
