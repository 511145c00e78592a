"""Decoder heads, importable by MMEngine's registry."""

from __future__ import annotations

from mmseg_ext.heads.daformer_head import DAFormerHead, HeadError

__all__ = ["DAFormerHead", "HeadError"]
