"""Towers of timm, by timm's names: ``vit_small_patch14_dinov2.lvd142m``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from timm.models import get_pretrained_cfg
from timm.models._registry import get_arch_pretrained_cfgs, split_model_name_tag

from mmseg_ext.encoders.tower import (
    IMAGENET,
    ImageStatistics,
    Tower,
    common_statistics,
    fetched,
)
from mmseg_ext.encoders.weight_file import State, stripped
from mmseg_ext.errors import EncoderError, WeightsError

# Set by the encoder itself, so a configuration must not set them a second time.
_RESERVED = (
    "pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir",
    "num_classes", "in_chans", "features_only", "dynamic_img_size", "drop_path_rate",
)  # fmt: skip
# How files of whole CLIP models name their image tower, the more specific prefix first.
_CLIP_PREFIXES = (("visual.trunk.", "open_clip"), ("visual.", "EVA-CLIP"))


def timm_tower(
    name: str,
    model_args: Mapping[str, Any] | None = None,
    *,
    drop_path_rate: float = 0.0,
    weights_follow: bool = False,
) -> Tower:
    """Build a timm network without its classifier, initialised by timm.

    Args:
        name: of a timm model; with a tag (``model.tag``) its weights can be fetched.
        model_args: arguments of that model that differ from its definition.
        drop_path_rate: stochastic depth of the last block.
        weights_follow: a file of weights will be loaded although the name has no tag.

    Raises:
        EncoderError: there is no such model, or the arguments do not fit it.
        WeightsError: the tag is unknown, or it is needed to know the image statistics.
    """
    architecture, tag = split_model_name_tag(name)
    tags = _tags(architecture, name)
    if tag and tag not in tags:
        raise WeightsError(
            f"timm has no weights {tag!r} of {architecture!r}; it has {', '.join(tags) or 'none'}"
        )
    configurations = {each: (cfg.mean, cfg.std) for each, cfg in tags.items()}
    if tag:
        statistics = ImageStatistics.of_unit_range(*configurations[tag])
    elif configurations:
        statistics = common_statistics(architecture, configurations, needed=weights_follow)
    else:
        statistics = IMAGENET
    network = build(architecture, dict(model_args or {}), drop_path_rate)
    return Tower(
        name=f"timm:{name}",
        network=network,
        statistics=statistics,
        convert=lambda state: arrange(state, network),
        download=(lambda: _download(name)) if tag else None,
    )


def build(architecture: str, model_args: dict[str, Any], drop_path_rate: float) -> Any:
    """Build a timm network that takes images of any size, as far as its kind can.

    Raises:
        EncoderError: there is no such model, or the arguments do not fit it.
    """
    check_arguments(architecture, model_args, drop_path_rate)
    model_args = {"num_classes": 0, **model_args}
    if drop_path_rate:  # not all networks know it
        model_args["drop_path_rate"] = drop_path_rate
    try:
        try:
            return timm.create_model(architecture, dynamic_img_size=True, **model_args)
        except TypeError as error:
            # Convolutional and windowed networks take any size and have no such option.
            if "dynamic_img_size" not in str(error):
                raise
            network = timm.create_model(architecture, **model_args)
    except (TypeError, ValueError, ArithmeticError, AssertionError, RuntimeError) as error:
        raise EncoderError(
            f"timm cannot build {architecture!r} with {model_args}: {error}"
        ) from error
    if hasattr(getattr(network, "patch_embed", None), "strict_img_size"):
        network.patch_embed.strict_img_size = False
    return network


def check_arguments(name: str, model_args: Mapping[str, Any], drop_path_rate: float) -> None:
    """Refuse arguments of a network that are the encoder's own. Raises ``EncoderError``."""
    reserved = sorted(set(model_args) & set(_RESERVED))
    if reserved:
        raise EncoderError(
            f"model_args of {name!r} must not hold {', '.join(reserved)}: "
            "the encoder sets these itself; remove them"
        )
    if not 0.0 <= drop_path_rate < 1.0:
        raise EncoderError(f"drop_path_rate of {name!r} is {drop_path_rate}, expected [0, 1)")


def arrange(state: State, network: Any) -> tuple[State, str]:
    """Name the tensors of a file as timm names them; `load_whole` checks the result.

    The converter of the network's own module does the renaming. It knows the files of timm,
    open_clip, EVA-CLIP (QuanSun/EVA-CLIP), DINOv2, DINOv3, SAM and others.
    """
    layout = "timm"
    for prefix, kind in _CLIP_PREFIXES:
        inner = stripped(state, prefix)
        if inner:
            # What lies beside the tower in the image part is a projection, or left over.
            beside = {k: v for k, v in state.items() if k.startswith("visual.")}
            known = (prefix, "visual.head.")
            over = {k: v for k, v in beside.items() if not k.startswith(known)}
            state, layout = {**inner, **over}, kind
            break
    _refuse_lost_biases(state, network)
    convert = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    if convert is None:
        return state, layout
    converted: State = dict(convert(state, network))
    if layout == "timm" and converted.keys() != state.keys():
        layout = "original"
    return converted, layout


def _refuse_lost_biases(state: State, network: Any) -> None:
    """DINOv3's own files have biases that timm's converter drops where the network has none."""
    if any(key.endswith(("qkv.bias", "q_bias")) for key in network.state_dict()):
        return
    for key, value in state.items():
        if key.endswith("attn.qkv.bias"):
            mask = state.get(f"{key}_mask")
            if torch.count_nonzero(value if mask is None else value * mask.nan_to_num()):
                raise WeightsError(
                    f"the file has biases ({key}) that this encoder lacks; choose the variant of "
                    "the model that has them (timm calls it *_qkvb)"
                )


def _tags(architecture: str, name: str) -> dict[str, Any]:
    if not timm.is_model(architecture):
        raise EncoderError(
            f"timm has no model {name!r}; `timm.list_models('*eva02*')` lists those of a family"
        )
    names = get_arch_pretrained_cfgs(architecture)
    configurations = {split_model_name_tag(each)[1]: get_pretrained_cfg(each) for each in names}
    return {tag: cfg for tag, cfg in configurations.items() if cfg is not None}


def _download(name: str) -> Path:
    from huggingface_hub import hf_hub_download

    cfg = get_pretrained_cfg(name)
    if cfg.hf_hub_id:
        if cfg.hf_hub_filename:
            return Path(hf_hub_download(cfg.hf_hub_id, cfg.hf_hub_filename))
        return Path(hf_hub_download(cfg.hf_hub_id, "model.safetensors"))
    if not cfg.url:
        raise WeightsError(f"timm knows no place to fetch the weights of {name!r} from")
    return fetched(cfg.url)
