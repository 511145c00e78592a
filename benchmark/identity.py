"""A cell's identity: digests of everything its numbers depend on.

Two cells with equal ids answer the same question, wherever and whenever they ran. Choices that only
say how a cell is run (engine, device, paths, worker processes, logging) are not in it; which choice
is which stands in `benchmark.classification`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from benchmark.records import Identity

IDENTITY_VERSION = 2
"""Raise when the meaning of a digest changes; every older record turns stale then.

1: configuration, data and metric. 2: also the source of the modules that are used, and the files of
downloaded data sets.
"""

PROCEDURE = 1
"""Version of what `benchmark` itself does between configuration and numbers: the order of training
and scoring in `benchmark.worker`, means over classes and images in `benchmark.scores`, the hooks
and the wrapper for several processes that `benchmark.runner_config` adds. Raise when a change there
changes numbers: these files hold mostly book-keeping, so their text says little."""

_DATA_KEYS = ("domains",)


def identify(
    config: Mapping[str, Any],
    modules: Mapping[str, str] | None = None,
    files: Mapping[str, str | None] | None = None,
) -> Identity:
    """Digest the resolved configuration of a cell (see `benchmark.compose.resolve`).

    Args:
        modules: digests of the source files that ``config`` uses, by default those that
            `benchmark.source_hash` finds.
        files: digests of the files of downloaded domains, ``None`` for data that are not here; by
            default none are.
    """
    from benchmark import compose

    if modules is None:
        from benchmark import source_hash

        modules = source_hash.scan(packages_of(config)).used_by(config)
    # The seed is no setting: cells that differ in it alone share every digest but the last.
    settings = compose.with_seed(config, 0)
    parts = Identity(
        id="",
        version=IDENTITY_VERSION,
        config=digest({key: settings[key] for key in settings if key not in _DATA_KEYS}),
        source=digest({"procedure": PROCEDURE, "modules": dict(modules)}),
        data="",
        metric=_metric_digest(),
        modules=modules,
        domains=_domains(config["domains"], files or {}),
    )
    return with_seed(with_domains(parts, parts.domains), config["randomness"]["seed"])


def with_seed(known: Identity, seed: int) -> Identity:
    """The identity of the same cell with another seed."""
    fields = ("version", "config", "source", "data", "metric")
    whole = digest({**{name: getattr(known, name) for name in fields}, "seed": seed})
    return dataclasses.replace(known, id=whole[:16])


def trusting(current: Identity, recorded: Identity, seed: int) -> Identity:
    """``current`` with the recorded digests of the domains whose data are not on this machine."""
    domains = {
        name: recorded.domains.get(name) if known is None else known
        for name, known in current.domains.items()
    }
    return with_seed(with_domains(current, domains), seed)


def with_domains(known: Identity, domains: Mapping[str, str | None]) -> Identity:
    """An identity on other data; its id is not made anew."""
    return dataclasses.replace(known, domains=domains, data=digest(dict(domains)))


def packages_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The packages whose components a configuration uses, beside those of the libraries."""
    return tuple(config.get("custom_imports", {}).get("imports", ()))


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON. Raises ``TypeError`` for what JSON cannot hold."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _domains(
    domains: Mapping[str, Mapping[str, Any]], files: Mapping[str, str | None]
) -> dict[str, str | None]:
    """A digest of what each domain's data are: of the generator's arguments, or of files."""
    return {
        name: files.get(name) if "world" not in facts else _generated(dict(facts))
        for name, facts in domains.items()
    }


def _generated(facts: Mapping[str, Any]) -> str:
    return digest({"facts": facts, "generator": _generator_version()})[:16]


@lru_cache(maxsize=1)
def _generator_version() -> int:
    from mmseg_ext.generator_version import GENERATOR_VERSION

    return int(GENERATOR_VERSION)


@lru_cache(maxsize=1)
def _metric_digest() -> str:
    from mmseg_ext.metric_definition import METRIC_DEFINITION

    return digest(METRIC_DEFINITION)
