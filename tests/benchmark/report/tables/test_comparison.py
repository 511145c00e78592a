"""The comparison table: which published rows stand where, and what is ranked with what."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
from scored import scored

from benchmark import published
from benchmark import suite as suites
from benchmark.cell import Cell
from benchmark.plan import Plan
from benchmark.published import PublishedResult
from benchmark.report.gather import from_plan
from benchmark.report.grid import Domain, Encoder, Grid, Method, Outcome, Shift
from benchmark.report.model import RecordRef, Row, Table
from benchmark.report.tables import comparison

SHIFT = Shift(
    "move",
    "gta5 -> cityscapes",
    Domain("cityscapes", "CS"),
    (Domain("mapillary", "Map"), Domain("acdc", "ACDC")),
    source="gta5",
)


def result(method: str, domain: str = "cityscapes", miou: float = 50.0, **more: object) -> object:
    values: dict[str, object] = {
        "study": "Study",
        "arxiv": "",
        "year": None,
        "method": method,
        "encoder": "other net",
        "pretraining": "",
        "source": "gta5",
        "target": "",
        "domain": domain,
        "split": "val",
        "classes": 19,
        "miou": miou,
        "spread": None,
        "seeds": None,
        "iterations": None,
        "crop": "",
        "protocol": "daformer",
        "variant": "",
        "shown": True,
        "where": "Table 1",
        "note": "",
    }
    return PublishedResult(**(values | more))  # type: ignore[arg-type]


def table_of(
    monkeypatch: pytest.MonkeyPatch,
    *results: object,
    shift: Shift = SHIFT,
    run: bool = True,
    evaluations: Mapping[str, str] | None = None,
) -> Table:
    monkeypatch.setattr(published, "load", lambda: results)
    outcomes = {
        Cell("uda", "e", "move", 0): Outcome(
            "done",
            scored({"cityscapes": 60.0, "mapillary": 40.0, "acdc": 30.0}),
            record=RecordRef("stem", "id"),
        )
    }
    return comparison(
        Grid(
            "G",
            (Method("base", "Base", "baseline"), Method("uda", "Uda")),
            (Encoder("e", "E"),),
            (shift,),
            (0,),
            outcomes if run else {},
            evaluation="daformer",
            evaluations=evaluations or {},
        )
    )


def rows(table: Table, section: int) -> dict[str, Row]:
    return {row.labels[0]: row for row in table.sections[section].rows}


def test_a_row_scored_alike_stands_beside_ours_and_is_ranked_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = table_of(
        monkeypatch,
        result("Theirs", miou=65.0, spread=0.5, seeds=3, target="cityscapes", arxiv="2111.14887"),
    )
    (section,) = table.sections
    assert section.stub == ("Method", "Encoder", "Target images")
    found = rows(table, 0)
    assert list(found) == ["Base", "Uda", "Theirs"]
    theirs = found["Theirs"]
    assert theirs.source == "Study (arXiv 2111.14887): Table 1"
    assert theirs.labels == ("Theirs", "other net", "yes")
    cell = theirs.cells[0]
    assert (cell.value, cell.spread, cell.n, cell.rank) == (65.0, 0.5, 3, 1)
    assert found["Uda"].cells[0].rank == 2
    assert not found["Uda"].source
    assert [each.state for each in theirs.cells[1:]] == ["inapplicable", "inapplicable"]
    assert [each.state for each in found["Base"].cells] == ["missing"] * 3


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"protocol": "rein"}, None),
        ({"protocol": "other"}, None),
        ({"variant": "test-time augmentation"}, "test-time augmentation"),
        ({"split": "test"}, "on the test split"),
        ({"split": "not stated"}, "split not stated"),
        ({"classes": 16}, "mean of 16 classes"),
        ({"classes": None}, "number of classes not stated"),
    ],
)
def test_what_was_scored_otherwise_is_never_ranked_with_ours(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, object], remark: str | None
) -> None:
    table = table_of(monkeypatch, result("Theirs", miou=99.0, **change))
    assert len(table.sections) == 2
    assert "Theirs" not in rows(table, 0)
    assert rows(table, 0)["Uda"].cells[0].rank is None  # nothing to be compared with
    assert table.sections[1].title.endswith("another protocol, not ranked with ours")
    theirs = rows(table, 1)["Theirs"]
    assert theirs.cells[0].rank is None
    assert theirs.source
    said = [table.notes[number - 1] for number in theirs.cells[0].footnotes]
    assert said == ([remark] if remark else [])


def test_our_method_of_another_protocol_is_not_ranked_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = table_of(
        monkeypatch, result("Theirs", miou=55.0), evaluations={"uda": "hrda", "base": "daformer"}
    )
    cell = rows(table, 0)["Uda"].cells[0]
    assert (cell.value, cell.rank) == (60.0, None)
    said = [table.notes[number - 1] for number in cell.footnotes]
    assert said == ["Uda: scored as in hrda, so not ranked"]
    assert rows(table, 0)["Base"].cells[0].footnotes == ()


def test_another_label_map_is_told_and_not_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(monkeypatch, result("Theirs", "mapillary-openseg", 70.0))
    cell = rows(table, 1)["Theirs"].cells[1]
    assert (cell.value, cell.rank) == (70.0, None)
    assert table.notes[cell.footnotes[0] - 1] == "Mapillary labels by the map openseg"


def test_published_means_get_a_column_with_our_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(monkeypatch, result("Theirs", "mean of cityscapes+mapillary", 55.0))
    section = table.sections[0]
    assert [column.title for column in section.columns][-1] == "mean of CS, Map"
    assert rows(table, 0)["Uda"].cells[-1].value == 50.0
    assert rows(table, 0)["Theirs"].cells[-1].value == 55.0
    assert rows(table, 0)["Theirs"].cells[-1].rank == 1


def test_numbers_of_one_system_share_a_row_and_validation_goes_before_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = table_of(
        monkeypatch,
        result("Theirs", "acdc", 45.0, split="test", protocol="rein", where="Table 2"),
        result("Theirs", "acdc", 44.0, protocol="rein"),
        result("Theirs", "cityscapes", 66.0, protocol="rein"),
    )
    (theirs,) = table.sections[1].rows
    assert [cell.value for cell in theirs.cells] == [66.0, None, 44.0]
    assert theirs.source == "Study: Table 2; Table 1"


def test_other_sources_targets_and_rows_not_chosen_stay_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = (
        result("A", source="synthia"),
        result("B", target="acdc"),
        result("C", shown=False),
        result("D", "wilddash2"),
    )
    assert table_of(monkeypatch, *others).sections == ()


def test_it_stands_before_anything_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(monkeypatch, result("Theirs"), run=False)
    found = rows(table, 0)
    assert {cell.state for cell in (*found["Base"].cells, *found["Uda"].cells)} == {"missing"}
    assert found["Theirs"].cells[0].value == 50.0


def test_the_shipped_numbers_have_rows_for_the_known_shifts() -> None:
    for source, target in (
        ("gta5", "cityscapes"),
        ("synthia", "cityscapes"),
        ("cityscapes", "acdc"),
        ("cityscapes", "dark-zurich"),
    ):
        shift = Shift("x", "x", Domain(target, target), (Domain("bdd100k", "BDD"),), source=source)
        table = comparison(Grid("G", (), (), (shift,), (0,), {}, evaluation="daformer"))
        assert table.sections
        assert all(row.source for section in table.sections for row in section.rows)


def test_a_plan_says_source_classes_and_preset(tmp_path: Path) -> None:
    suite = suites.load("paper")
    changed = dataclasses.replace(suite, shifts=("gta5-cityscapes", "synthia-cityscapes"))
    grid = from_plan(Plan(changed, tmp_path, ()))
    described = [(shift.source, shift.classes) for shift in grid.shifts]
    assert described == [("gta5", 19), ("synthia", 16)]
    assert grid.evaluation == "daformer"
    assert [claim.name for claim in grid.claims] == list(suite.claims)
