"""Lets MMSegmentation 1.x run without mmcv's compiled operators, and load checkpoints safely.

MMSegmentation 1.2 imports ``mmcv.ops`` with every model, although none of ours needs a compiled
operator; the pure-Python wheel ``mmcv-lite`` lacks the extension ``mmcv._ext`` and the import
fails. MMEngine reads checkpoints with full pickle, which can execute code. Both are mended here,
for the original distributions and for the onedl-* forks alike, without touching their files.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any, NoReturn

_EXTENSION = "mmcv._ext"


class _MissingOperators(types.ModuleType):
    """Stands in for ``mmcv._ext``: every operator can be looked up, none can be called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def operator(*_args: object, **_kwargs: object) -> NoReturn:
            raise RuntimeError(
                f"mmcv operator {name!r} needs the compiled mmcv, and mmcv-lite is installed; "
                "install mmcv with its operators or choose a model without them"
            )

        return operator


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers for ``mmcv._ext`` only after every other finder had no answer."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _EXTENSION:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _MissingOperators(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to execute: the attributes are made on demand."""


def provide_missing_mmcv_operators() -> None:
    """Make ``import mmcv.ops`` succeed where mmcv has no compiled extension.

    The finder goes to the end of ``sys.meta_path``, so a compiled mmcv always wins. Calling the
    function again changes nothing.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


def read_checkpoints_safely() -> None:
    """Make MMEngine load local checkpoints with ``weights_only=True``.

    A checkpoint of MMEngine holds, besides tensors, loss histories and the numpy scalars in them;
    exactly these types are allowed, anything else in a file is refused by torch.
    """
    import numpy as np
    import torch
    from mmengine.logging.history_buffer import HistoryBuffer
    from mmengine.runner.checkpoint import CheckpointLoader

    array_module = getattr(np, "_core", None) or np.core
    dtypes = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    allowed = [
        HistoryBuffer,
        getattr,  # how pickle spells the bound methods inside a HistoryBuffer
        np.ndarray,
        np.dtype,
        array_module.multiarray._reconstruct,
        array_module.multiarray.scalar,
        *(type(np.dtype(name)) for name in (*dtypes, "float16", "float32", "float64")),
    ]
    torch.serialization.add_safe_globals(allowed)

    def load_local(filename: str, map_location: Any = None) -> Any:
        return torch.load(filename, map_location=map_location, weights_only=True)

    CheckpointLoader.register_scheme(prefixes="", loader=load_local, force=True)
