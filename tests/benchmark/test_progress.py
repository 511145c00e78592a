"""Progress: plain lines in a pipe, one live table on a terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark import progress
from benchmark.cell import Cell
from benchmark.engines import Outcome, Slot
from benchmark.plan import PlannedCell
from benchmark.progress import Lines, LiveTable, Seen, Tally
from benchmark.records import write_atomically

CELL = Cell("m", "e", "s", 0)
PLANNED = PlannedCell(CELL, None, {}, "missing", "")
SLOT = Slot("gpu0", "cuda", "0", 0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that ``time.monotonic`` shows, to be set by the test."""
    now = [0.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (7325, "2:02:05")]
)
def test_duration(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text


def test_the_remaining_time_is_estimated_from_done_cells(clock: list[float]) -> None:
    tally = Tally(total=5, places=2)
    assert tally.remaining() is None
    tally.end(Outcome(CELL, "failed", "", 1.0))
    assert tally.remaining() is None
    tally.end(Outcome(CELL, "done", "", 100.0))
    clock[0] = 1000.0
    tally.start(PLANNED)
    clock[0] = 1040.0
    # One at work needs 60 more, two have not begun: 260 on two places.
    assert tally.remaining() == pytest.approx(130.0)
    tally.end(Outcome(Cell("m", "e", "s", 1), "done", "", 100.0))
    tally.end(Outcome(Cell("m", "e", "s", 2), "done", "", 100.0))
    assert tally.remaining() == pytest.approx(60.0)


def test_short_runs_carry_no_estimate(clock: list[float]) -> None:
    tally = Tally(total=2, places=1)
    clock[0] = 5.0
    tally.end(Outcome(CELL, "done", "", 5.0))
    assert tally.text() == "0:05"
    clock[0] = 90.0
    assert tally.text() == "1:30, about 0:05 left"


def test_lines(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(Tally(total=2, places=1))
    lines.started(PLANNED, SLOT)
    lines.tick()
    clock[0] = 61.0
    lines.finished(Outcome(CELL, "failed", "oom: too\n large", 61.0))
    lines.held(PLANNED, "being run by process 3 on there")
    assert capsys.readouterr().out.splitlines() == [
        "[0/2 0:00] m / e / s / seed 0: started on gpu0",
        "[1/2 1:01] m / e / s / seed 0: failed in 1:01 (oom: too large)",
        "[1/2 1:01] m / e / s / seed 0: being run by process 3 on there; waiting for it",
    ]


def test_the_live_table_shows_running_and_ended_cells(tmp_path: Path) -> None:
    from rich.console import Console
    from rich.live import Live

    stream = io.StringIO()
    console = Console(file=stream, width=120)
    table = LiveTable(Tally(total=2, places=1), tmp_path, Live(console=console))
    table.started(PLANNED, SLOT)
    document = {"phase": "training", "iteration": 30, "iterations": 60, "loss": 1.23456}
    path = tmp_path / "cells" / CELL.stem / "progress.json"
    write_atomically(path, json.dumps({**document, "seconds_per_iteration": 2.0, "time": 0}))
    table.finished(Outcome(Cell("n", "e", "s", 1), "failed", "error: [bold]no[/]", 3.0))
    console.print(table.table())
    text = " ".join(stream.getvalue().split())
    assert "1 of 2 cells" in text
    assert "training" in text
    for shown in ("30/60", "1:00", "1.235", "gpu0", "n / e / s / seed 1", "[bold]no[/]"):
        assert shown in text
    table.finished(Outcome(CELL, "done", "", 1.0))
    assert (table.rows, table.tally.running) == ({}, {})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"phase": "x"}', '{"iteration": "a"}', "null"])
def test_strange_progress_shows_as_starting(tmp_path: Path, text: str) -> None:
    path = tmp_path / "progress.json"
    path.write_text(text)
    assert progress.read_progress(path) == Seen()
    assert progress.read_progress(tmp_path / "absent") == Seen()


def test_on_a_terminal_a_run_draws_the_table(udabench: Any, configs: Any) -> None:
    configs.suite("")
    terminal, other = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    fakes = Path(__file__).parent / "fakes"
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmark", "run", "tiny"],
        cwd=udabench.folder,
        env={**environment, "PYTHONPATH": f"{fakes}{os.pathsep}{fakes.parents[2]}"},
        stdin=other,
        stdout=other,
        stderr=other,
    )
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the terminal's other side is closed
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    assert process.wait() == 0
    assert b"iteration" in shown
    assert b"1 of 1 cells" in shown
    assert b"started on" not in shown
