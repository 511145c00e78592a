"""Unsupervised domain adaptation for MMSegmentation: encoders, decoders, methods and their loops.

Importing the package is cheap and safe: it only teaches the import system about mmcv's missing
compiled operators (see `mmseg_ext.compat`). The components register themselves in
`mmseg_ext.registry` when MMEngine first looks one up, for example as ``type='mmseg_ext.DACS'`` in
any MMSegmentation config that says ``custom_imports = dict(imports=['mmseg_ext'])``.
"""

from __future__ import annotations

from mmseg_ext import compat

__all__ = ["__version__"]
__version__ = "0.1.0"

compat.provide_missing_mmcv_operators()
