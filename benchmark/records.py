"""Records: the one JSON file that a finished or failed cell leaves behind.

A record is written once, to a temporary name, flushed to the disk and renamed, so that a reader
sees a whole record or none. IoU values are percentages (0-100) at full float precision; rounding
happens in the report only.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.cell import Cell
from benchmark.errors import RecordError

SCHEMA = 1
STATES = ("done", "failed")
FAILURES = ("error", "oom", "nan", "timeout", "interrupted", "disk")
# Kinds that say nothing about the cell: a run simply tries such a cell again.
TRANSIENT_FAILURES = ("interrupted", "disk")


@dataclass(frozen=True)
class Identity:
    """Content hashes that say what a cell's numbers depend on.

    ``id`` digests the others: two records with equal ids answer the same question. ``modules`` has
    the digest of every source file that ``source`` is made of, by path, and ``domains`` that of
    every domain's data, ``None`` where the data are not on this machine. They say what changed.
    """

    id: str
    version: int
    config: str
    data: str
    metric: str
    source: str = ""
    modules: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """Why a cell failed: ``kind`` is one of ``FAILURES``, ``log`` lies below the suite folder."""

    kind: str
    message: str
    log: str


@dataclass(frozen=True)
class DomainMetrics:
    """Scores on one evaluated domain.

    ``role`` is ``source``, ``target`` or ``unseen``. ``per_class_iou`` maps class name to IoU in
    percent; a class that never occurs in the ground truth has ``None`` and is not in ``miou``.
    ``means`` are further means in percent by name, such as that of all classes where ``miou`` is
    that of fewer; ``groups`` the mIoU of each group of images (ACDC's conditions). ``notes`` say
    what ``miou`` is a mean of where it is not all classes and all images. Records older than these
    three have none.
    """

    role: str
    miou: float
    per_class_iou: Mapping[str, float | None]
    scored_classes: int
    pixel_accuracy: float
    images: int
    means: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cost:
    """What the cell cost. Times in seconds, memory in MiB, rates in images of both domains.

    ``seconds_per_iteration`` leaves out the first two steps, ``train_seconds`` nothing: it is the
    sum over the parts of an interrupted training (see ``benchmark.cell_cost``).
    """

    train_seconds: float
    evaluation_seconds: float
    seconds_per_iteration: float
    images_per_second: float
    peak_memory_mib: float
    parameters: int
    trainable_parameters: int
    device_hours: float


@dataclass(frozen=True)
class Record:
    """Everything the report needs about one cell.

    ``attempts`` are those that led here, oldest first (see ``benchmark.attempts``); ``notes`` are
    what a table has to say beside the cell's numbers.
    """

    suite: str
    cell: Cell
    identity: Identity
    state: str
    metrics: Mapping[str, DomainMetrics] = field(default_factory=dict)
    failure: Failure | None = None
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    cost: Cost | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    attempts: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The record as JSON text with sorted keys: equal records give equal bytes."""
        document = {"schema": SCHEMA, **dataclasses.asdict(self)}
        return json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write ``content`` so that ``path`` holds either its old content or all of the new one."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def record_path(suite_folder: Path, cell: Cell) -> Path:
    """Where the record of ``cell`` lives below a suite's result folder."""
    return suite_folder / "records" / f"{cell.stem}.json"


def write_record(suite_folder: Path, record: Record) -> Path:
    """Write one record atomically and return its path."""
    path = record_path(suite_folder, record.cell)
    write_atomically(path, record.to_json())
    return path


def read_record(path: Path, *, brief: bool = False) -> Record:
    """Read one record; a ``brief`` one has empty metrics and diagnostics, nearly all of its text.

    Raises:
        RecordError: the file is not JSON, has another schema, lacks a field, or its content
            belongs to another cell than its name says.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if brief:
            text = _without(_without(text, "diagnostics"), "metrics")
        document = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(
            f"{path}: not a readable record ({error}); delete it to run the cell again"
        ) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise RecordError(f"{path}: record schema {found!r}, this version reads {SCHEMA}")
    try:
        record = _parse(document)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RecordError(
            f"{path}: incomplete record ({error!r}); delete it to run the cell again"
        ) from error
    if path.stem != record.cell.stem:
        raise RecordError(
            f"{path}: holds the record of {record.cell.stem}; it was renamed or copied"
        )
    return record


def _without(text: str, key: str) -> str:
    """A record's text with nothing under ``key``, if it is one as ``to_json`` writes them.

    It goes from the line that opens it to the one that closes it: no text in JSON spans lines.
    """
    opening = f'\n "{key}": {{\n'
    begin = text.find(opening)
    end = text.find("\n }", begin)
    return text if -1 in (begin, end) else f"{text[:begin]}{opening[:-1]}{text[end + 2 :]}"


def _parse(document: Mapping[str, Any]) -> Record:
    failure = Failure(**document["failure"]) if document["failure"] else None
    if document["state"] not in STATES or (document["state"] == "failed") != bool(failure):
        raise ValueError(f"state {document['state']!r} and failure {failure!r} do not agree")
    if failure and not isinstance(failure.kind, str):
        raise ValueError(f"failure: kind is {failure.kind!r}")
    for attempt in document["attempts"]:
        if "failure" not in attempt or not isinstance(attempt.get("changed", {}), dict):
            raise ValueError(f"attempts: {attempt!r} does not say how it ended")
    return Record(
        suite=document["suite"],
        cell=Cell(**document["cell"]),
        identity=Identity(**document["identity"]),
        state=document["state"],
        metrics={name: _metrics(values) for name, values in document["metrics"].items()},
        failure=failure,
        diagnostics=document["diagnostics"],
        cost=Cost(**document["cost"]) if document["cost"] else None,
        provenance=document["provenance"],
        attempts=tuple(document["attempts"]),
        notes=tuple(document["notes"]),
    )


def _metrics(values: Mapping[str, Any]) -> DomainMetrics:
    if not isinstance(values["miou"], (int, float)):
        raise ValueError(f"miou is {values['miou']!r}")
    return DomainMetrics(**{**values, "notes": tuple(values.get("notes", ()))})


def iterate_records(suite_folder: Path) -> Iterator[Record]:
    """Every record of a suite in file-name order. Raises ``RecordError`` at a broken one."""
    for path in sorted((suite_folder / "records").glob("*.json")):
        yield read_record(path)
