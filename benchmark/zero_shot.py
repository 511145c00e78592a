"""Zero-shot records: what an encoder with a text tower labels by class names alone, untrained.

A record is one JSON file, ``zero_shot/<encoder>__<shift>.json`` below a suite's results, written in
one rename. It is judged as a cell's record is: its identity digests the weights' tag or recipe, the
images, how they are cut and scored, and the source of every module that takes part.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmark import identity, stale
from benchmark.cell import Cell
from benchmark.errors import RecordError
from benchmark.records import DomainMetrics, Identity, write_atomically
from benchmark.weights import recipe_of, with_weights

if TYPE_CHECKING:
    from benchmark.source_hash import Sources

SCHEMA = 1
VERSION = 1
"""Of the identity: raise when `benchmark.zero_shot_measure` changes what is measured."""
FOLDER = "zero_shot"
OPEN_CLIP, MADE = "open_clip", "made"
_TOWERS = ("OpenClipEncoder", "EVA02CLIP")
# What an image tower is; the rest of a backbone's settings concerns how it is trained on.
_TOWER_KEYS = ("type", "model", "model_args", "pretrained", "weights_of")


class EntryLike(Protocol):
    """What is read of a planned cell."""

    @property
    def cell(self) -> Cell: ...
    @property
    def config(self) -> Mapping[str, Any]: ...
    @property
    def identity(self) -> Identity | None: ...


@dataclass(frozen=True)
class Probe:
    """A probe that can be made: ``config`` is a cell's configuration without its training data.

    ``kind`` says where the text tower is from: ``made`` with the weights by a recipe, or part of
    open_clip's checkpoint.
    """

    encoder: str
    shift: str
    kind: str
    config: Mapping[str, Any]
    identity: Identity

    @property
    def stem(self) -> str:
        """Name of its file without suffix."""
        return f"{self.encoder}__{self.shift}"

    @property
    def backbone(self) -> dict[str, Any]:
        """Configuration of the encoder, with ``weights_of``."""
        return with_weights(self.config["model"])[0]


@dataclass(frozen=True)
class ZeroShotRecord:
    """What a probe scored: ``metrics`` by domain, as in a cell's record.

    ``weights`` has name and SHA-256 of the file, ``prompts`` the names and templates in words.
    """

    suite: str
    encoder: str
    shift: str
    identity: Identity
    metrics: Mapping[str, DomainMetrics]
    weights: Mapping[str, Any]
    prompts: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @property
    def stem(self) -> str:
        """Name of its file without suffix."""
        return f"{self.encoder}__{self.shift}"

    def to_json(self) -> str:
        """The record as JSON text with sorted keys: equal records give equal bytes."""
        document = {"zero_shot": SCHEMA, **dataclasses.asdict(self)}
        return json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n"


@dataclass(frozen=True)
class Found:
    """What there is of a probe: ``done``, ``stale``, ``failed`` (no readable record), ``missing``.

    ``reason`` says why a record is not ``done``.
    """

    state: str
    reason: str = ""
    record: ZeroShotRecord | None = None


def probes(entries: Iterable[EntryLike], others: Iterable[str] = ()) -> tuple[Probe, ...]:
    """The probes of a suite's cells: one for each shift and each encoder that has a text tower.

    ``others`` are methods with a protocol of their own: how images are scored is read of the rest.
    """
    own, chosen = set(others), {}
    ordered = sorted(entries, key=lambda each: each.cell.method in own)
    for entry in ordered:
        key = entry.cell.encoder, entry.cell.shift
        if key not in chosen and entry.identity is not None and _kind(entry.config):
            chosen[key] = entry
    sources: dict[tuple[str, ...], Sources] = {}
    return tuple(_probe(entry, sources) for entry in chosen.values())


def find(probe: Probe, folder: Path) -> Found:
    """What a suite's result folder has of ``probe``."""
    path = path_of(folder, probe.stem)
    if not path.exists():
        return Found("missing")
    try:
        record = read(path)
    except RecordError as error:
        return Found("failed", str(error))
    current = probe.identity
    if None in current.domains.values():
        current = identity.trusting(current, record.identity, 0)
    changed = stale.reasons(record.identity, current)
    return Found("stale", "; ".join(changed), record) if changed else Found("done", "", record)


def path_of(folder: Path, stem: str) -> Path:
    """Where a record lies below a suite's result folder."""
    return folder / FOLDER / f"{stem}.json"


def write(folder: Path, record: ZeroShotRecord) -> Path:
    """Write a record atomically and return its path."""
    path = path_of(folder, record.stem)
    write_atomically(path, record.to_json())
    return path


def read(path: Path) -> ZeroShotRecord:
    """Read a record.

    Raises:
        RecordError: the file is not JSON, has another schema, lacks a field, has one of another
            kind, or its content belongs to another name.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("zero_shot") != SCHEMA:
            raise ValueError(f"this version reads schema {SCHEMA}")
        record = ZeroShotRecord(
            **{
                **document,
                "identity": Identity(**document["identity"]),
                "metrics": {name: _metrics(each) for name, each in document["metrics"].items()},
            }
        )
        for name in ("weights", "prompts", "provenance"):
            if not isinstance(getattr(record, name), dict):
                raise ValueError(f"{name} is no object")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RecordError(
            f"{path.name}: not a readable zero-shot record ({error!r}); delete it and run "
            "'udabench probe' again"
        ) from error
    if path.stem != record.stem:
        raise RecordError(f"{path.name}: holds the record of {record.stem}; it was renamed")
    return record


def _metrics(values: Mapping[str, Any]) -> DomainMetrics:
    if not isinstance(values["miou"], (int, float)):
        raise ValueError(f"miou is {values['miou']!r}")
    return DomainMetrics(**{**values, "notes": tuple(values["notes"])})


def _kind(config: Mapping[str, Any]) -> str:
    """Where the text tower of a cell's encoder is from, empty if it has none."""
    found = with_weights(config.get("model"))
    if not found:
        return ""
    recipe = recipe_of(found[0])
    if recipe is not None:
        return MADE if "embedding" in recipe else ""
    return OPEN_CLIP if found[0].get("type") in _TOWERS else ""


def _probe(entry: EntryLike, sources: dict[tuple[str, ...], Sources]) -> Probe:
    from benchmark import source_hash

    loader = entry.config["train_dataloader"]
    nothing = {**loader["dataset"], "source": None, "target": None}
    config = {**entry.config, "train_dataloader": {**loader, "dataset": nothing}}
    asked = _asked(config)
    packages = identity.packages_of(config)
    if packages not in sources:
        sources[packages] = source_hash.scan(packages)
    modules = _modules(asked, sources[packages])
    assert entry.identity is not None  # excluded cells are left out before
    parts = Identity(
        id="",
        version=VERSION,
        config=identity.digest(asked),
        data="",
        metric=entry.identity.metric,
        source=identity.digest(modules),
        modules=modules,
    )
    whole = identity.with_seed(identity.with_domains(parts, entry.identity.domains), 0)
    return Probe(entry.cell.encoder, entry.cell.shift, _kind(config), config, whole)


def _asked(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a configuration that a probe's numbers depend on."""
    model = config["model"]
    tower = with_weights(model)[0]
    return {
        "backbone": {key: tower[key] for key in _TOWER_KEYS if key in tower},
        "data_preprocessor": model["data_preprocessor"],
        "test_cfg": model["segmentor"]["test_cfg"],
        **{key: config.get(key) for key in ("test_dataloader", "roles", "scoring")},
        "loop": config["test_cfg"],
    }


def _modules(asked: Mapping[str, Any], sources: Sources) -> dict[str, str]:
    """Digests of the modules that take part: what the configuration names, and the probe's own."""
    own = {
        module.path: module.facts.digest
        for name, module in sources.modules.items()
        if name.startswith(f"mmseg_ext.{FOLDER}.")
    }
    return dict(sorted({**sources.used_by(asked), **own}.items()))
