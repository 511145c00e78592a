"""Encoders: backbones that return four feature maps, importable by MMEngine's registry."""

from __future__ import annotations

from mmseg_ext.encoders.resnet_mini import ResNetMini
from mmseg_ext.encoders.standardized_conv import StandardizedConv
from mmseg_ext.encoders.timm_encoder import EncoderError, TimmEncoder

__all__ = ["EncoderError", "ResNetMini", "StandardizedConv", "TimmEncoder"]
