"""Sweeping away what killed processes left, and nothing that is in use."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from benchmark import lease
from benchmark.cell import Cell
from benchmark.engines.sweep import ABANDONED_SECONDS, sweep
from benchmark.paths import CellPaths

CELL = Cell("m", "e", "s", 0)


def litter(folder: Path) -> CellPaths:
    """A dead lease with its lock, and a temporary file of everything that is written."""
    paths = CellPaths(folder, CELL)
    lease.acquire(paths.lease)
    document = json.loads(paths.lease.read_text())
    paths.lease.write_text(json.dumps({**document, "started": 1}))
    for name in (".lease.json.lock", ".lease.json.abc.tmp", ".resume.pth.7.tmp", "log.txt"):
        (paths.folder / name).touch()
    paths.record.parent.mkdir()
    paths.record.with_name(f".{paths.record.name}.7.tmp").touch()
    (folder / "tables").mkdir()
    (folder / "tables/.uda.md.7.tmp").touch()
    return paths


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_the_dead_are_swept_away_and_their_log_is_kept(tmp_path: Path) -> None:
    litter(tmp_path)
    sweep(tmp_path, [CELL])
    assert names(tmp_path) == {"log.txt", ".uda.md.7.tmp"}
    old = time.time() - ABANDONED_SECONDS - 1
    os.utime(tmp_path / "tables/.uda.md.7.tmp", (old, old))
    sweep(tmp_path, [CELL])
    assert names(tmp_path) == {"log.txt"}


def test_a_cell_that_is_being_run_is_left_alone(tmp_path: Path) -> None:
    paths = litter(tmp_path)
    with lease.hold(paths.lease):  # takes the dead one over
        before = names(tmp_path)
        assert ".resume.pth.7.tmp" in before
        sweep(tmp_path, [CELL])
        assert names(tmp_path) == before


def test_nothing_to_sweep_writes_nothing(tmp_path: Path) -> None:
    sweep(tmp_path / "absent", [CELL])
    assert not list(tmp_path.iterdir())
