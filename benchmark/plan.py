"""Plans: every cell of a suite with its resolved configuration and its state on disk."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import acceptance, attempts, lease, records, registry, stale
from benchmark import suite as suites
from benchmark.acceptance import Acceptance
from benchmark.cell import Cell
from benchmark.collection import without_collection
from benchmark.data_fingerprint import DataFiles
from benchmark.data_roots import DataRoots
from benchmark.errors import RecordError, UsageError
from benchmark.paths import CellPaths, suite_folder
from benchmark.records import TRANSIENT_FAILURES, Identity, Record
from benchmark.resolution import Resolution
from benchmark.resolution import domain_fragments as domain_fragments
from benchmark.suite import Suite

STATES = ("done", "running", "pending", "missing", "failed", "stale", "excluded")
RERUN = ("failed", "stale")


@dataclass(frozen=True)
class PlannedCell:
    """One cell: what would be run (``config``, ``identity``) and what there is (``record``).

    An excluded cell has neither: its parts need not fit together. ``reason`` is empty for a
    plain missing or done cell. A stale record that was accepted makes its cell ``done`` too, with
    ``accepted`` set and the reason why it was stale.
    """

    cell: Cell
    identity: Identity | None
    config: Mapping[str, Any]
    state: str
    reason: str
    record: Record | None = None
    accepted: bool = False

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


def make(
    suite: Suite,
    out: Path,
    iterations: int | None = None,
    files: DataFiles | None = None,
    *,
    brief: bool = False,
) -> Plan:
    """Resolve every cell of ``suite`` and judge it against what is below ``out``.

    ``iterations`` replaces the protocol's training length. ``files`` are the downloaded data sets
    of this machine; where a domain's data are not here, those of its record are trusted. A broken
    record makes its cell ``failed`` with the reason; it does not stop the plan. With
    ``brief`` the records have neither metrics nor diagnostics, which is faster.

    Raises:
        UsageError: a fragment is missing, broken, or does not fit the others.
        UdabenchError: the list of accepted records is broken.
    """
    folder = suite_folder(out, suite.name)
    resolution = Resolution(suite, iterations, files or DataFiles(DataRoots.chosen(None)))
    accepted = acceptance.accepted(folder)
    with without_collection():
        planned = [_planned(resolution, cell) for cell in suite.cells()]
        entries = [_judged(each, folder, accepted, brief=brief) for each in planned]
    entries += [
        PlannedCell(cell, None, {}, "excluded", reason) for cell, reason in suite.excluded_cells()
    ]
    return Plan(suite, folder, tuple(entries), iterations)


def one(
    suite: Suite,
    out: Path,
    identifier: str,
    iterations: int | None = None,
    files: DataFiles | None = None,
) -> PlannedCell:
    """The cell called ``identifier`` (its file stem, or the beginning of its identity).

    Raises:
        UsageError: as ``make`` and ``Plan.entry``.
    """
    for cell in suite.cells():
        if cell.stem == identifier:
            folder = suite_folder(out, suite.name)
            resolution = Resolution(suite, iterations, files or DataFiles(DataRoots.chosen(None)))
            return judge(_planned(resolution, cell), folder)
    return make(suite, out, iterations, files).entry(identifier)


def load(
    name: str,
    out: Path,
    *,
    seeds: int | None = None,
    iterations: int | None = None,
    only: Mapping[str, list[str]] | None = None,
    files: DataFiles | None = None,
) -> Plan:
    """Load the suite called ``name``, apply the overrides and plan it."""
    return make(suites.load(name).with_overrides(seeds, only), out, iterations, files)


def judge(planned: PlannedCell, folder: Path, *, holding: bool = False) -> PlannedCell:
    """``planned`` with its state read again from ``folder``, a suite's result folder.

    ``holding``: the caller holds the cell's lease, so the cell is not ``running`` elsewhere.
    """
    return _judged(planned, folder, acceptance.accepted(folder), holding=holding)


def _planned(resolution: Resolution, cell: Cell) -> PlannedCell:
    config, identity = resolution.of(cell)
    return PlannedCell(cell, identity, config, "missing", "")


def _judged(
    planned: PlannedCell,
    folder: Path,
    accepted: Mapping[str, Acceptance],
    *,
    holding: bool = False,
    brief: bool = False,
) -> PlannedCell:
    if planned.identity is None:
        return planned
    cell_paths = CellPaths(folder, planned.cell)
    # The lease before the record: a worker writes its record first and then lets go.
    is_held = not holding and lease.is_alive(cell_paths.lease)
    found = _recorded(cell_paths, planned, brief)
    if found.state == "stale" and found.record and found.identity:
        known = accepted.get(planned.cell.stem)
        pair = found.record.identity.id, found.identity.id
        if known and pair == (known.recorded, known.current):
            reason = f"accepted while stale: {known.reason}"
            found = dataclasses.replace(found, state="done", reason=reason, accepted=True)
    if is_held and found.state != "done":
        reason = str(lease.read(cell_paths.lease) or "")
        return dataclasses.replace(found, state="running", reason=reason)
    return found


def _recorded(cell_paths: CellPaths, planned: PlannedCell, brief: bool) -> PlannedCell:
    """``planned`` with state, reason and record as if nobody was running it."""

    def judged(state: str, reason: str, record: Record | None = None) -> PlannedCell:
        return dataclasses.replace(
            planned, state=state, reason=reason, record=record, accepted=False
        )

    path = cell_paths.record
    if not path.exists():
        was_started = cell_paths.lease.exists() or cell_paths.progress.exists()
        return judged("missing", "interrupted" if was_started else "")
    try:
        record = records.read_record(path, brief=brief)
    except RecordError as error:
        return judged("failed", str(error))
    current = planned.identity
    assert current is not None, "only for cells that can be run"
    if None in current.domains.values():
        from benchmark import identity

        current = identity.trusting(current, record.identity, planned.cell.seed)
        planned = dataclasses.replace(planned, identity=current)
    changed = stale.reasons(record.identity, current)
    if changed:
        return judged("stale", "; ".join(changed), record)
    if record.failure:
        return judged("failed", f"{record.failure.kind}: {record.failure.message}", record)
    return judged(record.state, "", record)


def _entry_document(entry: PlannedCell) -> dict[str, Any]:
    failure = entry.record.failure if entry.record else None
    return {
        "id": entry.identity.id if entry.identity else None,
        "stem": entry.cell.stem,
        "method": entry.cell.method,
        "encoder": entry.cell.encoder,
        "shift": entry.cell.shift,
        "seed": entry.cell.seed,
        "state": entry.state,
        "reason": entry.reason,
        "failure": failure.kind if failure and entry.state == "failed" else None,
        "accepted": entry.accepted,
    }
