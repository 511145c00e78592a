"""Killed at any moment, run by several at once: no cell is lost, repeated, confused or invented."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark import lease, paths
from benchmark.engines.verdict import stamp

ROUNDS = 30
CELLS = 20


@pytest.fixture
def results(configs: Any, tmp_path: Path) -> Path:
    configs.fragment("method", "steps", "rate = 1\n")
    configs.suite(f"methods: [steps]\nseeds: {list(range(CELLS))}")
    return tmp_path / "results/local/tiny"


def comparable(folder: Path) -> dict[str, Any]:
    """Records by name, without what two runs of the same cell may differ in."""
    found = {}
    for path in folder.glob("records/*.json"):
        document = json.loads(path.read_text())
        for key in ("provenance", "cost", "attempts"):
            del document[key]
        found[path.name] = document
    return found


def workers(folder: Path) -> list[int]:
    """Process numbers of everything that was ever started for a cell."""
    return [int(line) for path in folder.glob("cells/*/pids") for line in path.open()]


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return met


def leftovers(folder: Path) -> list[str]:
    """Leases, locks and temporary files below a results folder."""
    endings = (".tmp", ".lock", ".dead")
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name == "lease.json" or path.name.endswith(endings) or ".writable" in path.name
    ]


def strike(
    process: subprocess.Popen[str], folder: Path, draw: random.Random, is_running: Any
) -> str:
    """SIGKILL to the orchestrator as it starts or works, or to a worker; says to whom."""
    victim = draw.choice(["early", "orchestrator", "worker"])
    if victim == "early":
        time.sleep(draw.uniform(0.05, 0.5))
    else:
        before = len(workers(folder))
        wait_until(lambda: len(workers(folder)) > before or process.poll() is not None)
        time.sleep(draw.uniform(0.0, 0.15))
    running = [pid for pid in workers(folder) if is_running(pid)]
    if victim == "worker" and running:
        os.kill(draw.choice(running), signal.SIGKILL)
        time.sleep(draw.uniform(0.0, 0.1))  # the run goes on without it, for a moment
    else:
        victim = victim.replace("worker", "orchestrator")
    process.kill()
    process.communicate(timeout=30)
    return victim


@pytest.mark.slow
def test_a_storm_of_kills_changes_no_record(
    udabench: Any, results: Path, tmp_path: Path, is_running: Callable[[int], bool]
) -> None:
    draw = random.Random(20)
    victims = []
    for _ in range(ROUNDS):
        process = udabench.start("run", "tiny", "--rerun", "failed")
        victims.append(strike(process, results, draw, is_running))
        assert wait_until(lambda: not any(map(is_running, workers(results))), 10), "orphans"
    assert len(set(victims)) == 3, victims

    last = udabench("run", "tiny", "--rerun", "failed")
    assert last.returncode == 0, last.stderr
    assert f"{CELLS} cells: {CELLS} done" in last.stdout
    assert not leftovers(tmp_path / "results")
    calm = udabench("run", "tiny", "--out", "calm")
    assert calm.returncode == 0
    assert comparable(results) == comparable(tmp_path / "calm/tiny")
    assert len(comparable(results)) == CELLS
    assert len(workers(results)) > CELLS + 5  # a storm it was: cells had to be started again


@pytest.mark.parametrize("count", [2, 3])
def test_several_at_once_run_every_cell_once(
    udabench: Any, configs: Any, tmp_path: Path, count: int
) -> None:
    configs.fragment("method", "steps", "rate = 1\n")
    configs.suite("methods: [steps, good, bad]\nseeds: [0, 1, 2]")
    together = [udabench.start("run", "tiny", "--devices", "cpu") for _ in range(count)]
    ended = [process.communicate(timeout=60) for process in together]
    assert [process.returncode for process in together] == [1] * count, ended
    folder = tmp_path / "results/local/tiny"
    starts = {
        path.parent.name: len(path.open().readlines()) for path in folder.glob("cells/*/pids")
    }
    assert len(starts) == 9
    assert set(starts.values()) == {1}, starts
    assert "9 cells: 6 done, 3 failed" in udabench("status", "tiny").stdout
    states = [document["state"] for document in comparable(folder).values()]
    assert sorted(states) == ["done"] * 6 + ["failed"] * 3
    assert not leftovers(tmp_path / "results")


def changed(path: Path, process: subprocess.Popen[str]) -> Callable[[], bool]:
    """Whether ``path`` has been written since now, or its writer's orchestrator has ended."""
    before = stamp(path)
    return lambda: stamp(path) != before or process.poll() is not None


@pytest.mark.slow
def test_a_storm_over_a_real_cell_changes_no_bit(tiny: Path, tmp_path: Path) -> None:
    """Training with a point to resume from every ten steps, killed in four rounds."""
    draw = random.Random(3)
    suites = tiny / "configs/suites"
    text = (suites / "tiny.yaml").read_text(encoding="utf-8")
    (suites / "stormy.yaml").write_text(f"{text}checkpoints: {{every: 10}}\n", encoding="utf-8")
    arguments = ["--iterations", "100", "--only", "method=source-only,encoder=resnet-mini"]
    environment = {**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)}

    def start(out: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "benchmark", "run", "stormy", "--rerun", "failed"]
        return subprocess.Popen(
            [*command, "--out", str(tmp_path / out), *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    calm = start("calm")
    folder = tmp_path / "killed/stormy"
    killed = 0
    for round_ in range(4):
        process = start("killed")
        lease_file = folder / "cells/source-only__resnet-mini__minidrive__seed0/lease.json"
        wait_until(lambda file=lease_file: lease.is_alive(file), 60)
        point = lease_file.with_name("resume.pth")
        if round_ % 2:  # while it starts
            time.sleep(draw.uniform(0.0, 1.5))
        else:  # soon after a point to resume from was written
            wait_until(changed(point, process), 60)
            time.sleep(draw.uniform(0.0, 0.4))
        holder = lease.read(lease_file)
        if holder is not None and draw.random() < 0.5:
            os.kill(holder.pid, signal.SIGKILL)
            time.sleep(draw.uniform(0.0, 0.2))
        killed += process.poll() is None
        process.kill()
        process.communicate(timeout=60)
        assert wait_until(lambda file=lease_file: not lease.is_alive(file), 20)
    last = start("killed")
    for process in (last, calm):
        output, _ = process.communicate(timeout=240)
        assert process.returncode == 0, output
    assert killed >= 3
    assert "resumed" in lease_file.with_name("log.txt").read_text(encoding="utf-8")
    assert comparable(folder) == comparable(tmp_path / "calm/stormy")
    assert len(comparable(folder)) == 1
    assert not leftovers(folder)
