"""Decoder heads, importable by MMEngine's registry."""

from __future__ import annotations

from mmseg_ext.heads.daformer_head import DAFormerHead, HeadError
from mmseg_ext.heads.scale_attention_head import ScaleAttentionHead

__all__ = ["DAFormerHead", "HeadError", "ScaleAttentionHead"]
