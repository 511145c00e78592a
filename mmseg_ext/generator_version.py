"""Version of the MiniDrive generator; part of every cell's identity, and free of heavy imports."""

from __future__ import annotations

GENERATOR_VERSION = 2
"""Raise it whenever any image of any world changes: it names the cache folders."""
