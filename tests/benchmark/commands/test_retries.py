"""Retries and shared cells through the command line, with real processes."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark import records


def only_record(folder: Path) -> records.Record:
    (path,) = (folder / "tiny/records").glob("*.json")
    return records.read_record(path)


def test_out_of_memory_ends_in_a_record_that_says_how_it_was_trained(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    configs.fragment("method", "hungry", "rate = 1\nbatch = 8\n")
    configs.suite("methods: [hungry]\nbudget: {retries: {oom: 2}}")
    found = udabench("run", "tiny")
    assert found.returncode == 0, found.stderr
    told = "oom: OutOfMemoryError: a card too small; trying again in 2 micro-batches a step"
    assert told in found.stdout
    assert "trying again in 4 micro-batches a step" in found.stdout
    record = only_record(tmp_path / "results/local")
    assert record.state == "done"
    assert [(each["failure"], each["changed"]) for each in record.attempts] == [
        ("oom", {}),
        ("oom", {"accumulate": 2}),
        (None, {"accumulate": 4}),
    ]
    assert record.notes == ("accumulated over 4 micro-batches after out of memory",)


def test_an_attempt_that_is_left_is_taken_by_the_next_run(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    """As after a kill between two attempts: the record counts them, not the orchestrator."""
    configs.fragment("method", "hungry", "rate = 1\nbatch = 8\n")
    configs.suite("methods: [hungry]")
    assert udabench("run", "tiny").returncode == 1
    assert "started" not in udabench("run", "tiny").stdout
    configs.suite("methods: [hungry]\nbudget: {retries: {oom: 2}}")
    again = udabench("run", "tiny")
    assert again.returncode == 0
    assert again.stdout.count("started on cpu0") == 2
    assert len(only_record(tmp_path / "results/local").attempts) == 3


def test_the_inline_engine_cuts_a_step_too(udabench: Any, configs: Any, tmp_path: Path) -> None:
    configs.fragment("method", "hungry", "rate = 1\nbatch = 8\n")
    configs.suite("methods: [hungry]\nbudget: {retries: {oom: 2}}")
    codes = [udabench("run", "tiny", "--engine", "inline").returncode for _ in range(3)]
    assert codes == [1, 1, 0]  # one attempt a run
    assert only_record(tmp_path / "results/local").attempts[-1]["changed"] == {"accumulate": 4}


@pytest.mark.parametrize("engine", ["pool", "inline"])
def test_micro_batches_that_were_asked_for_are_the_first_attempts(
    udabench: Any, configs: Any, tmp_path: Path, engine: str
) -> None:
    configs.fragment("method", "hungry", "rate = 1\nbatch = 8\n")
    configs.suite("methods: [hungry]\nbudget: {retries: {oom: 2}}")
    runs = 1 if engine == "pool" else 2  # inline: one attempt a run
    asked = ("run", "tiny", "--engine", engine, "--accumulate", "2", "--checkpoint-activations")
    codes = [udabench(*asked).returncode for _ in range(runs)]
    assert codes[-1] == 0
    record = only_record(tmp_path / "results/local")
    assert [(each["failure"], each["changed"]["accumulate"]) for each in record.attempts] == [
        ("oom", 2),
        (None, 4),
    ]
    assert record.diagnostics["switches"] == [True, False]


def test_micro_batches_that_do_not_divide_a_batch_are_refused_before_anything_runs(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    configs.fragment("method", "hungry", "rate = 1\nbatch = 4\n")
    configs.suite("methods: [hungry]")
    found = udabench("run", "tiny", "--accumulate", "3")
    assert found.returncode == 2
    assert "--accumulate 3: hungry / small / there / seed 0 trains on batches of 4" in found.stderr
    shared = ("--devices", "cpu", "--devices-per-cell", "2", "--accumulate", "4")
    found = udabench("run", "tiny", *shared)
    assert "trains on batches of 2 images in each of 2 processes" in found.stderr
    both = udabench("run", "tiny", "--compile", "--checkpoint-activations")
    assert both.returncode == 2
    assert "not allowed with argument" in both.stderr
    assert not (tmp_path / "results").exists()


def test_a_cell_that_was_stopped_for_another_reason_stays_cut(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    """After out of memory, a full disk must not bring the whole batch back."""
    configs.fragment("method", "hungry", "rate = 1\nbatch = 8\n")
    configs.suite("methods: [hungry]")
    assert udabench("run", "tiny").returncode == 1
    folder = tmp_path / "results/local/tiny"
    record = only_record(tmp_path / "results/local")
    (oom,) = record.attempts
    full = {**oom, "failure": "disk", "changed": {"accumulate": 4}}
    failure = records.Failure("disk", "no space left", "log.txt")
    records.write_record(folder, dataclasses.replace(record, failure=failure, attempts=(oom, full)))
    assert udabench("run", "tiny").returncode == 0
    assert only_record(tmp_path / "results/local").attempts[-1]["changed"] == {"accumulate": 4}


def test_the_inline_engine_leaves_what_another_process_has_done_meanwhile(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    configs.suite("methods: [steps, good]")
    configs.fragment("method", "steps", "rate = 1\n")
    inline = udabench.start("run", "tiny", "--engine", "inline")
    cells = tmp_path / "results/local/tiny/cells"
    end = time.monotonic() + 20
    while not (cells / "steps__small__there__seed0/pids").exists():
        assert time.monotonic() < end
        time.sleep(0.005)
    os.kill(inline.pid, signal.SIGSTOP)
    assert udabench("run", "tiny", "--only", "method=good").returncode == 0
    os.kill(inline.pid, signal.SIGCONT)
    _, err = inline.communicate(timeout=30)
    assert inline.returncode == 0, err
    assert len((cells / "good__small__there__seed0/pids").read_text().splitlines()) == 1


def test_several_processes_share_a_cell_and_its_slot(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    configs.fragment("method", "ranked", "rate = 1\nbatch = 4\n")
    configs.suite("methods: [ranked]")
    found = udabench("run", "tiny", "--devices", "cpu", "--devices-per-cell", "2")
    assert found.returncode == 0, found.stderr
    assert "1 at a time on the processor, 2 processes of 1 thread each" in found.stdout
    (cell,) = (tmp_path / "results/local/tiny/cells").iterdir()
    first, second = (json.loads((cell / f"rank{rank}.json").read_text()) for rank in "01")
    assert (first["RANK"], second["RANK"]) == ("0", "1")
    assert first["WORLD_SIZE"] == second["WORLD_SIZE"] == "2"
    assert first["MASTER_PORT"] == second["MASTER_PORT"]
    assert only_record(tmp_path / "results/local").state == "done"
    assert not (cell / "lease.json").exists()


def test_killing_the_orchestrator_ends_all_processes_of_a_shared_cell(
    udabench: Any, configs: Any, tmp_path: Path, is_running: Callable[[int], bool]
) -> None:
    configs.suite("methods: [slow]")
    process = udabench.start("run", "tiny", "--devices", "cpu", "--devices-per-cell", "2")
    pids = tmp_path / "results/local/tiny/cells/slow__small__there__seed0/pids"
    end = time.monotonic() + 20
    while not (pids.exists() and len(pids.read_text().splitlines()) == 4):
        assert time.monotonic() < end  # two processes, each with a child of its own
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=20)
    while any(is_running(int(pid)) for pid in pids.read_text().split()):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_processes_that_cannot_share_a_batch_are_refused_before_anything_runs(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    configs.fragment("method", "ranked", "rate = 1\nbatch = 4\n")
    configs.suite("methods: [ranked]")
    found = udabench("run", "tiny", "--devices", "cpu", "--devices-per-cell", "3")
    assert found.returncode == 2
    assert "--devices-per-cell 3: ranked / small / there / seed 0 trains on batches of 4" in (
        found.stderr
    )
    inline = udabench("run", "tiny", "--engine", "inline", "--devices-per-cell", "2")
    assert inline.returncode == 2
    assert "the inline engine runs a cell in this one process" in inline.stderr
    assert not (tmp_path / "results").exists()
