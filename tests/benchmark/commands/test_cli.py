"""The command line: exit codes, messages, and a start that is not felt."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark import cli, records


def pids(folder: Path) -> list[int]:
    return [int(line) for path in folder.glob("cells/*/pids") for line in path.open()]


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return met


def test_help_starts_fast() -> None:
    """At most 150 ms. Processor time is measured, so that a busy machine does not matter."""
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "benchmark", "--help"], check=True, stdout=subprocess.DEVNULL
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(took) <= 0.150


def test_the_surface_is_what_was_agreed() -> None:
    actions = cli.parser()._subparsers
    assert actions is not None
    commands = actions._group_actions[0].choices
    assert isinstance(commands, dict)
    assert list(commands) == [
        "list", "show", "plan", "run", "cancel", "rehearse", "status", "report", "probe", "cell",
        "profile", "check", "new", "export", "data", "weights", "doctor",
    ]  # fmt: skip
    options = {
        option for action in commands["run"]._actions for option in action.option_strings
    } - {"-h", "--help"}
    assert options == {
        "--out", "--data-root", "--seeds", "--iterations", "--only", "--engine", "--devices",
        "--devices-per-cell", "--threads", "--rerun", "--encoder", "--weights",
        "--download-weights", "--accept-stale", "--slurm", "--sbatch", "--no-wait",
        "--accumulate", "--checkpoint-activations", "--compile",
    }  # fmt: skip


def test_a_run_to_the_end(udabench: Any, configs: Any, tmp_path: Path) -> None:
    configs.suite("methods: [good, better]")
    first = udabench("run", "tiny", "--devices", "cpu")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("Tiny (2 cells: 2 missing), results in results/local/tiny\n")
    assert "good / small / there / seed 0: started on cpu0" in first.stdout
    assert "TABLES of 2 cells" in first.stdout
    assert first.stdout.splitlines()[-1].startswith("tiny: 2 cells: 2 done (")
    folder = tmp_path / "results" / "local" / "tiny"
    assert not list(folder.glob("cells/*/lease.json"))
    before = {path: path.stat().st_mtime_ns for path in folder.glob("records/*.json")}
    assert len(before) == 2

    again = udabench("run", "tiny", "--rerun", "failed", "--rerun", "stale")
    assert again.returncode == 0
    assert "started" not in again.stdout
    assert before == {path: path.stat().st_mtime_ns for path in folder.glob("records/*.json")}


def test_a_failed_cell_does_not_stop_the_others(udabench: Any, configs: Any) -> None:
    configs.suite("methods: [bad, crash, good]")
    found = udabench("run", "tiny")
    assert found.returncode == 1
    assert "good / small / there / seed 0: done" in found.stdout
    assert "failed: bad / small / there / seed 0: error: ValueError: no luck" in found.stderr
    assert "failed: crash / small / there / seed 0: error: killed by SIGSEGV" in found.stderr
    assert "'udabench run tiny --rerun failed' runs the failed cells again" in found.stderr
    assert "started" not in udabench("run", "tiny").stdout
    repaired = udabench("run", "tiny", "--rerun", "failed", "--only", "method=bad")
    assert "bad / small / there / seed 0: started" in repaired.stdout
    assert "TABLES of 3 cells" in repaired.stdout

    status = udabench("status", "tiny", "--json")
    assert status.returncode == 1
    states = {entry["method"]: entry["state"] for entry in json.loads(status.stdout)["cells"]}
    assert states == {"bad": "failed", "crash": "failed", "good": "done"}


def test_changed_settings_make_cells_stale(udabench: Any, configs: Any) -> None:
    configs.suite("")
    assert udabench("run", "tiny").returncode == 0
    configs.fragment("method", "good", "rate = 2\n")
    found = udabench("run", "tiny")
    assert found.returncode == 3
    assert "training or evaluation configuration changed" in found.stderr
    assert "'udabench run tiny --rerun stale' runs the stale cells again" in found.stderr
    assert udabench("run", "tiny", "--rerun", "stale").returncode == 0
    assert udabench("status", "tiny").returncode == 0


def test_overrides_reach_the_worker(udabench: Any, configs: Any, tmp_path: Path) -> None:
    configs.suite("methods: [good, better]")
    arguments = ("--seeds", "2", "--iterations", "7", "--only", "method=better,seed=1")
    found = udabench("run", "tiny", "--out", "here", *arguments)
    assert found.returncode == 0
    assert [path.stem for path in (tmp_path / "here/tiny/records").iterdir()] == [
        "better__small__there__seed1"
    ]
    assert "TABLES of 4 cells" in found.stdout


def test_a_suite_file_elsewhere_is_run(udabench: Any, configs: Any, tmp_path: Path) -> None:
    configs.suite("", name="own").rename(tmp_path / "own.yaml")
    assert udabench("run", "./own.yaml").returncode == 0
    assert (tmp_path / "results/local/own/records/good__small__there__seed0.json").is_file()


def test_the_inline_engine(udabench: Any, configs: Any, tmp_path: Path) -> None:
    configs.suite("methods: [good, bad]")
    found = udabench("run", "tiny", "--engine", "inline", "--devices", "cpu", "--threads", "2")
    assert found.returncode == 1
    assert "good / small / there / seed 0: done" in found.stdout
    path = tmp_path / "results/local/tiny/records/good__small__there__seed0.json"
    assert records.read_record(path).diagnostics == {"cuda": "", "threads": 2}


def test_a_single_cell(udabench: Any, configs: Any) -> None:
    configs.suite("methods: [good, bad]")
    stem = "good__small__there__seed0"
    assert udabench("cell", stem, "--suite", "tiny").stdout.endswith("seed 0: done\n")
    assert udabench("cell", stem, "--suite", "tiny").stdout.endswith("seed 0: already done\n")
    bad = udabench("cell", "bad__small__there__seed0", "--suite", "tiny")
    assert bad.returncode == 1
    assert "failed (error): ValueError: no luck" in bad.stdout
    cells = json.loads(udabench("plan", "tiny", "--json").stdout)["cells"]
    assert udabench("cell", cells[0]["id"], "--suite", "tiny").returncode == 0


def test_what_a_killed_process_left_half_written_is_removed(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    configs.suite("seeds: [0, 1]")
    folder = tmp_path / "results/local/tiny"
    (folder / "records").mkdir(parents=True)
    (folder / "cells/good__small__there__seed0").mkdir(parents=True)
    mine = folder / "records/.good__small__there__seed0.json.77.tmp"
    also = folder / "cells/good__small__there__seed0/.weights.pth.77.tmp"
    others = folder / "records/.good__small__there__seed1.json.77.tmp"
    for path in (mine, also, others):
        path.touch()
    assert udabench("run", "tiny", "--only", "seed=0").returncode == 0
    assert [path.exists() for path in (mine, also, others)] == [False, False, True]


def test_plan_shows_what_would_run(udabench: Any, configs: Any, tmp_path: Path) -> None:
    configs.suite("methods: [good, bad]\nexclude: [{method: bad, reason: never works}]")
    found = udabench("plan", "tiny")
    assert found.returncode == 0
    assert "excluded  bad     small    there  0     never works" in found.stdout
    assert "'udabench run tiny' would start 1 of them" in found.stdout
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "tinny"), "udabench: unknown suite 'tinny'; closest: 'tiny'; valid: tiny"),
        (("run", "zzz"), "udabench: unknown suite 'zzz'; closest: 'tiny'"),
        (("run", "tiny", "--only", "good"), "udabench: --only: expected KEY=VALUE"),
        (("run", "tiny", "--only", "method=god"), "unknown method 'god'; closest: 'good'"),
        (("run", "tiny", "--devices", ","), "udabench: --devices: expected 'cpu' or"),
        (("run", "tiny", "--seeds", "0"), "argument --seeds: expected a number of at least 1"),
        (("run", "tiny", "--iterations", "x"), "argument --iterations: expected a whole number"),
        (("run", "tiny", "--rerun", "done"), "argument --rerun: invalid choice: 'done'"),
        (("cell", "x", "--suite", "tiny"), "udabench: suite tiny: unknown cell 'x'; closest: "),
        (("show", "god"), "udabench: unknown name 'god'; closest: 'good'"),
        (("show", "methodz/good"), "udabench: unknown kind 'methodz'; closest: 'method'"),
        (("list", "things"), "argument kind: invalid choice: 'things'"),
        (("probe", "tiny"), "udabench: suite tiny: none of its encoders has a text tower"),
        (("probe", "tinny"), "udabench: unknown suite 'tinny'; closest: 'tiny'"),
        ((), "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    udabench: Any, configs: Any, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    configs.suite("")
    found = udabench(*arguments)
    assert found.returncode == 2
    assert message in found.stderr
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "results").exists()


def test_results_that_cannot_be_written_are_refused_early(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    configs.suite("")
    (tmp_path / "file").touch()
    found = udabench("run", "tiny", "--out", "file")
    assert found.returncode == 1
    message = "udabench: file/tiny: results cannot be written (Not a directory); choose another"
    assert message in found.stderr
    assert "started" not in found.stdout


def test_interrupting_a_run_leaves_no_orphan_and_exits_130(
    udabench: Any, configs: Any, tmp_path: Path, is_running: Callable[[int], bool]
) -> None:
    configs.suite("methods: [slow]\nseeds: [0, 1]")
    process = udabench.start("run", "tiny", "--threads", "1")
    folder = tmp_path / "results/local/tiny"
    assert wait_until(lambda: list(folder.glob("cells/*/started")) != [])
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "udabench: interrupted; 'udabench run tiny' continues\n"
    known = pids(folder)
    assert len(known) >= 2
    assert wait_until(lambda: not any(map(is_running, known)), 5)
    assert not list(folder.glob("cells/*/lease.json"))
    assert not list(folder.glob("records/*"))


def test_killing_the_orchestrator_kills_its_workers_and_the_next_run_goes_on(
    udabench: Any, configs: Any, tmp_path: Path, is_running: Callable[[int], bool]
) -> None:
    configs.suite("methods: [good, slow]")
    process = udabench.start("run", "tiny")
    folder = tmp_path / "results/local/tiny"
    assert wait_until(lambda: list(folder.glob("cells/slow*/started")) != [])
    assert wait_until(lambda: list(folder.glob("records/good*.json")) != [])
    known = pids(folder)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    # The worker's own children end with its process group.
    assert wait_until(lambda: not any(map(is_running, known)), 10)
    planned = json.loads(udabench("plan", "tiny", "--json").stdout)["cells"]
    states = {entry["method"]: (entry["state"], entry["reason"]) for entry in planned}
    assert states == {"good": ("done", ""), "slow": ("missing", "interrupted")}


def test_a_closed_pipe_is_no_traceback(udabench: Any, configs: Any) -> None:
    configs.suite("")
    process = udabench.start("list", "--json")
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait()


def test_list_and_show(udabench: Any, configs: Any) -> None:
    configs.suite("methods: [good, bad]")
    listed = udabench("list").stdout
    assert "methods\n  bad     The bad fragment.\n" in listed
    assert "suites\n  tiny  Tiny, 2 cells: 2 methods, 1 encoder, 1 shift, 1 seed\n" in listed
    assert udabench("list", "encoders").stdout == (
        "  large  The large fragment.\n  small  The small fragment.\n"
    )
    shown = udabench("show", "good").stdout
    assert shown.startswith("method good: good\n  The good fragment.\n  from configs/methods/good.")
    assert "rate: 1" in shown
    entry = json.loads(udabench("show", "method/good", "--json").stdout)[0]
    assert entry["settings"] == {"rate": 1}
    assert entry["card"] == {"title": "good", "summary": "The good fragment."}
    assert json.loads(udabench("show", "tiny", "--json").stdout)[0]["settings"]["seeds"] == [0]
