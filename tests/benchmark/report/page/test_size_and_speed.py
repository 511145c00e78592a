"""A paper-sized suite is rendered quickly, to a page that can be sent around."""

from __future__ import annotations

import time
from pathlib import Path

from benchmark import report, suite
from benchmark.cell import Cell
from benchmark.plan import Plan, PlannedCell
from benchmark.records import Cost, DomainMetrics, Identity, Record

CLASSES = [f"class {index}" for index in range(19)]


def test_five_hundred_records_take_at_most_three_seconds(tmp_path: Path) -> None:
    """The whole rendering but figures, which matplotlib draws: grid, tables, formats, page."""
    paper = suite.load("paper").with_overrides(seeds=11)
    entries = tuple(_entry(cell, index) for index, cell in enumerate(paper.cells()))
    assert len(entries) > 500
    plan = Plan(paper, tmp_path / "paper", entries)
    begun = time.process_time()
    written = report.write(plan, figures=False)
    assert time.process_time() - begun < 3
    assert written.problems == ()
    page = plan.folder / report.PAGE
    assert page.stat().st_size < 5 * 2**20
    assert page.read_text(encoding="utf-8").count('<tr id="cell-') == len(entries)


def _entry(cell: Cell, index: int) -> PlannedCell:
    names = ["cityscapes", "acdc", "bdd100k", "mapillary", "dark-zurich", "nighttime-driving"]
    metrics = {
        name: DomainMetrics(
            "target" if place == 0 else "unseen",
            40.0 + index % 17 + place,
            dict.fromkeys(CLASSES, 30.0 + index % 23 + place),
            19,
            90.0,
            500,
        )
        for place, name in enumerate(names)
    }
    identity = Identity(f"{index:032x}", 2, "c", "d", "m")
    cost = Cost(3600.0, 60.0, 0.5, 4.0, 9000.0, 10**8, 10**8, 1.0)
    record = Record("paper", cell, identity, "done", metrics, cost=cost)
    return PlannedCell(cell, identity, {}, "done", "", record)
