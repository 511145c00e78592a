"""The state of the grid: every cell with its files, and how far each combination has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.cell import Cell
from benchmark.report.grid import Grid, Outcome, Shift
from benchmark.report.model import MIOU

if TYPE_CHECKING:
    from benchmark.report.gather import PlanLike

SHAPES: Mapping[str, str] = {
    "done": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-1.2 10.4L3.6 8.2l1.3-1.3 1.9 1.9 4.3-4.3 1.3 1.3Z",
    "running": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2v10A5 5 0 0 1 8 3Z",
    "failed": "M3.4 1.6 8 6.2l4.6-4.6 1.8 1.8L9.8 8l4.6 4.6-1.8 1.8L8 9.8l-4.6 4.6-1.8-1.8L6.2 8 "
    "1.6 3.4Z",
    "stale": "M8 1 15.5 15H.5Zm-1 5v4.5h2V6Zm0 5.7v1.8h2v-1.8Z",
    "missing": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2a5 5 0 1 1 0 10A5 5 0 0 1 8 3Z",
    "excluded": "M1.5 6.8h13v2.4h-13Z",
    "partial": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2v10A5 5 0 0 0 8 3Z",
}
"""State -> the outline of its sign in a square of 16 units: no two are told by colour alone."""


@dataclass(frozen=True)
class Entry:
    """One cell as the page lists it. ``stem`` names its files and its row on the page.

    ``files`` are links below the suite's result folder, by name. Every cell with a record has all
    three: whether configuration and log lie on this machine must not change the page.
    """

    cell: Cell
    stem: str
    state: str
    reason: str
    target: float | None
    unseen: float | None
    hours: float | None
    files: tuple[tuple[str, str], ...]

    @property
    def scores(self) -> tuple[str, str]:
        """mIoU on the target and the mean over unseen domains, as printed."""
        values = (self.target, self.unseen)
        return tuple("" if v is None else MIOU.format(v) for v in values)  # type: ignore[return-value]


@dataclass(frozen=True)
class Square:
    """The seeds of one method, encoder and shift. ``state`` is that of all, or ``partial``."""

    method: str
    encoder: str
    state: str
    done: int
    expected: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Matrix:
    """The squares of a shift, a row a method in the grid's order, an encoder a column."""

    shift: str
    title: str
    rows: tuple[tuple[str, str, tuple[Square, ...]], ...]


def entries(plan: PlanLike, grid: Grid) -> tuple[Entry, ...]:
    """Every cell of the plan, in its order."""
    shifts = {shift.name: shift for shift in grid.shifts}
    recorded = {each.cell for each in plan.entries if each.record is not None}
    return tuple(
        _entry(each.cell, grid.outcomes[each.cell], shifts, each.cell in recorded)
        for each in plan.entries
    )


def counts(listed: Sequence[Entry]) -> tuple[tuple[str, int], ...]:
    """How many cells are in each state that occurs."""
    counted = Counter(each.state for each in listed)
    return tuple((state, counted[state]) for state in SHAPES if counted[state])


def matrices(grid: Grid, listed: Sequence[Entry]) -> tuple[Matrix, ...]:
    """One matrix a shift."""
    found: dict[tuple[str, str, str], list[Entry]] = {}
    for each in listed:
        found.setdefault((each.cell.shift, each.cell.method, each.cell.encoder), []).append(each)
    return tuple(
        Matrix(
            shift.name,
            shift.title,
            tuple(
                (
                    method.name,
                    method.title,
                    tuple(
                        _square(
                            method.name,
                            encoder.name,
                            found.get((shift.name, method.name, encoder.name), []),
                        )
                        for encoder in grid.encoders
                    ),
                )
                for method in grid.methods
            ),
        )
        for shift in grid.shifts
    )


def _square(method: str, encoder: str, seeds: Sequence[Entry]) -> Square:
    ordered = tuple(sorted(seeds, key=lambda each: each.cell.seed))
    asked = [each.state for each in ordered if each.state != "excluded"]
    done = asked.count("done")
    if not asked:
        state = "excluded" if ordered else "missing"
    elif 0 < done < len(asked):
        state = "partial"
    else:
        state = next((each for each in SHAPES if each in asked), "missing")
    return Square(method, encoder, state, done, len(asked), ordered)


def _entry(cell: Cell, outcome: Outcome, shifts: Mapping[str, Shift], recorded: bool) -> Entry:
    shift = shifts[cell.shift]
    unseen = [outcome.miou(domain.name) for domain in shift.unseen]
    known = [value for value in unseen if value is not None]
    whole = bool(known) and len(known) == len(unseen)
    files = {
        "record": f"records/{cell.stem}.json",
        "config": f"cells/{cell.stem}/config.json",
        "log": f"cells/{cell.stem}/log.txt",
    }
    return Entry(
        cell,
        cell.stem,
        outcome.state,
        outcome.reason,
        outcome.miou(shift.target.name),
        sum(known) / len(known) if whole else None,
        outcome.device_hours,
        tuple(files.items()) if recorded else (),
    )
