"""The row of class names alone: apart from trained rows, in all formats, absent without records."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable

import pytest
from scored import scored

from benchmark.report.formats import FORMATS
from benchmark.report.formats.console import console
from benchmark.report.formats.html import html
from benchmark.report.grid import Encoder, Grid, Outcome
from benchmark.report.model import RecordRef, Row, Table
from benchmark.report.page.headline import answers
from benchmark.report.tables import conditions, generalization, uda

LABEL = "zero-shot (class names, no training)"
SCORES = {"real": 99.5, "fog": 12.5, "night": 3.25}
REF = RecordRef("vit_b__syn-real", "f00d", "zero_shot")


def probed(grid: Grid, outcome: Outcome) -> Grid:
    return dataclasses.replace(grid, zero_shot={("vit_b", "syn-real"): outcome})


@pytest.fixture
def grid(story: Grid) -> Grid:
    """The story, whose ViT_B scores more by class names than anything that was trained."""
    metrics = scored(SCORES, groups={"fog": 12.5, "night": 3.0}, means={"pooled": 7.0})
    return probed(story, Outcome("done", metrics, record=REF))


def rows(table: Table) -> list[Row]:
    return [row for section in table.sections for row in section.rows if row.labels[0] == LABEL]


def test_it_has_the_scores_of_its_record_and_no_rank(grid: Grid, story: Grid) -> None:
    (row,) = rows(uda(grid))
    section = uda(grid).sections[0]
    values = {
        dict(column.keys)["encoder"]: cell.value
        for column, cell in zip(section.columns, row.cells, strict=True)
        if cell.state != "inapplicable"
    }
    assert values == {"vit_b": 99.5}
    (row,) = rows(generalization(grid))
    assert row.labels == (LABEL, "ViT_B")
    assert [cell.value for cell in row.cells] == [99.5, 12.5, 3.25, (12.5 + 3.25) / 2]
    assert not any(cell.rank or cell.delta or cell.spread for cell in row.cells)
    for build in (uda, generalization):
        trained = [row for row in build(grid).sections[0].rows if row.labels[0] != LABEL]
        assert tuple(trained) == build(story).sections[0].rows, "no other row may change"


def test_conditions_have_their_own_scores(story: Grid) -> None:
    outcomes = {
        cell: dataclasses.replace(
            outcome,
            metrics={
                name: dataclasses.replace(each, groups={"fog": 30.0, "night": 20.0})
                for name, each in outcome.metrics.items()
            },
        )
        for cell, outcome in story.outcomes.items()
    }
    metrics = scored(SCORES, groups={"fog": 12.5, "night": 3.0}, means={"pooled": 7.0})
    grid = probed(dataclasses.replace(story, outcomes=outcomes), Outcome("done", metrics))
    first = conditions(grid).sections[0]
    (row,) = (each for each in first.rows if each.labels[0] == LABEL)
    printed = dict(zip([c.title for c in first.columns], row.cells, strict=True))
    assert printed["fog"].value == 12.5
    assert printed["night"].value == 3.0
    assert printed["all images pooled"].value == 7.0
    assert printed["mean of conditions"].state == "absent"


@pytest.mark.parametrize("build", [uda, generalization])
def test_every_format_has_it_and_none_without_a_record(
    grid: Grid, story: Grid, build: Callable[[Grid], Table]
) -> None:
    for convert in (*FORMATS.values(), console):
        name = "zero-shot"
        assert name in convert(build(grid))
        assert name not in convert(build(story)).lower()
    line = next(
        each
        for each in csv.DictReader(io.StringIO(FORMATS["csv"](build(grid))))
        if each["method"] == "zero-shot" and each["domain"] == "real"
    )
    assert (line["value"], line["records"], line["n"]) == ("99.5", "vit_b__syn-real@f00d", "1")


def test_the_page_links_to_its_record_and_sets_it_apart(grid: Grid) -> None:
    text = html(generalization(grid), records="records")
    assert 'href="zero_shot/vit_b__syn-real.json"' in text
    line = next(each for each in text.splitlines() if 'data-method="zero-shot"' in each)
    assert 'class="apart"' in line


def test_the_headline_is_about_what_was_trained(grid: Grid, story: Grid) -> None:
    tables = (uda(grid), generalization(grid))
    assert answers(grid, tables) == answers(story, (uda(story), generalization(story)))


@pytest.mark.parametrize("state", ["stale", "failed"])
def test_a_record_that_does_not_count_is_named_without_its_numbers(story: Grid, state: str) -> None:
    reason = "training or evaluation configuration changed"
    grid = probed(story, Outcome(state, scored(SCORES), reason=reason))
    for build in (uda, generalization):
        table = build(grid)
        (row,) = rows(table)
        assert {cell.state for cell in row.cells} - {"inapplicable"} == {state}
        assert not any(cell.value for cell in row.cells)
        assert f"{LABEL}: {state} ({reason})" in table.notes


def test_a_piece_of_a_table_leaves_out_the_row_that_has_nothing_there(grid: Grid) -> None:
    """Nine encoders do not fit beside each other: only the piece with ViT_B has the row."""
    others = tuple(Encoder(f"e{index}", f"Encoder {index}") for index in range(7))
    wide = dataclasses.replace(grid, encoders=(*grid.encoders, *others))
    for convert in (FORMATS["md"], FORMATS["tex"], console):
        lines = [line.lstrip("| ") for line in convert(uda(wide)).splitlines()]
        pieces = [line for line in lines if line.startswith(("Source-only  ", "Source-only &"))]
        assert len(pieces) > 1
        assert sum(line.startswith(LABEL) for line in lines) == 1
