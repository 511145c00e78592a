"""Digests of states, so that two can be compared bit by bit without keeping either in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch

from mmseg_ext.profiling.job import Built

Fingerprint = dict[str, str]
"""A digest of each value of a state by its path."""


def of_state(state: Any, path: str = "") -> Fingerprint:
    """Digests of everything inside nested dictionaries and lists."""
    if isinstance(state, Mapping):
        items: Any = state.items()
    elif isinstance(state, (list, tuple)):
        items = enumerate(state)
    else:
        return {path: _digest(state)}
    found: Fingerprint = {}
    for key, value in items:
        found |= of_state(value, f"{path}.{key}" if path else str(key))
    return found


def of_built(built: Built) -> Fingerprint:
    """Digests of a method's and its optimizers' state."""
    optimizers = of_state(built.optimizers.state_dict(), "optimizer")
    return {**of_state(built.method.state_dict()), **optimizers}


def _digest(value: Any) -> str:
    if not isinstance(value, torch.Tensor):
        return repr(value)
    data = value.detach().contiguous().flatten().view(torch.uint8).numpy()
    kind = f"{value.dtype} {tuple(value.shape)} "
    return kind + hashlib.sha256(data.tobytes()).hexdigest()[:16]
