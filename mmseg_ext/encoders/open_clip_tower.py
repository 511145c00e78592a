"""Image towers of open_clip, by its names of models and weights.

open_clip builds a whole CLIP with its text tower and fixes the image size. Here the image tower
alone is built as the timm network that it is, or, for open_clip's own vision transformer and
ResNet, as the timm network that computes the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import open_clip
from open_clip.model import CLIPVisionCfg
from timm.models import byobnet
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from mmseg_ext.encoders import timm_tower
from mmseg_ext.encoders.tower import ImageStatistics, Tower, common_statistics
from mmseg_ext.encoders.weight_file import State, stripped
from mmseg_ext.errors import EncoderError, WeightsError

# Options of open_clip's vision transformer that timm's has no equal of.
_UNSUPPORTED = (
    "block_type", "qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn_inner",
    "scale_attn", "scale_fc", "attentional_pool",
)  # fmt: skip
_RENAMED = (
    ("conv1.", "patch_embed.proj."), ("positional_embedding", "pos_embed"),
    ("class_embedding", "cls_token"), ("transformer.resblocks.", "blocks."),
    ("ln_pre.", "norm_pre."), ("ln_post.", "norm."), ("ln_1.", "norm1."), ("ln_2.", "norm2."),
    ("in_proj_", "qkv."), ("out_proj.", "proj."), ("mlp.c_fc.", "mlp.fc1."),
    ("mlp.c_proj.", "mlp.fc2."), ("ls_1.", "ls1."), ("ls_2.", "ls2."),
)  # fmt: skip


def open_clip_tower(
    model: str,
    tag: str | None = None,
    model_args: Mapping[str, Any] | None = None,
    *,
    drop_path_rate: float = 0.0,
    weights_follow: bool = False,
) -> Tower:
    """Build the image tower of an open_clip model, randomly initialised.

    Args:
        model: name of an open_clip model, such as ``EVA02-L-14``.
        tag: of its weights, such as ``merged2b_s4b_b131k``; ``None`` for none.
        model_args: arguments of the network that differ from its definition.
        drop_path_rate: stochastic depth of the last block.
        weights_follow: a file of weights will be loaded although there is no tag.

    Raises:
        EncoderError: there is no such model, or its tower has a part that is not supported.
        WeightsError: the tag is unknown, or it is needed to know the image statistics.
    """
    # Asked first: open_clip looks for names of hubs on the network.
    config = open_clip.get_model_config(model) if model in open_clip.list_models() else None
    if config is None:
        raise EncoderError(
            f"open_clip has no model {model!r}; `open_clip.list_models()` lists what there is"
        )
    tags = {each: _weights_config(model, each) for each in _tags(model)}
    if tag is not None and not tags.get(_clean(tag)):
        raise WeightsError(
            f"open_clip has no weights {tag!r} of {model!r}; it has {', '.join(tags) or 'none'}"
        )
    chosen = tags[_clean(tag)] if tag is not None else {}
    if chosen:
        statistics = ImageStatistics.of_unit_range(chosen["mean"], chosen["std"])
    else:
        pairs = {each: (cfg["mean"], cfg["std"]) for each, cfg in tags.items()}
        own = {"": (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)}
        statistics = common_statistics(model, pairs or own, needed=weights_follow)
    # The activation belongs to the weights: open_clip itself only warns where a name disagrees.
    quick = bool(config.get("quick_gelu") or chosen.get("quick_gelu") or tag == "openai")
    vision = _vision_config(model, config)
    network = _network(model, vision, quick, dict(model_args or {}), drop_path_rate)
    own_kind = vision.timm_model_name is None and not isinstance(vision.layers, (list, tuple))
    return Tower(
        name=f"open_clip:{model}" + (f"/{tag}" if tag else ""),
        network=network,
        statistics=statistics,
        convert=partial(_arrange, network=network, own_kind=own_kind),
        download=(lambda: _download(model, tag)) if tag else None,
    )


def _clean(tag: str) -> str:
    return tag.lower().replace("-", "_")


def _tags(model: str) -> list[str]:
    return [str(tag) for tag in open_clip.list_pretrained_tags_by_model(model)]


def _weights_config(model: str, tag: str) -> dict[str, Any]:
    return dict(open_clip.get_pretrained_cfg(model, tag))


def _vision_config(model: str, config: Mapping[str, Any]) -> CLIPVisionCfg:
    known = inspect.signature(CLIPVisionCfg).parameters
    unknown = sorted(set(config["vision_cfg"]) - set(known))
    if unknown:
        raise EncoderError(
            f"the image tower of {model!r} has options that are not supported: {', '.join(unknown)}"
        )
    return CLIPVisionCfg(**config["vision_cfg"])


def _network(
    model: str, vision: CLIPVisionCfg, quick: bool, model_args: dict[str, Any], drop_path: float
) -> Any:
    if vision.timm_model_name is not None:
        # open_clip's timm towers keep GELU whatever quick_gelu says.
        return timm_tower.build(vision.timm_model_name, model_args, drop_path)
    if isinstance(vision.layers, (list, tuple)):
        # CLIP's ResNets are timm's of the same name: RN50x4 is resnet50x4_clip.
        name = model.removesuffix("-quickgelu").replace("RN", "resnet") + "_clip"
        return timm_tower.build(name, model_args, drop_path)
    timm_tower.check_arguments(model, model_args, drop_path)
    different = [name for name in _UNSUPPORTED if getattr(vision, name)]
    if vision.pos_embed_type != "learnable":
        different.append("pos_embed_type")
    if different:
        raise EncoderError(
            f"the image tower of {model!r} sets {', '.join(different)}, which is not supported"
        )
    return _vision_transformer(vision, quick, model_args, drop_path)


def _vision_transformer(
    vision: CLIPVisionCfg, quick: bool, model_args: dict[str, Any], drop_path: float
) -> VisionTransformer:
    """open_clip's own ``VisionTransformer`` as timm's, which takes images of any size."""
    activation: Any = "quick_gelu" if quick else nn.GELU
    if vision.act_kwargs:
        activation = partial(nn.GELU, **vision.act_kwargs)
    arguments = {
        "img_size": vision.image_size,
        "patch_size": vision.patch_size,
        "embed_dim": vision.width,
        "depth": vision.layers,
        "num_heads": vision.width // vision.head_width,
        "mlp_ratio": vision.mlp_ratio,
        "init_values": vision.ls_init_value,
        "pre_norm": not vision.no_ln_pre,
        "norm_layer": partial(nn.LayerNorm, **{"eps": 1e-5, **(vision.norm_kwargs or {})}),
        "act_layer": activation,
        "num_classes": 0,
        "global_pool": "token",
        "dynamic_img_size": True,
        "drop_path_rate": drop_path,
        **model_args,
    }
    try:
        network = VisionTransformer(**arguments)
    except (TypeError, ValueError, ArithmeticError, AssertionError, RuntimeError) as error:
        raise EncoderError(
            f"no tower can be built with model_args {model_args}: {error}"
        ) from error
    network.patch_embed.proj.bias = None  # timm drops it together with the norm before the blocks
    return network


def _arrange(state: State, network: Any, own_kind: bool) -> tuple[State, str]:
    """Name the tensors of a file as timm names them; `load_whole` checks the result."""
    inner = stripped(state, "visual.")
    if "visual.conv1.weight" in state and "visual.layer1.0.conv1.weight" in state:
        return byobnet.checkpoint_filter_fn(state, network), "open_clip"
    if not own_kind or not any(key.startswith("transformer.resblocks.") for key in inner):
        return timm_tower.arrange(state, network)
    renamed: State = {}
    for key, value in inner.items():
        for old, new in _RENAMED:
            key = key.replace(old, new)
        if key == "cls_token":
            value = value.reshape(1, 1, -1)
        elif key == "pos_embed":
            value = value.unsqueeze(0)
        if key != "proj":  # the projection to the space shared with text
            renamed[key] = value
    return renamed, "open_clip"


def _download(model: str, tag: str | None) -> Path:
    return Path(open_clip.download_pretrained(_weights_config(model, str(tag))))
