"""The time of an interrupted training is the sum of what led to its resume points."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from benchmark import cell_cost
from benchmark.cell import Cell
from benchmark.paths import CellPaths


@pytest.fixture
def cell(tmp_path: Path) -> CellPaths:
    found = CellPaths(tmp_path, Cell("m", "e", "s", 0))
    found.folder.mkdir(parents=True)
    return found


def began(cell: CellPaths, seconds_ago: float, before: float = 0.0) -> None:
    noted = {"begun": time.time() - seconds_ago, "before": before}
    cell.training.write_text(json.dumps(noted), encoding="utf-8")


def saved(cell: CellPaths, seconds_ago: float) -> None:
    cell.resume_point.touch()
    moment = time.time() - seconds_ago
    os.utime(cell.resume_point, (moment, moment))


def test_a_first_training_has_nothing_before_it(cell: CellPaths) -> None:
    assert cell_cost.begin_training(cell) == 0.0
    assert json.loads(cell.training.read_text(encoding="utf-8"))["before"] == 0.0


def test_parts_add_up_to_their_resume_points(cell: CellPaths) -> None:
    """Two parts of 60 and 25 seconds; what was trained behind a point is trained again."""
    began(cell, 100.0)
    saved(cell, 40.0)
    assert cell_cost.begin_training(cell) == pytest.approx(60.0, abs=1.0)
    before = json.loads(cell.training.read_text(encoding="utf-8"))["before"]
    began(cell, 30.0, before)
    saved(cell, 5.0)
    assert cell_cost.begin_training(cell) == pytest.approx(85.0, abs=1.0)


def test_a_part_without_a_resume_point_of_its_own_adds_nothing(cell: CellPaths) -> None:
    saved(cell, 500.0)
    began(cell, 100.0, before=60.0)
    assert cell_cost.begin_training(cell) == pytest.approx(60.0)


def test_a_point_from_a_clock_ahead_counts_until_now(cell: CellPaths) -> None:
    began(cell, 10.0)
    saved(cell, -3600.0)
    assert cell_cost.begin_training(cell) == pytest.approx(10.0, abs=1.0)


@pytest.mark.parametrize("text", [None, "", "[]", '{"begun": "noon", "before": 0}', "\xff"])
def test_an_unknown_beginning_is_not_guessed(cell: CellPaths, text: str | None) -> None:
    saved(cell, 40.0)
    if text is not None:
        cell.training.write_text(text, encoding="latin-1")
    assert cell_cost.begin_training(cell) == 0.0


def test_without_its_resume_point_a_cell_begins_anew(cell: CellPaths) -> None:
    began(cell, 100.0, before=60.0)
    assert cell_cost.begin_training(cell) == 0.0
