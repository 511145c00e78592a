"""The order in which cells start."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from benchmark.cell import Cell
from benchmark.engines.order import ordered
from benchmark.plan import PlannedCell
from benchmark.records import Cost, Identity, Record
from benchmark.suite import Budget, Suite

IDENTITY = Identity("id", 1, "config", "data", "metric")
SUITE = Suite("s", "S", "p", ("a", "b", "c"), ("x", "y"), ("t",), (0, 1), (), Budget(), Path("s"))


def planned(method: str, encoder: str, seed: int, seconds: float | None = None) -> PlannedCell:
    cell = Cell(method, encoder, "t", seed)
    if seconds is None:
        return PlannedCell(cell, IDENTITY, {}, "missing", "")
    cost = Cost(seconds, 1.0, 0.0, 0.0, 0.0, 1, 1, 0.0)
    record = Record("s", cell, IDENTITY, "done", cost=cost)
    return PlannedCell(cell, IDENTITY, {}, "done", "", record)


def order(due: list[PlannedCell], known: list[PlannedCell], suite: Suite = SUITE) -> list[str]:
    return [
        f"{e.cell.method}{e.cell.encoder}{e.cell.seed}" for e in ordered(due, known + due, suite)
    ]


def test_what_takes_longest_comes_first_and_the_rest_as_in_the_grid() -> None:
    due = [planned(m, e, 1) for m in "abc" for e in "xy"]
    assert order(due, []) == ["ax1", "ay1", "bx1", "by1", "cx1", "cy1"]
    known = [planned("b", "y", 0, 5.0), planned("c", "x", 0, 90.0), planned("b", "y", 2, 15.0)]
    assert order(due, known) == ["cx1", "by1", "ax1", "ay1", "bx1", "cy1"]


def test_priorities_come_before_durations() -> None:
    due = [planned(m, e, 1) for m in "abc" for e in "xy"]
    suite = dataclasses.replace(
        SUITE, priority=({"method": ("b",), "encoder": ("y",)}, {"encoder": ("y",)})
    )
    known = [planned("c", "x", 0, 90.0), planned("c", "y", 0, 9.0)]
    assert order(due, known, suite) == ["by1", "cy1", "ay1", "cx1", "ax1", "bx1"]
