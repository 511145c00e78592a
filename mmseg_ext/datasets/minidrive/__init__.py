"""MiniDrive: a procedural driving world with eight domains for unsupervised domain adaptation.

Needs NumPy and OpenCV only. A scene is a *layout* (what stands where) seen in an *appearance*
(colours, light, weather, sensor), so the same street can be rendered in any domain and labels are
exact. `World.render` gives single images; `prepare` writes a whole world to a cache.
"""

from __future__ import annotations

from mmseg_ext.generator_version import GENERATOR_VERSION

from .cache import prepare, split_folder, world_folder
from .classes import CLASSES, PALETTE, ClassId, colourise
from .contact_sheet import contact_sheet
from .domains import DOMAINS, SPLITS
from .errors import CacheError, MiniDriveError
from .world import Scene, World

__all__ = [
    "CLASSES",
    "DOMAINS",
    "GENERATOR_VERSION",
    "PALETTE",
    "SPLITS",
    "CacheError",
    "ClassId",
    "MiniDriveError",
    "Scene",
    "World",
    "colourise",
    "contact_sheet",
    "prepare",
    "split_folder",
    "world_folder",
]
