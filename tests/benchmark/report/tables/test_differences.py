"""Foot-notes on rows that do not compare as they seem to."""

from __future__ import annotations

import dataclasses
from typing import Any

from benchmark.report.grid import Grid
from benchmark.report.tables import generalization, uda


def config(crop: int = 512, iterations: int = 40_000, window: int = 0) -> dict[str, Any]:
    rules: dict[str, Any] = {"mode": "whole"}
    if window:
        rules = {"mode": "slide", "crop_size": [window, window], "stride": [window // 2] * 2}
    cropping = [{"type": "ReadImage"}, {"type": "RandomCrop", "crop_size": [crop, 2 * crop]}]
    return {
        "train_cfg": {"max_iters": iterations},
        "train_dataloader": {
            "batch_size": 2,
            "dataset": {"source": {"pipeline": cropping}, "target": {"pipeline": cropping}},
        },
        "model": {"segmentor": {"test_cfg": rules}},
    }


def with_configs(grid: Grid, **special: dict[str, Any]) -> Grid:
    outcomes = {
        cell: dataclasses.replace(outcome, config=special.get(cell.method, config()))
        for cell, outcome in grid.outcomes.items()
    }
    return dataclasses.replace(grid, outcomes=outcomes)


def test_a_method_of_another_protocol_says_in_what_it_differs(story: Grid) -> None:
    grid = with_configs(story, dacs=config(crop=1024, window=768))
    note = (
        "DACS: crops of 2048x1024, others 1024x512; "
        "prediction in windows of 768x768 every 384x384, others of whole images"
    )
    for table in (uda(grid), generalization(grid)):
        assert [each for each in table.notes if ", others " in each] == [note]
        number = table.notes.index(note) + 1
        for row in table.sections[0].rows:
            assert (number in row.cells[0].footnotes) == (("method", "dacs") in row.keys)


def test_one_protocol_needs_no_word(story: Grid) -> None:
    assert uda(with_configs(story)).notes == uda(story).notes


def test_where_no_value_is_usual_nobody_is_the_exception(story: Grid) -> None:
    """Two and two: neither half differs from what most do."""
    few = dataclasses.replace(story, methods=story.methods[:2])
    grid = with_configs(few, **{"source-aug": config(iterations=10)})
    assert uda(grid).notes == uda(few).notes


def test_a_method_that_did_nothing_is_found_out(story: Grid) -> None:
    """AdvEnt has scores of its own; then, in all its cells, those of Source-only."""
    assert not any("last digit" in note for note in uda(story).notes)
    outcomes = dict(story.outcomes)
    for cell, outcome in story.outcomes.items():
        if cell.method == "advent" and outcome.state == "done":
            twin = story.outcomes[dataclasses.replace(cell, method="source-only")]
            outcomes[cell] = dataclasses.replace(outcome, metrics=twin.metrics)
    table = uda(dataclasses.replace(story, outcomes=outcomes))
    assert "AdvEnt: every score equals that of Source-only to the last digit" in table.notes


def test_only_the_encoder_with_which_it_did_nothing_has_the_note(story: Grid) -> None:
    outcomes = dict(story.outcomes)
    for cell, outcome in story.outcomes.items():
        if cell.method == "source-aug" and cell.encoder == "resnet":
            twin = story.outcomes[dataclasses.replace(cell, method="source-only")]
            outcomes[cell] = dataclasses.replace(outcome, metrics=twin.metrics)
    grid = dataclasses.replace(story, outcomes=outcomes)
    for table in (uda(grid), generalization(grid)):
        (number,) = (n for n, note in enumerate(table.notes, 1) if "last digit" in note)
        marked = [
            dict((*row.keys, *column.keys))["encoder"]
            for _, row, column, cell in table.cells()
            if number in cell.footnotes
        ]
        assert marked == ["resnet"]
