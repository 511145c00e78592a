"""What is committed of rehearsals: every cell on downloaded data went through once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmark import suite as suites

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "results" / "rehearsal"
MINIDRIVE = {"demo", "demo-methods", "demo-full"}  # their own results are committed
SUITES = sorted({path.stem for path in (ROOT / "configs/suites").glob("*.yaml")} - MINIDRIVE)


@pytest.mark.parametrize("name", SUITES)
def test_every_cell_of_a_suite_was_rehearsed(name: str) -> None:
    suite = suites.load(name)
    rows = json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))["cells"]
    rehearsed = {(row["method"], row["encoder"], row["shift"]) for row in rows}
    asked = {(cell.method, cell.encoder, cell.shift) for cell in suite.cells()}
    assert asked == rehearsed, f"udabench rehearse {name} --record results/rehearsal"
    assert [row for row in rows if not row["ok"]] == []
    assert all(row["seconds_per_iteration"] > 0 and row["predicted_hours"] > 0 for row in rows)


def test_no_file_names_a_place() -> None:
    files = list(RECORDS.iterdir())
    assert [path.stem for path in sorted(files)] == SUITES
    for path in files:
        assert not re.search(r"(/home/|/root/|/tmp/|/Users/)", path.read_text(encoding="utf-8"))
