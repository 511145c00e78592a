"""Results that another suite in the same folder has already: no cell is run twice.

Suites overlap: that of an experiment asks for cells that the whole study has too. Two cells of one
identity answer the same question, whatever suite asks for them, so the second suite takes over the
record of the first, with the files beside it.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmark import examples, lease, plan, records
from benchmark.cell import Cell
from benchmark.errors import UdabenchError
from benchmark.paths import CellPaths
from benchmark.plan import Plan, PlannedCell

WEIGHTS = "weights.pth"
LINKED = (WEIGHTS, "confusion.npz")
"""Large files; they are replaced whole and never written into, so suites may share them."""
COPIED = ("log.txt", "config.json", "dirty.diff")


@dataclass(frozen=True)
class TakenOver:
    """A cell whose record came from another suite's result folder of this name."""

    cell: Cell
    suite: str


def take_over(planned: Plan, due: Iterable[PlannedCell]) -> list[TakenOver]:
    """Take results of the cells ``due`` from suites beside ``planned.folder``, and say which.

    A result counts if its record is done under the cell's own identity; one that another suite
    merely accepts while it is stale does not. The record names the suite that it came from under
    ``taken_from`` in its provenance. Cells that somebody is running are left to them.
    """
    others = [folder.parent for folder in sorted(planned.folder.parent.glob("*/records"))]
    others = [folder for folder in others if folder.name != planned.folder.name]
    taken = []
    for entry in due:
        if entry.identity is None or entry.state in ("running", "pending"):
            continue
        for folder in others:
            if not records.record_path(folder, entry.cell).is_file():
                continue
            found = plan.judge(entry, folder)
            if found.state != "done" or found.accepted:
                continue
            with suppress(lease.LeaseHeldError):
                _take(found, folder, planned)
                taken.append(TakenOver(entry.cell, folder.name))
            break
    return taken


def _take(found: PlannedCell, folder: Path, planned: Plan) -> None:
    record, cell = found.record, found.cell
    assert record is not None, "a done cell has a record"
    theirs, ours = CellPaths(folder, cell), CellPaths(planned.folder, cell)
    try:
        with lease.hold(ours.lease):
            ours.resume_point.unlink(missing_ok=True)
            for name in (*LINKED, *COPIED):
                if name != WEIGHTS or planned.suite.checkpoints.keep != "nothing":
                    _put(theirs.folder / name, ours.folder / name)
            if examples.are_wanted(cell, planned.suite):
                examples.copy(folder, planned.folder, cell, record.identity.id)
            told = {"taken_from": record.suite, **record.provenance}
            record = dataclasses.replace(record, suite=planned.suite.name, provenance=told)
            records.write_record(planned.folder, record)
    except OSError as error:
        raise UdabenchError(
            f"{cell}: the result in {folder.name} could not be taken over ({error}); make room or "
            "choose another folder with --out"
        ) from error


def _put(source: Path, target: Path) -> None:
    """Put a file in place under its whole content, if there is one to be had."""
    if not source.is_file():
        target.unlink(missing_ok=True)  # what lies here belongs to an older record
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        if not _linked(source, temporary):
            shutil.copyfile(source, temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _linked(source: Path, target: Path) -> bool:
    """Whether ``target`` is another name of a file that may have several."""
    if source.name not in LINKED:
        return False
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        return False
    return True
