"""Tables by condition, class, cost and feature distance, and what a suite chooses of them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scored import scored

from benchmark import suite, table_names
from benchmark.cell import Cell
from benchmark.errors import SuiteError
from benchmark.probes import Probe
from benchmark.records import Cost
from benchmark.report import gather
from benchmark.report.grid import Domain, Encoder, Grid, Method, Outcome, Shift
from benchmark.report.model import Row, Table
from benchmark.report.tables import TABLES, build, conditions, feature_distance, overhead
from benchmark.report.tables.feature_distance import WINDOW
from benchmark.report.tables.generalization import generalization
from benchmark.report.tables.per_class import per_class
from benchmark.report.tables.profile import profile
from benchmark.report.tables.uda import uda

COST = Cost(90.0, 5.0, 0.25, 8.0, 1023.6, 2_500_000, 1_250_000, 0.5)


def every(grid: Grid, **changes: Any) -> Grid:
    """``grid`` with these fields in every done outcome."""
    outcomes = {
        cell: dataclasses.replace(outcome, **changes) if outcome.state == "done" else outcome
        for cell, outcome in grid.outcomes.items()
    }
    return dataclasses.replace(grid, outcomes=outcomes)


def row(table: Table, *labels: str) -> dict[str, Any]:
    """The cells of a row by the name of their quantity."""
    found: list[Row] = [r for s in table.sections for r in s.rows if r.labels == labels]
    assert len(found) == 1
    return {cell.quantity.name: cell for cell in found[0].cells}


def with_metrics(grid: Grid, **more: Any) -> Grid:
    metrics = scored({"real": 50.0, "fog": 40.0, "night": 30.0}, **more)
    return every(grid, metrics=metrics)


def pretrained(grid: Grid, *pretraining: str) -> Grid:
    encoders = tuple(
        dataclasses.replace(encoder, card={"pretraining": each})
        for encoder, each in zip(grid.encoders, pretraining, strict=True)
    )
    return dataclasses.replace(grid, encoders=encoders)


def test_conditions_stand_beside_both_means(story: Grid) -> None:
    grid = with_metrics(
        story, groups={"rain": 45.0, "fog": 55.0}, means={"pooled": 51.0, "mean of groups": 50.0}
    )
    table = conditions(grid)
    assert [section.title for section in table.sections] == [
        f"synthetic -> real, {domain}" for domain in ("real", "fog", "night")
    ]
    titles = [column.title for column in table.sections[0].columns]
    assert titles == ["fog", "rain", "mean of conditions", "all images pooled"]
    cells = next(r for r in table.sections[0].rows if r.labels == ("DACS", "ResNet")).cells
    assert [cell.value for cell in cells] == [55.0, 45.0, 50.0, 51.0]
    assert conditions(story).sections == ()


def test_a_class_without_labels_is_a_dash_with_a_word(story: Grid) -> None:
    grid = with_metrics(story, per_class_iou={"sky": 70.0, "bus": None, "road": 90.0})
    table = per_class(grid)
    assert [section.title for section in table.sections] == [
        "synthetic -> real, ResNet",
        "synthetic -> real, ViT_B",
    ]
    assert [c.title for c in table.sections[0].columns] == ["road", "sky", "bus", "mIoU"]
    cells = table.sections[0].rows[2].cells
    assert [cell.value for cell in cells] == [90.0, 70.0, None, 50.0]
    assert [table.notes[n - 1] for n in cells[2].footnotes] == [
        "bus never occurs in the labels of real"
    ]


def test_costs_are_means_over_seeds_and_name_their_machine(story: Grid) -> None:
    told = {"devices": ["cpu"], "processor": "Quick & Co", "threads": 2}
    grid = every(story, cost=COST, provenance=told)
    slow = Cell("dacs", "vit_b", "syn-real", 1)
    other = dataclasses.replace(
        grid.outcomes[slow], cost=dataclasses.replace(COST, seconds_per_iteration=0.55)
    )
    grid = dataclasses.replace(grid, outcomes={**grid.outcomes, slow: other})
    cells = row(overhead(grid), "DACS", "ViT_B")
    assert cells["seconds_per_iteration"].value == pytest.approx((0.25 + 0.55 + 0.25) / 3)
    assert cells["parameters_m"].value == 2.5
    images = sum(each.images for each in other.metrics.values())
    assert cells["scoring_seconds_per_image"].value == pytest.approx(5.0 / images)
    assert cells["peak_memory_mib"].quantity.format(cells["peak_memory_mib"].value) == "1024"
    assert "Measured on Quick & Co with 2 threads." in overhead(grid).caption
    assert not any("Several" in sentence for sentence in overhead(grid).caption)
    gpu = dataclasses.replace(other, provenance={"devices": ["H100", "H100"]})
    mixed = overhead(dataclasses.replace(grid, outcomes={**grid.outcomes, slow: gpu}))
    assert "Measured on 2 x H100; Quick & Co with 2 threads." in mixed.caption
    assert any("Several machines" in sentence for sentence in mixed.caption)
    assert all(cell.rank is None for *_, cell in mixed.cells())


def test_profiles_have_a_table_by_machine(story: Grid) -> None:
    quick = Probe(
        *("dacs", "vit_b", (512, 512), 2, "bf16", "H100"),
        *(0.25, 9000.4, 2_500_000, 126.35, 884.2, "H100"),
    )
    slow = dataclasses.replace(quick, precision="fp32", machine="Quick & Co", gmacs_step=None)
    other = dataclasses.replace(quick, method="no method of this suite")
    table = profile(dataclasses.replace(story, probes=(quick, slow, other)))
    assert [section.title for section in table.sections] == ["H100", "Quick & Co"]
    (first,), (second,) = (section.rows for section in table.sections)
    assert first.labels == ("DACS", "ViT_B", "512x512, 2, bf16")
    assert [cell.value for cell in first.cells] == [0.25, 9000.4, 2.5, 126.35, 884.2]
    assert second.cells[-1].state == "inapplicable"
    assert profile(story).sections == ()


def test_gmacs_come_from_the_encoder_s_card(story: Grid) -> None:
    encoders = (dataclasses.replace(story.encoders[0], card={"gmacs": {512: 178.5}}),)
    grid = dataclasses.replace(every(story, cost=COST), encoders=(*encoders, story.encoders[1]))
    assert row(overhead(grid), "DACS", "ResNet")["gmacs_512"].value == 178.5
    assert row(overhead(grid), "DACS", "ViT_B")["gmacs_512"].state == "inapplicable"


def test_feature_distance_is_smoothed_before_its_least_value_is_taken(story: Grid) -> None:
    curve = [9.0] * WINDOW + [0.0] + [3.0] * WINDOW
    outcomes = dict(story.outcomes)
    settings: Mapping[str, Any] = {"teacher": "initial", "level": -1, "weight": 0.005}
    for seed in range(3):
        cell = Cell("dacs", "vit_b", "syn-real", seed)
        outcomes[cell] = dataclasses.replace(
            outcomes[cell],
            diagnostics={"curves": {"loss_feature_distance": curve}},
            config={"model": {"feature_distance": settings}},
        )
    table = feature_distance(dataclasses.replace(story, outcomes=outcomes))
    cells = row(table, "DACS", "ViT_B")
    means = [sum(curve[i : i + WINDOW]) / WINDOW for i in range(len(curve) - WINDOW + 1)]
    assert cells["feature_distance_first"].value == 9.0
    assert cells["feature_distance_last"].value == 3.0
    assert cells["feature_distance_least"].value == pytest.approx(min(means))
    assert table.notes == ("teacher initial, level -1, weight 0.005",)
    assert [len(section.rows) for section in table.sections] == [1]
    assert feature_distance(story).sections == ()


def test_a_feature_distance_to_come_has_a_row(story: Grid) -> None:
    config = {"model": {"feature_distance": {"teacher": "initial", "level": 2}}}
    cells = [Cell("dacs", "vit_b", "syn-real", seed) for seed in range(3)]
    waiting = dict.fromkeys(cells, Outcome("missing", config=config))
    table = feature_distance(dataclasses.replace(story, outcomes={**story.outcomes, **waiting}))
    assert row(table, "DACS", "ViT_B")["feature_distance_last"].state == "missing"
    assert table.notes == ("teacher initial, level 2",)


def test_a_cost_table_that_is_asked_for_says_what_is_known_before_a_run(story: Grid) -> None:
    encoders = (dataclasses.replace(story.encoders[0], card={"gmacs": {512: 178.5}}),)
    grid = dataclasses.replace(story, encoders=encoders, tables=("overhead",), outcomes={})
    cells = row(overhead(grid), "DACS", "ResNet")
    assert (cells["gmacs_512"].value, cells["device_hours"].state) == (178.5, "missing")
    assert "Nothing is measured." in overhead(grid).caption
    assert overhead(dataclasses.replace(grid, tables=())).sections == ()


def test_encoders_are_compared_with_the_imagenet_one(story: Grid) -> None:
    grid = pretrained(story, "ImageNet-1k, supervised", "none")
    difference = row(uda(grid), "DACS")["encoder_gain"]
    assert difference.value == pytest.approx(((57 - 50) + (58 - 51) + (59 - 55)) / 3)
    unseen = row(generalization(grid), "DACS", "ViT_B")["miou"]
    assert unseen.delta.value == pytest.approx(7.0)
    assert (unseen.delta.n, unseen.delta.state) == (2, "partial")
    assert "encoder_gain" not in row(uda(story), "DACS")
    chosen = dataclasses.replace(grid, reference_encoder="vit_b")
    assert row(uda(chosen), "DACS")["encoder_gain"].value == pytest.approx(-6.0)


def test_other_means_of_the_target_have_columns(story: Grid) -> None:
    grid = with_metrics(story, means={"13 classes": 57.5, "pooled": 1.0})
    cells = row(uda(grid), "DACS")
    assert cells["miou.13 classes"].value == 57.5
    assert "miou.pooled" not in cells


def test_inferred_settings_are_told_where_the_encoder_stands(story: Grid) -> None:
    card = {"provenance": {"a": "inferred: why", "b": "paper", "c": "inferred: why"}}
    encoders = (story.encoders[0], dataclasses.replace(story.encoders[1], card=card))
    grid = dataclasses.replace(story, encoders=encoders)
    note = "ViT_B: a, c inferred: why"
    first, second = uda(grid), generalization(grid)
    (column,) = [c for c in first.sections[0].columns if c.footnotes]
    assert (column.group, [first.notes[n - 1] for n in column.footnotes]) == ("ViT_B", [note])
    marked = {
        r.labels[1]
        for r in second.sections[0].rows
        if second.notes.index(note) + 1 in r.cells[0].footnotes
    }
    assert marked == {"ViT_B"}


def test_inferred_settings_of_the_suite_are_told_above_the_first_table(story: Grid) -> None:
    said = {
        "crops": "paper: 512x512",
        "seeds": "inferred: no number is printed",
        "sizes": "inferred",
    }
    caption = uda(dataclasses.replace(story, provenance=said)).caption
    assert caption[-2:] == ("Inferred: seeds (no number is printed).", "Inferred: sizes.")
    assert not [sentence for sentence in caption if "512" in sentence]


def test_a_suite_chooses_tables_and_their_order(story: Grid) -> None:
    assert [table.name for table in build(story)] == ["uda", "generalization"]
    chosen = dataclasses.replace(story, tables=("generalization", "overhead", "uda"))
    assert [table.name for table in build(chosen)] == ["generalization", "uda"]
    names = [builder.__name__ for builder in TABLES]
    assert names == [name for name in table_names.NAMES if name in names]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("tables: [uda, per_clas]", "per_class"),
        ("tables: [uda, uda]", "given twice"),
        ("tables: []", "non-empty list"),
        ("reference_encoder: mit-b5", "reference_encoder"),
    ],
)
def test_wrong_choices_are_named(tmp_path: Path, line: str, message: str) -> None:
    text = (Path(suite.__file__).parents[1] / "configs/suites/demo.yaml").read_text()
    path = tmp_path / "mine.yaml"
    path.write_text(f"{text}{line}\n")
    with pytest.raises(SuiteError, match=message):
        suite.load(str(path))
    path.write_text(f"{text}tables: [overhead, uda]\nreference_encoder: eva02-mini\n")
    loaded = suite.load(str(path))
    assert (loaded.tables, loaded.reference_encoder) == (("overhead", "uda"), "eva02-mini")


def test_all_tables_of_500_records_are_built_at_once() -> None:
    methods = tuple(Method(f"m{i}", f"M_{i} & 50 %", "uda") for i in range(7))
    imagenet = {"pretraining": "ImageNet-1k", "gmacs": {512: 1.0}}
    encoders = tuple(Encoder(f"e{i}", f"<E {i}>", imagenet) for i in range(12))
    unseen = tuple(Domain(f"u{i}", f"u{i}") for i in range(5))
    shifts = tuple(Shift(f"s{i}", f"s{i}", Domain("t", "t"), unseen) for i in range(2))
    classes = {f"c{i}": float(i) for i in range(19)}
    curves = {"curves": {"loss_feature_distance": [float(i) for i in range(400)]}}
    done = Outcome(
        "done",
        scored(dict.fromkeys(("t", "u0", "u1", "u2", "u3", "u4"), 50.0), per_class_iou=classes),
        cost=COST,
        diagnostics=curves,
    )
    cells = [
        Cell(m.name, e.name, s.name, seed)
        for m in methods
        for e in encoders
        for s in shifts
        for seed in range(3)
    ]
    grid = Grid("Large", methods, encoders, shifts, (0, 1, 2), dict.fromkeys(cells, done))
    begin = time.process_time()
    tables = build(grid)
    assert time.process_time() - begin < 1.5
    assert len(cells) == 504
    assert [t.name for t in tables] == [
        *("uda", "generalization", "per_class", "overhead", "feature_distance")
    ]


def test_pre_training_is_compared_with_the_same_network(story: Grid) -> None:
    """ViT_B is ResNet's reference as well as the pre-trained one of a third encoder."""
    third = Encoder("vit_clip", "ViT_CLIP", untrained="vit_b")
    outcomes = dict(story.outcomes)
    for cell, outcome in story.outcomes.items():
        if cell.encoder == "vit_b" and outcome.state == "done":
            metrics = {
                name: dataclasses.replace(each, miou=each.miou + 1.5 + cell.seed)
                for name, each in outcome.metrics.items()
            }
            own = dataclasses.replace(cell, encoder="vit_clip")
            outcomes[own] = dataclasses.replace(outcome, metrics=metrics)
    grid = dataclasses.replace(
        story,
        encoders=(*story.encoders, third),
        outcomes=outcomes,
        reference_encoder="resnet",
    )
    table = uda(grid)
    gained = row(table, "DACS")["pretraining_gain"]
    assert gained.value == pytest.approx(2.5)
    assert gained.spread == pytest.approx(1.0)
    assert [c.title for c in table.sections[0].columns][-3:] == [
        "ViT_B over ResNet",
        "ViT_CLIP over ResNet",
        "ViT_CLIP over ViT_B",
    ]
    sentence = "ViT_CLIP over ViT_B: the same network, pre-trained and from random weights."
    assert sentence in table.caption
    same = dataclasses.replace(grid, reference_encoder="vit_b")
    assert "pretraining_gain" not in row(uda(same), "DACS"), "it is the reference already"


def test_an_encoder_knows_its_network_from_random_weights() -> None:
    names = ["resnet-mini", "resnet-mini-supervised", "eva02-mini", "eva02-mini-clip"]
    found = [gather._untrained(name, names) for name in names]
    assert found == ["", "resnet-mini", "", "eva02-mini"]
    assert gather._untrained("eva02-mini-clip", names[:2]) == ""


def test_a_resumed_cell_has_a_cost_but_no_device_hours(story: Grid) -> None:
    grid = every(story, cost=COST, config={"train_cfg": {"max_iters": 1000}})  # 250 s, 90 measured
    cells = row(overhead(grid), "DACS", "ViT_B")
    assert cells["seconds_per_iteration"].state == "done"
    assert cells["device_hours"].state == "absent"
    assert any("before it was resumed" in note for note in overhead(grid).notes)
