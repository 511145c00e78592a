"""Patch features in the space of the texts: of open_clip's models and of MiniDrive's own tower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from torch import Tensor

from mmseg_ext.encoders.timm_tower import timm_tower
from mmseg_ext.encoders.weight_file import load_whole
from mmseg_ext.errors import EncoderError
from mmseg_ext.pretraining.text_tower import TextTower
from mmseg_ext.zero_shot.class_names import CLASS_NAMES, TEMPLATES
from mmseg_ext.zero_shot.dense_text import DenseText

NAMES = [name for names in CLASS_NAMES for name in names]
OWNERS = [train_id for train_id, names in enumerate(CLASS_NAMES) for _ in names]


def of_open_clip(clip: Any, tokenize: Any) -> DenseText:
    """The zero-shot segmentor of a complete open_clip model, in evaluation mode.

    Args:
        clip: made by ``open_clip.create_model``, with ``force_image_size`` the size of the images.
        tokenize: of ``open_clip.get_tokenizer``.

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
    if isinstance(visual, VisionTransformer) and visual.attn_pool is None:
        return DenseText(lambda images: value_features(visual, images), texts, OWNERS)
    if isinstance(visual, TimmModel) and hasattr(visual.trunk, "num_prefix_tokens"):
        return DenseText(lambda images: token_features(visual, images), texts, OWNERS)
    raise EncoderError(
        f"{type(visual).__name__}: patches of this image tower cannot be compared with texts; "
        "expected a plain vision transformer of open_clip or timm"
    )


def value_features(visual: VisionTransformer, images: Tensor) -> Tensor:
    """MaskCLIP's dense features (B, D, h, w): the last block's values, projected as its output.

    The attention of the last block, which gathers the whole image in the class token, is left out,
    and with it the block's shortcut and MLP (Zhou et al., 2022, section 3.2).
    """
    tokens = visual._embeds(images)
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


def token_features(visual: TimmModel, images: Tensor) -> Tensor:
    """Patch tokens (B, D, h, w) of a timm tower through the head of its class token."""
    trunk: Any = visual.trunk
    tokens = trunk.forward_features(images)[:, trunk.num_prefix_tokens :]
    dense = visual.head(trunk.head(trunk.fc_norm(tokens)))
    return _as_map(dense, images, trunk.patch_embed.patch_size)


def of_region_text(backbone: Mapping[str, Any], folder: Path, embedding: int) -> DenseText:
    """The zero-shot segmentor of what ``RegionTextContrast`` made in ``folder``.

    Args:
        backbone: configuration of the encoder, its ``pretrained`` being the recipe.
        folder: with ``weights``, ``projection`` and ``text``, each ``.safetensors``.
        embedding: length of the shared features, of the recipe.

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

    return DenseText(patch_features, text.prompts(NAMES, TEMPLATES[:2]), OWNERS)


def _as_map(dense_bnd: Tensor, images: Tensor, patch: Sequence[int]) -> Tensor:
    rows, columns = (side // step for side, step in zip(images.shape[2:], patch, strict=True))
    return dense_bnd.transpose(1, 2).unflatten(2, (rows, columns))
