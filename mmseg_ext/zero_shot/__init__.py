"""Segmentation by names alone: patch features against text features, without any training."""

from __future__ import annotations
