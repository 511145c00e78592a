"""A cell's identity: digests of everything its numbers depend on.

Two cells with equal ids answer the same question, wherever and whenever they ran. Choices that only
say how a cell is run (engine, device, paths, worker processes, logging) are not in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from benchmark.records import Identity

IDENTITY_VERSION = 1
"""Raise when the meaning of a digest changes; every older record turns stale then."""

_DATA_KEYS = ("domains",)


def identify(config: Mapping[str, Any]) -> Identity:
    """Digest the resolved configuration of a cell (see `benchmark.compose.resolve`)."""
    settings = {key: value for key, value in config.items() if key not in _DATA_KEYS}
    parts = {
        "config": digest(settings),
        "data": digest({"domains": config["domains"], "generator": _generator_version()}),
        "metric": _metric_digest(),
    }
    whole = digest({"version": IDENTITY_VERSION, **parts})
    return Identity(id=whole[:16], version=IDENTITY_VERSION, **parts)


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON. Raises ``TypeError`` for what JSON cannot hold."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=1)
def _generator_version() -> int:
    from mmseg_ext.datasets.minidrive import GENERATOR_VERSION

    return int(GENERATOR_VERSION)


@lru_cache(maxsize=1)
def _metric_digest() -> str:
    from mmseg_ext.metric_definition import METRIC_DEFINITION

    return digest(METRIC_DEFINITION)
