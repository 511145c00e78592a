"""``udabench rehearse`` as users see it, with made-up cells in real processes."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest


@pytest.fixture
def grid(configs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two methods, three seeds; temporary files in a place of their own."""
    configs.fragment("protocol", "short", "iterations = 9\nschedule = dict(warmup_iterations=5)\n")
    for method in ("good", "bad"):
        configs.fragment("method", method, "rate = 1\nmodel = dict(type='Fake')\n")
    configs.suite("methods: [good, bad]\nseeds: [4, 5, 6]")
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    return place


def test_each_cell_is_tried_once_and_a_failing_one_is_named(grid, udabench, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    found = udabench("rehearse", "tiny", "--devices", "cpu")
    assert found.returncode == 1, found.stderr
    lines = [line.split() for line in found.stdout.splitlines()]
    assert ["good", "small", "there", "ok"] in lines
    assert ["bad", "small", "there", "FAILED"] in lines
    assert "bad x small on there: failed: error: ValueError: no luck" in found.stdout
    assert "1 of 2 cells are ok" in found.stdout
    assert "seed 4 stands for 3" in found.stderr
    assert list(grid.iterdir()) == []
    assert set(tmp_path.rglob("*")) - before <= {tmp_path / "cache"}


def test_json_holds_nothing_but_the_document(grid, udabench) -> None:
    found = udabench("rehearse", "tiny", "--devices", "cpu", "--json", "--only", "method=good")
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)
    assert document["suite"] == "tiny"
    assert [(cell["method"], cell["ok"]) for cell in document["cells"]] == [("good", True)]


def test_records_and_logs_can_be_kept_in_a_new_folder_only(grid, udabench, tmp_path: Path) -> None:
    arguments = ("rehearse", "tiny", "--devices", "cpu", "--only", "method=good")
    assert udabench(*arguments, "--keep", "kept").returncode == 0
    kept = json.loads((tmp_path / "kept/tiny/records/good__small__there__seed4.json").read_text())
    assert kept["state"] == "done"
    again = udabench(*arguments, "--keep", "kept")
    assert again.returncode == 1
    assert "--keep: kept exists already" in again.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["configs", "results/tiny/cells/slow__*/started"])
def test_an_interrupted_rehearsal_ends_quietly_and_leaves_nothing(
    grid, configs, udabench, number: signal.Signals, when: str
) -> None:
    configs.fragment("method", "slow", "rate = 1\nmodel = dict(type='Fake')\n")
    configs.suite("methods: [slow]")
    process = udabench.start("rehearse", "tiny", "--devices", "cpu")
    end = time.monotonic() + 30
    while not list(grid.glob(f"udabench-rehearsal-*/{when}")):
        assert time.monotonic() < end
        time.sleep(0.005)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert err.endswith("udabench: interrupted\n")
    assert "Traceback" not in err
    assert list(grid.iterdir()) == []
