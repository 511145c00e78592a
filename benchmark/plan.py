"""Plans: every cell of a suite with its resolved configuration and its state on disk."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import attempts, lease, records, registry
from benchmark import suite as suites
from benchmark.cell import Cell
from benchmark.errors import FragmentError, RecordError, UsageError
from benchmark.paths import CellPaths, shown, suite_folder
from benchmark.records import TRANSIENT_FAILURES, Identity, Record
from benchmark.suite import Suite

STATES = ("done", "running", "missing", "failed", "stale", "excluded")
RERUN = ("failed", "stale")
STALE_REASONS = {
    "version": "identity version changed",
    "config": "training or evaluation configuration changed",
    "data": "data changed",
    "metric": "metric changed",
}

_resolved: dict[tuple[Path, str, Cell, int | None], tuple[dict[str, Any], Identity]] = {}


@dataclass(frozen=True)
class PlannedCell:
    """One cell: what would be run (``config``, ``identity``) and what there is (``record``).

    An excluded cell has neither: its parts need not fit together. ``reason`` is empty for a
    plain missing or done cell.
    """

    cell: Cell
    identity: Identity | None
    config: Mapping[str, Any]
    state: str
    reason: str
    record: Record | None = None

    def is_due(self, rerun: Collection[str] = ()) -> bool:
        """Whether ``run`` starts this cell; ``rerun`` holds ``failed`` and ``stale`` on demand."""
        failure = self.record.failure if self.record else None
        if self.state == "missing" or (failure and failure.kind in TRANSIENT_FAILURES):
            return self.state not in ("running", "excluded")
        if self.state == "stale" and failure:
            return "stale" in rerun or "failed" in rerun
        return self.state in rerun


@dataclass(frozen=True)
class Plan:
    """A suite's cells in grid order, excluded ones last. ``folder`` holds its results."""

    suite: Suite
    folder: Path
    entries: tuple[PlannedCell, ...]
    iterations: int | None = None

    def counts(self) -> dict[str, int]:
        """Number of cells by state, in the order of ``STATES``, without zeros."""
        counted = Counter(entry.state for entry in self.entries)
        return {state: counted[state] for state in STATES if counted[state]}

    def due(self, rerun: Collection[str] = ()) -> list[PlannedCell]:
        """The cells that ``run`` would start, with those that the suite's budget allows a retry."""
        budget = self.suite.budget
        return [e for e in self.entries if e.is_due(rerun) or attempts.retry(e, budget)]

    def entry(self, identifier: str) -> PlannedCell:
        """The cell whose file stem or identity begins with ``identifier``.

        Raises:
            UsageError: no cell, or more than one, is called that.
        """
        stems = {entry.cell.stem: entry for entry in self.entries}
        if identifier in stems:
            return stems[identifier]
        found = [
            entry
            for entry in self.entries
            if entry.identity and len(identifier) >= 6 and entry.identity.id.startswith(identifier)
        ]
        if len(found) != 1:
            problem = "several cells" if found else registry.unknown("cell", identifier, stems)
            raise UsageError(f"suite {self.suite.name}: {problem}")
        return found[0]

    def to_json(self) -> str:
        """The plan as JSON text for programs."""
        cells = [_entry_document(entry) for entry in self.entries]
        document = {"suite": self.suite.name, "counts": self.counts(), "cells": cells}
        return json.dumps(document, indent=1) + "\n"


def make(suite: Suite, out: Path, iterations: int | None = None) -> Plan:
    """Resolve every cell of ``suite`` and judge it against what is below ``out``.

    ``iterations`` replaces the protocol's training length. A broken record makes its cell
    ``failed`` with the reason; it does not stop the plan.

    Raises:
        UsageError: a fragment is missing, broken, or does not fit the others.
    """
    folder = suite_folder(out, suite.name)
    entries = [_judge(suite, folder, cell, iterations) for cell in suite.cells()]
    entries += [
        PlannedCell(cell, None, {}, "excluded", reason) for cell, reason in suite.excluded_cells()
    ]
    return Plan(suite, folder, tuple(entries), iterations)


def one(suite: Suite, out: Path, identifier: str, iterations: int | None = None) -> PlannedCell:
    """The cell called ``identifier`` (its file stem, or the beginning of its identity).

    Raises:
        UsageError: as ``make`` and ``Plan.entry``.
    """
    for cell in suite.cells():
        if cell.stem == identifier:
            return _judge(suite, suite_folder(out, suite.name), cell, iterations)
    return make(suite, out, iterations).entry(identifier)


def load(
    name: str,
    out: Path,
    *,
    seeds: int | None = None,
    iterations: int | None = None,
    only: Mapping[str, list[str]] | None = None,
) -> Plan:
    """Load the suite called ``name``, apply the overrides and plan it."""
    return make(suites.load(name).with_overrides(seeds, only), out, iterations)


def judge(planned: PlannedCell, folder: Path, *, holding: bool = False) -> PlannedCell:
    """``planned`` with its state read again from ``folder``, a suite's result folder.

    ``holding``: the caller holds the cell's lease, so the cell is not ``running`` elsewhere.
    """
    if planned.identity is None:
        return planned
    cell_paths = CellPaths(folder, planned.cell)
    # The lease before the record: a worker writes its record first and then lets go.
    is_held = not holding and lease.is_alive(cell_paths.lease)
    state, reason, record = _recorded(cell_paths, planned.identity)
    if is_held and state != "done":
        state, reason = "running", str(lease.read(cell_paths.lease) or "")
    return PlannedCell(planned.cell, planned.identity, planned.config, state, reason, record)


def domain_fragments(shift: registry.Fragment) -> dict[str, registry.Fragment]:
    """The domains a shift names as source, target and unseen.

    Raises:
        FragmentError: the shift lacks one of these names, or a domain does not exist.
    """
    place = shown(shift.path)
    for key, kind in (("source", str), ("target", str), ("unseen", (list, tuple))):
        if not isinstance(shift.values.get(key), kind):
            expected = "a list of domain names" if key == "unseen" else "the name of a domain"
            raise FragmentError(f"{place}: {key} must be {expected}")
    names = [shift.values["source"], shift.values["target"], *shift.values["unseen"]]
    try:
        return {name: registry.find("domain", name) for name in names}
    except FragmentError:
        raise
    except UsageError as error:
        raise FragmentError(f"{place}: {error}") from error


def _judge(suite: Suite, folder: Path, cell: Cell, iterations: int | None) -> PlannedCell:
    config, identity = _resolve(suite, cell, iterations)
    return judge(PlannedCell(cell, identity, config, "missing", ""), folder)


def _resolve(suite: Suite, cell: Cell, iterations: int | None) -> tuple[dict[str, Any], Identity]:
    protocol = registry.find("protocol", suite.protocol)
    key = (protocol.path, suite.protocol, cell, iterations)
    if key not in _resolved:
        from benchmark import compose, identity

        shift = registry.find("shift", cell.shift)
        config = compose.resolve(
            protocol,
            registry.find("method", cell.method),
            registry.find("encoder", cell.encoder),
            shift,
            domain_fragments(shift),
            cell.seed,
            iterations,
        )
        _resolved[key] = config, identity.identify(config)
    return _resolved[key]


def _recorded(cell_paths: CellPaths, identity: Identity) -> tuple[str, str, Record | None]:
    """State, reason and record of a cell that nobody is running."""
    if not cell_paths.record.exists():
        was_started = cell_paths.lease.exists() or cell_paths.progress.exists()
        return "missing", "interrupted" if was_started else "", None
    try:
        record = records.read_record(cell_paths.record)
    except RecordError as error:
        return "failed", str(error), None
    if record.identity.id != identity.id:
        changed = [
            reason
            for name, reason in STALE_REASONS.items()
            if getattr(record.identity, name) != getattr(identity, name)
        ]
        return "stale", "; ".join(changed) or "identity changed", record
    if record.failure:
        return "failed", f"{record.failure.kind}: {record.failure.message}", record
    return record.state, "", record


def _entry_document(entry: PlannedCell) -> dict[str, Any]:
    return {
        "id": entry.identity.id if entry.identity else None,
        "stem": entry.cell.stem,
        "method": entry.cell.method,
        "encoder": entry.cell.encoder,
        "shift": entry.cell.shift,
        "seed": entry.cell.seed,
        "state": entry.state,
        "reason": entry.reason,
    }
