"""Encoders: backbones that return four feature maps, importable by MMEngine's registry."""

from __future__ import annotations

from mmseg_ext.encoders.mix_transformer import MixTransformer
from mmseg_ext.encoders.open_clip_encoder import EVA02CLIP, OpenClipEncoder
from mmseg_ext.encoders.resnet import ResNetEncoder
from mmseg_ext.encoders.resnet_mini import ResNetMini
from mmseg_ext.encoders.standardized_conv import StandardizedConv
from mmseg_ext.encoders.timm_encoder import TimmEncoder

__all__ = [
    "EVA02CLIP",
    "MixTransformer",
    "OpenClipEncoder",
    "ResNetEncoder",
    "ResNetMini",
    "StandardizedConv",
    "TimmEncoder",
]
