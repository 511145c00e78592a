"""Whatever a grid looks like, its tables are printed and no result is lost."""

from __future__ import annotations

import csv
import io
import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st
from scored import scored

from benchmark.cell import Cell
from benchmark.records import DomainMetrics
from benchmark.report import generalization, uda
from benchmark.report.formats.console import console
from benchmark.report.formats.tidy_csv import tidy
from benchmark.report.grid import Domain, Encoder, Grid, Method, Outcome, Shift
from benchmark.report.model import MIOU, MISSING_STATES, STATES, RecordRef, Table
from benchmark.report.tables import TABLES

NAMES = ("road", "a_b & 50 %", "<c>")

titles = st.text(min_size=1, max_size=8)
score = st.one_of(
    st.floats(0, 100), st.integers(0, 100).map(float), st.sampled_from([math.nan, math.inf])
)


def metrics_of(draw: st.DrawFn, miou: dict[str, float]) -> dict[str, DomainMetrics]:
    """Scores with classes, some never labelled, with groups and with other means."""
    iou = draw(st.dictionaries(st.sampled_from(NAMES), st.none() | st.floats(0, 100)))
    parts = st.dictionaries(st.sampled_from(("pooled", "13 classes", *NAMES)), score)
    return scored(miou, per_class_iou=iou, groups=draw(parts), means=draw(parts))


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    roles = draw(
        st.lists(st.sampled_from(["baseline", "control", "uda", "oracle"]), min_size=1, max_size=4)
    )
    methods = tuple(Method(f"m{i}", draw(titles), role) for i, role in enumerate(roles))
    encoders = tuple(
        Encoder(
            f"e{i}", draw(titles), {"pretraining": draw(st.sampled_from(["none", "ImageNet-1k"]))}
        )
        for i in range(draw(st.integers(1, 2)))
    )
    shifts = tuple(
        Shift(
            f"s{i}",
            draw(titles),
            Domain("t", draw(titles)),
            tuple(Domain(f"u{j}", draw(titles)) for j in range(draw(st.integers(0, 2)))),
        )
        for i in range(draw(st.integers(1, 2)))
    )
    seeds = tuple(range(draw(st.integers(1, 3))))
    outcomes: dict[Cell, Outcome] = {}
    for shift, encoder, method, seed in itertools.product(shifts, encoders, methods, seeds):
        cell = Cell(method.name, encoder.name, shift.name, seed)
        state = draw(st.sampled_from(["done", "done", "unplanned", *MISSING_STATES]))
        if state == "unplanned":
            continue
        reason = "" if state == "done" else draw(st.text(max_size=8))
        miou = draw(st.dictionaries(st.sampled_from(["t", "u0", "u1"]), score))
        outcomes[cell] = Outcome(state, metrics_of(draw, miou), reason, RecordRef(cell.stem, "id"))
    return Grid(draw(titles), methods, encoders, shifts, seeds, outcomes)


def measured(grid: Grid, shift: Shift, domain: str) -> set[str]:
    """Records of done cells that have a usable score on ``domain``."""
    return {
        f"{cell.stem}@id"
        for cell, outcome in grid.outcomes.items()
        if cell.shift == shift.name
        and outcome.state == "done"
        and domain in outcome.metrics
        and math.isfinite(outcome.metrics[domain].miou)
    }


def printed(table: Table, shift: Shift, domain: str) -> set[str]:
    """Records that the CSV names behind the mIoU values of ``domain``."""
    lines = csv.DictReader(io.StringIO(tidy(table)))
    return {
        record
        for line in lines
        if (line["shift"], line["domain"], line["quantity"]) == (shift.name, domain, MIOU.name)
        for record in line["records"].split()
    }


@settings(max_examples=60, deadline=None)
@given(grids())
def test_every_done_value_is_in_the_tables(grid: Grid) -> None:
    first, second = uda(grid), generalization(grid)
    for shift in grid.shifts:
        assert printed(first, shift, "t") == measured(grid, shift, "t")
        for domain in shift.unseen:
            assert printed(second, shift, domain.name) == measured(grid, shift, domain.name)
    for table in (build(grid) for build in TABLES):
        used = {number for *_, cell in table.cells() for number in cell.footnotes}
        assert used == set(range(1, len(table.notes) + 1))
        text = console(table)
        assert text.endswith("\n")
        assert "\r" not in text
        for *_, cell in table.cells():
            assert cell.state in STATES
            assert (cell.value is None) == (cell.n == 0)
            if cell.value is not None:
                assert cell.quantity.format(cell.value) in text


@settings(max_examples=30, deadline=None)
@given(grids())
def test_footnotes_are_numbered_in_reading_order(grid: Grid) -> None:
    for table in (build(grid) for build in TABLES):
        seen = [number for *_, cell in table.cells() for number in cell.footnotes]
        assert list(dict.fromkeys(seen)) == list(range(1, len(table.notes) + 1))
