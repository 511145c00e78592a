"""What is committed of profiles: tables are those of their JSON files, and nobody is named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmark import profile_tables

FOLDER = Path(__file__).parents[2] / "results" / "overhead"
FILES = sorted(path.stem for path in FOLDER.glob("*.json"))


def test_there_are_profiles() -> None:
    assert FILES


@pytest.mark.parametrize("name", FILES)
def test_the_table_is_that_of_the_file(name: str) -> None:
    document = json.loads((FOLDER / f"{name}.json").read_text())
    assert (FOLDER / f"{name}.md").read_text() == profile_tables.markdown(document)


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_file_names_a_place_or_a_date(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"(/home/|/root/|/work/|/tmp/|/Users/)", text)
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", text)


@pytest.mark.parametrize("name", FILES)
def test_losses_of_the_baseline_are_equal_in_fp32(name: str) -> None:
    for row in json.loads((FOLDER / f"{name}.json").read_text())["rows"]:
        if row["state"] == "done" and row["precision"] == "fp32" and "baseline" in row:
            assert row["baseline"]["loss_difference"] <= 1e-5
