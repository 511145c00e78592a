"""Segmentors beyond MMSegmentation's, importable by MMEngine's registry."""

from __future__ import annotations

from mmseg_ext.segmentors.hrda import HRDASegmentor

__all__ = ["HRDASegmentor"]
