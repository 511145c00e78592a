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


def test_suites_share_what_they_have_in_common_and_are_recorded_one_by_one(
    grid, configs, udabench, tmp_path: Path
) -> None:
    configs.suite("methods: [good]\nseeds: [4]", name="other")
    found = udabench("rehearse", "tiny", "other", "--devices", "cpu", "--record", "kept/here")
    assert found.returncode == 1, found.stderr
    assert "tiny: 1 of 2 cells are ok" in found.stdout
    assert "other: 1 of 1 cells are ok" in found.stdout
    started = [line for line in found.stdout.splitlines() if line.endswith("started on cpu0")]
    assert sum(" good / " in line for line in started) == 1
    documents = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("kept/here/*"))]
    assert [document["suite"] for document in documents] == ["other", "tiny"]
    assert [len(document["cells"]) for document in documents] == [1, 2]
    assert list(grid.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused_before_anything_runs(
    grid, udabench, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    found = udabench("rehearse", "tiny", "--devices", "cpu", "--record", "file/here")
    assert (found.returncode, found.stdout) == (1, "")
    assert "--record: file/here cannot be made (Not a directory)" in found.stderr
    assert "rehearsing" not in found.stderr


def test_suites_that_cannot_be_told_apart_are_refused(grid, configs, udabench) -> None:
    twice = udabench("rehearse", "tiny", "tiny", "--devices", "cpu")
    assert (twice.returncode, twice.stdout) == (2, "")
    assert "tiny stands there twice" in twice.stderr
    configs.suite("methods: [good]", name="other")
    both = udabench("rehearse", "tiny", "other", "--json")
    assert both.returncode == 2
    assert "--record DIR writes a file for each" in both.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["suites/tiny/configs", "results/tiny/cells/slow__*/started"])
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
