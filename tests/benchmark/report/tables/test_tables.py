from __future__ import annotations

import csv
import dataclasses
import io
import statistics
from collections.abc import Iterable

import pytest
from scored import scored

from benchmark.cell import Cell
from benchmark.report import gather, generalization, uda
from benchmark.report.formats.markdown import markdown
from benchmark.report.formats.tidy_csv import tidy
from benchmark.report.grid import Domain, Grid, Outcome, Shift
from benchmark.report.model import Table, TableCell


def at(table: Table, **keys: str) -> TableCell:
    """The one cell with these coordinates; ``quantity`` defaults to mIoU."""
    quantity = keys.pop("quantity", "miou")
    found = [
        cell
        for section, row, column, cell in table.cells()
        if cell.quantity.name == quantity
        and keys.items() <= dict((*section.keys, *row.keys, *column.keys)).items()
    ]
    assert len(found) == 1, f"{len(found)} cells at {keys}"
    return found[0]


def notes(table: Table, cell: TableCell) -> list[str]:
    return [table.notes[number - 1] for number in cell.footnotes]


def without(grid: Grid, cells: Iterable[Cell], outcome: Outcome) -> Grid:
    changed = {**grid.outcomes, **dict.fromkeys(cells, outcome)}
    return dataclasses.replace(grid, outcomes=changed)


def one_seed(grid: Grid) -> Grid:
    return dataclasses.replace(grid, seeds=(0,))


def seeds_of(method: str, encoder: str, seeds: Iterable[int] = range(3)) -> list[Cell]:
    return [Cell(method, encoder, "syn-real", seed) for seed in seeds]


def scores(grid: Grid, method: str, encoder: str, domain: str) -> dict[int, float]:
    outcomes = {
        cell.seed: grid.outcomes[cell]
        for cell in seeds_of(method, encoder)
        if grid.outcomes[cell].state == "done"
    }
    return {seed: o.metrics[domain].miou for seed, o in outcomes.items() if domain in o.metrics}


def test_values_gains_and_shares_against_a_second_computation(story: Grid) -> None:
    table = uda(story)
    compared = 0
    for encoder in ("resnet", "vit_b"):
        floor, ceiling = (scores(story, m, encoder, "real") for m in ("source-only", "oracle"))
        for method in ("source-aug", "dacs", "advent"):
            values = scores(story, method, encoder, "real")
            if not values:
                continue
            cell = at(table, method=method, encoder=encoder)
            gain = at(table, method=method, encoder=encoder, quantity="gain")
            share = at(table, method=method, encoder=encoder, quantity="gap_closed")
            assert cell.value == pytest.approx(sum(values.values()) / len(values))
            assert gain.value == pytest.approx(
                sum(value - floor[seed] for seed, value in values.items()) / len(values)
            )
            common = set(values) & set(floor) & set(ceiling)
            m, s, o = (sum(x[k] for k in common) for x in (values, floor, ceiling))
            assert share.value == pytest.approx((m - s) / (o - s))
            assert share.n == len(common)
            if len(values) > 1:
                assert cell.spread == pytest.approx(statistics.stdev(values.values()))
            compared += 1
    assert compared == 4


def test_the_gain_pairs_seeds(story: Grid) -> None:
    gain = at(uda(story), method="dacs", encoder="vit_b", quantity="gain")
    assert (gain.value, gain.spread, gain.n) == (12.0, 0.0, 3)


def test_one_seed_has_neither_spread_nor_seed_notes(story: Grid) -> None:
    table = uda(one_seed(story))
    cell = at(table, method="dacs", encoder="resnet")
    assert (cell.value, cell.spread, cell.n, cell.state) == (50.0, None, 1, "done")
    assert "One seed, so no spread is known." in table.caption
    assert not any("of 1 seeds" in note for note in table.notes)


def test_missing_seeds_leave_the_mean_of_the_others_and_a_note(story: Grid) -> None:
    table = uda(story)
    cell = at(table, method="advent", encoder="resnet")
    assert (cell.value, cell.n, cell.expected, cell.state) == (43.0, 1, 3, "partial")
    assert notes(table, cell) == [
        "1 of 3 seeds: seed 1 failed (nan: loss is not finite); seed 2 missing"
    ]


@pytest.mark.parametrize("state", ["failed", "running", "stale", "missing", "excluded"])
def test_a_cell_without_any_seed_shows_its_state(story: Grid, state: str) -> None:
    grid = without(story, seeds_of("dacs", "resnet"), Outcome(state, reason="why"))
    table = uda(grid)
    cell = at(table, method="dacs", encoder="resnet")
    assert (cell.value, cell.n, cell.state) == (None, 0, state)
    told = [] if state in ("running", "missing") else [f"{state} (why)"]
    assert notes(table, cell) == told
    gain = at(table, method="dacs", encoder="resnet", quantity="gain")
    assert (gain.value, gain.state, gain.footnotes) == (None, state, ())


def test_mixed_states_name_their_seeds_and_show_the_failure(story: Grid) -> None:
    grid = without(story, seeds_of("dacs", "resnet", [0, 2]), Outcome("failed", reason="oom"))
    table = uda(without(grid, seeds_of("dacs", "resnet", [1]), Outcome("running")))
    cell = at(table, method="dacs", encoder="resnet")
    assert cell.state == "failed"
    assert notes(table, cell) == ["seeds 0, 2 failed (oom); seed 1 running"]


def test_accepted_stale_records_are_told_beside_missing_seeds(story: Grid) -> None:
    cells = [Cell("dacs", "vit_b", "syn-real", seed) for seed in range(3)]
    stale = {each: dataclasses.replace(story.outcomes[each], reason="old data") for each in cells}
    gone = {cells[2]: Outcome("missing")}
    some = {cells[0]: stale[cells[0]]}
    for changes, expected in (
        (stale, ("old data",)),
        (some, ("seed 0 old data",)),
        (stale | gone, ("2 of 3 seeds: seed 2 missing", "seeds 0, 1 old data")),
    ):
        table = uda(dataclasses.replace(story, outcomes={**story.outcomes, **changes}))
        row = next(row for row in table.sections[0].rows if row.labels == ("DACS",))
        marks = row.cells[2].footnotes
        assert tuple(table.notes[mark - 1] for mark in marks) == expected


def test_an_excluded_seed_is_not_expected(story: Grid) -> None:
    grid = without(story, seeds_of("dacs", "resnet", [2]), Outcome("excluded", reason="budget"))
    table = uda(grid)
    cell = at(table, method="dacs", encoder="resnet")
    assert (cell.n, cell.expected, cell.state, cell.rank) == (2, 2, "done", 1)
    assert notes(table, cell) == ["seed 2 excluded (budget)"]


def test_without_the_baseline_s_results_there_is_no_gain(story: Grid) -> None:
    table = uda(without(story, seeds_of("source-only", "resnet"), Outcome("missing")))
    gain = at(table, method="dacs", encoder="resnet", quantity="gain")
    share = at(table, method="dacs", encoder="resnet", quantity="gap_closed")
    assert (gain.value, gain.state) == (None, "undefined")
    assert notes(table, gain) == ["no gain: Source-only lacks a result with the same seed"]
    assert (share.value, share.state) == (None, "undefined")
    assert at(table, method="dacs", encoder="vit_b", quantity="gain").value == 12.0


def test_a_partly_missing_baseline_shortens_the_gain(story: Grid) -> None:
    table = uda(without(story, seeds_of("source-only", "resnet", [2]), Outcome("failed")))
    gain = at(table, method="dacs", encoder="resnet", quantity="gain")
    assert (gain.value, gain.n, gain.state) == (10.0, 2, "partial")
    assert notes(table, gain) == ["gain over 2 of 3 seeds: Source-only lacks the others"]


def test_a_partly_missing_oracle_shortens_the_share(story: Grid) -> None:
    table = uda(story)
    share = at(table, method="dacs", encoder="vit_b", quantity="gap_closed")
    assert share.value == pytest.approx((58.5 - 46.5) / (69.0 - 46.5))
    assert notes(table, share) == ["share of the gap over 2 of 3 seeds: Oracle lacks the others"]


def test_no_seed_in_common_with_both_references(story: Grid) -> None:
    grid = without(story, seeds_of("source-only", "resnet", [0]), Outcome("missing"))
    table = uda(without(grid, seeds_of("oracle", "resnet", [1, 2]), Outcome("missing")))
    share = at(table, method="dacs", encoder="resnet", quantity="gap_closed")
    assert notes(table, share) == [
        "no share of the gap: Source-only and Oracle lack a result with the same seed"
    ]


def test_an_oracle_below_the_baseline_leaves_no_gap(story: Grid) -> None:
    low = Outcome("done", scored({"real": 30.0, "fog": 20.0, "night": 10.0}))
    table = uda(without(story, seeds_of("oracle", "resnet"), low))
    share = at(table, method="dacs", encoder="resnet", quantity="gap_closed")
    assert share.value is None
    assert notes(table, share) == [
        "no gap to close: Oracle is less than 0.1 points above Source-only"
    ]


def test_references_have_no_gain_or_share_over_themselves(story: Grid) -> None:
    table = uda(story)
    for method, quantity in [
        ("source-only", "gain"),
        ("source-only", "gap_closed"),
        ("oracle", "gap_closed"),
    ]:
        cell = at(table, method=method, encoder="resnet", quantity=quantity)
        assert cell.state == "inapplicable"
    assert at(table, method="oracle", encoder="resnet", quantity="gain").value == 21.0


def test_without_references_the_columns_are_left_out(story: Grid) -> None:
    methods = tuple(method for method in story.methods if method.role in ("control", "uda"))
    table = uda(dataclasses.replace(story, methods=methods))
    assert {cell.quantity.name for *_, cell in table.cells()} == {"miou"}
    assert not any("Gain" in sentence or "Gap" in sentence for sentence in table.caption)


def test_the_baseline_of_the_usual_name_is_the_reference(story: Grid) -> None:
    advent = next(method for method in story.methods if method.name == "advent")
    others = [method for method in story.methods if method.name != "advent"]
    methods = (dataclasses.replace(advent, role="baseline"), *others)
    chosen = dataclasses.replace(story, methods=methods).reference("baseline")
    assert chosen is not None
    assert chosen.name == "source-only"


def test_best_and_second_by_encoder_without_the_oracle(story: Grid) -> None:
    table = uda(story)
    ranked = {
        method: at(table, method=method, encoder="resnet").rank
        for method in ("source-only", "source-aug", "dacs", "advent", "oracle")
    }
    assert ranked == {"source-only": 3, "source-aug": 2, "dacs": 1, "advent": None, "oracle": None}


def test_the_mean_of_unseen_domains_is_taken_within_each_seed(story: Grid) -> None:
    table = generalization(story)
    cell = at(table, method="dacs", encoder="vit_b", domain="mean of unseen")
    values = [value - 12 for value in (57.0, 58.0, 59.0)]
    assert cell.value == pytest.approx(statistics.mean(values))
    assert cell.spread == pytest.approx(statistics.stdev(values))


def test_a_domain_absent_in_a_record_is_no_zero(story: Grid) -> None:
    table = generalization(story)
    fog, night, mean = (
        at(table, method="dacs", encoder="resnet", domain=domain)
        for domain in ("fog", "night", "mean of unseen")
    )
    assert (fog.n, night.n, mean.n) == (3, 2, 2)
    assert mean.value == pytest.approx(((50 - 12) + (51 - 12)) / 2)
    assert notes(table, mean) == ["2 of 3 seeds: seed 2 absent (the record has no score on night)"]


def test_a_record_without_the_domain_in_the_only_seed(story: Grid) -> None:
    done = Outcome("done", scored({"real": 50.0, "fog": float("nan")}))
    table = generalization(one_seed(without(story, seeds_of("dacs", "resnet"), done)))
    cell = at(table, method="dacs", encoder="resnet", domain="mean of unseen")
    assert (cell.value, cell.state) == (None, "absent")
    assert notes(table, cell) == ["absent (the record has no score on fog, night)"]


def test_shifts_without_unseen_domains_have_no_section(story: Grid) -> None:
    closed = Shift("closed", "closed", Domain("real", "real"))
    mixed = generalization(dataclasses.replace(story, shifts=(closed, *story.shifts)))
    assert [section.title for section in mixed.sections] == ["synthetic -> real"]
    alone = generalization(dataclasses.replace(story, shifts=(closed,)))
    assert alone.sections == ()
    assert alone.caption == ("No shift of this suite names unseen domains.",)


def test_every_shift_is_ranked_for_itself(story: Grid) -> None:
    other = dataclasses.replace(story.shifts[0], name="other", title="other")
    moved = {
        dataclasses.replace(cell, shift="other"): dataclasses.replace(
            outcome, metrics=scored({name: m.miou / 2 for name, m in outcome.metrics.items()})
        )
        for cell, outcome in story.outcomes.items()
    }
    grid = dataclasses.replace(
        story, shifts=(*story.shifts, other), outcomes={**story.outcomes, **moved}
    )
    table = uda(grid)
    assert at(table, shift="other", method="dacs", encoder="vit_b").rank == 1
    assert at(table, shift="syn-real", method="dacs", encoder="vit_b").rank == 1


def test_a_shortened_training_is_said(story: Grid) -> None:
    short = dataclasses.replace(story, iterations=5)
    for table in (uda(short), generalization(short)):
        assert any("5 iterations" in sentence for sentence in table.caption)
    assert not any("iterations" in sentence for sentence in uda(story).caption)


def test_numbers_name_their_records(story: Grid) -> None:
    gain = at(uda(story), method="advent", encoder="resnet", quantity="gain")
    assert [str(ref) for ref in gain.records] == [
        "advent__resnet__syn-real__seed0@id-advent-0",
        "source-only__resnet__syn-real__seed0@id-source-only-0",
    ]


def test_columns_carry_the_notes_of_their_domains(story: Grid) -> None:
    variant = "fog: labels by the map robustnet"
    fog = dataclasses.replace(story.shifts[0].unseen[0], note=variant)
    shift = dataclasses.replace(story.shifts[0], unseen=(fog, story.shifts[0].unseen[1]))
    cell = Cell("dacs", "resnet", "syn-real", 0)
    subset = {"real": ("mean of 16 classes",)}
    found = story.outcomes[cell].metrics
    metrics = {
        name: dataclasses.replace(each, notes=subset.get(name, ())) for name, each in found.items()
    }
    outcome = dataclasses.replace(story.outcomes[cell], metrics=metrics)
    grid = dataclasses.replace(story, shifts=(shift,), outcomes={**story.outcomes, cell: outcome})
    table = generalization(grid)
    (section,) = table.sections
    noted = {c.title: [table.notes[n - 1] for n in c.footnotes] for c in section.columns}
    assert noted == {
        "real (target)": ["real: mean of 16 classes"],
        "fog": [variant],
        "night": [],
        "mean of unseen": [variant],
    }
    text = markdown(table)
    number = table.notes.index(variant) + 1
    assert f" fog [{number}] |" in text
    assert f"{number}. {variant}" in text
    rows = list(csv.DictReader(io.StringIO(tidy(table))))
    assert {row["domain"] for row in rows if variant in row["notes"]} == {"fog", "mean of unseen"}
    plain = generalization(story)
    assert not any(column.footnotes for column in plain.sections[0].columns)


def test_two_label_maps_of_one_data_set_are_two_columns_that_say_so() -> None:
    notes = {name: gather._variant(name, name) for name in ("mapillary", "mapillary-openseg")}
    assert "by the map robustnet" in notes["mapillary"]
    assert "by the map openseg" in notes["mapillary-openseg"]
    assert gather._variant("cityscapes", "CS") == ""
    assert gather._variant("minidrive-fog", "fog") == ""


def test_shares_of_a_small_gap_are_marked(story: Grid) -> None:
    """ResNet's oracle is 21 points above source-only; here it is 4, of which one is a quarter."""
    outcomes = dict(story.outcomes)
    for cell in seeds_of("oracle", "resnet"):
        floor = story.outcomes[dataclasses.replace(cell, method="source-only")]
        metrics = {
            name: dataclasses.replace(each, miou=each.miou + 4)
            for name, each in floor.metrics.items()
        }
        outcomes[cell] = dataclasses.replace(floor, metrics=metrics)
    table = uda(dataclasses.replace(story, outcomes=outcomes))
    marked = [column for column in table.sections[0].columns if column.footnotes]
    assert [(c.quantity.name, c.group) for c in marked] == [("gap_closed", "ResNet")]
    (number,) = marked[0].footnotes
    assert table.notes[number - 1] == "ResNet: shares of 4.0 points only, of which one is 25 %"
