"""Stale results on the command line: shown with the reason, run again or accepted when asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

REASON = "training or evaluation configuration changed"


@pytest.fixture
def stale(udabench: Any, configs: Any) -> Any:
    """Commands over a suite of two done cells, one of which another setting made stale."""
    configs.suite("methods: [good, better]")
    assert udabench("run", "tiny").returncode == 0
    configs.fragment("method", "good", "rate = 2\n")
    return udabench


def states(udabench: Any) -> list[str]:
    document = json.loads(udabench("status", "tiny", "--json").stdout)
    return [cell["state"] for cell in document["cells"]]


def test_a_stale_result_is_shown_and_left_alone(stale: Any) -> None:
    found = stale("run", "tiny")
    assert found.returncode == 3
    assert f"stale: good / small / there / seed 0: {REASON}" in found.stderr
    assert "'udabench run tiny --rerun stale' runs the stale cells again" in found.stderr
    assert states(stale) == ["stale", "done"]
    assert stale("run", "tiny", "--rerun", "stale").returncode == 0
    assert states(stale) == ["done", "done"]


@pytest.mark.parametrize("command", ["status", "report", "run"])
def test_a_stale_result_is_accepted_by_name_and_stays_so(
    stale: Any, command: str, tmp_path: Path
) -> None:
    found = stale(command, "tiny", "--accept-stale", "good__small__there__seed0")
    assert (found.returncode, found.stderr) == (0, "udabench: accepted 1 stale result\n")
    again = stale("status", "tiny")
    assert (again.returncode, again.stderr) == (0, "")
    assert f"accepted while stale: {REASON}" in again.stdout
    (path,) = tmp_path.rglob("accepted.json")
    (entry,) = json.loads(path.read_text()).values()
    assert entry["reason"] == REASON
    assert str(tmp_path) not in path.read_text()


def test_acceptance_keeps_to_the_cells_that_are_asked_for(stale: Any, configs: Any) -> None:
    configs.fragment("method", "better", "rate = 2\n")
    assert states(stale) == ["stale", "stale"]
    only = ("--only", "method=better")
    assert stale("run", "tiny", *only, "--accept-stale", "all").returncode == 0
    assert states(stale) == ["stale", "done"]
    assert stale("status", "tiny", "--accept-stale", "none").returncode == 2
    assert stale("status", "tiny", "--accept-stale", "better__small__there__seed0").returncode == 3


def test_the_plan_tells_cost_and_what_is_missing(stale: Any) -> None:
    document = json.loads(stale("plan", "tiny", "--json", "--price-per-hour", "2").stdout)
    assert document["counts"] == {"done": 1, "stale": 1}
    assert document["estimate"]["cells"] == 0
    assert document["lacking"] == []
    text = stale("plan", "tiny", "--seeds", "2").stdout
    assert "would start 2 of them" in text
    assert "cost of good / small, better / small unknown: a probe would tell" in text
    refused = stale("plan", "tiny", "--price-per-hour", "-1")
    assert refused.returncode == 2
    assert "expected a price of at least 0" in refused.stderr
