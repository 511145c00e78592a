"""Disasters with real processes: each ends as specified, and never in a wrong table."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark import data, lease, paths, plan, records
from benchmark import suite as suites

CELL = "good__small__there__seed0"


def states(udabench: Any, *arguments: str) -> dict[str, tuple[str, str]]:
    """State and reason of each cell, by method, as ``status`` tells them."""
    found = udabench("status", "tiny", *arguments, "--json")
    cells = json.loads(found.stdout)["cells"]
    return {entry["method"]: (entry["state"], entry["reason"]) for entry in cells}


def temporary(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith((".tmp", ".lock"))]


def test_a_disk_too_small_for_one_cell_is_that_cells_failure_alone(
    udabench: Any, configs: Any, small_disk: Path
) -> None:
    configs.fragment("method", "writer", "rate = 1\n")
    configs.suite("methods: [good, writer, better]")
    out = ("--out", str(small_disk / "results"))
    # One at a time: what is written while another cell fills the disk cannot be written either.
    alone = ("--devices", "cpu", "--threads", str(len(os.sched_getaffinity(0))))
    first = udabench("run", "tiny", *out, *alone)
    assert first.returncode == 1
    found = states(udabench, *out)
    assert found["writer"] == ("failed", "disk: No space left on device")
    assert found["good"] == found["better"] == ("done", "")
    assert not temporary(small_disk)
    # With room it is run again without being asked for, as an interrupted cell is.
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    second = udabench("run", "tiny", *out)
    assert second.returncode == 0, second.stderr
    assert "3 cells: 3 done" in second.stdout
    record = records.read_record(
        small_disk / "results/tiny/records/writer__small__there__seed0.json"
    )
    assert [attempt["failure"] for attempt in record.attempts] == ["disk", None]


def test_a_full_disk_loses_nothing_and_says_so(
    udabench: Any, configs: Any, small_disk: Path, tmp_path: Path
) -> None:
    configs.fragment("method", "steps", "rate = 1\n")
    configs.suite("methods: [good, steps]\nseeds: [0, 1, 2]")
    out = small_disk / "results"
    assert udabench("run", "tiny", "--out", str(out), "--only", "method=good").returncode == 0
    kept = {path: path.read_bytes() for path in out.glob("tiny/records/*")}
    ballast = small_disk / "ballast"

    # Full before it begins: refused.
    fill(ballast)
    refused = udabench("run", "tiny", "--out", str(out))
    assert refused.returncode == 1
    assert "results cannot be written (No space left on device)" in refused.stderr
    assert "started" not in refused.stdout

    # Full in the middle: the cells fail, even their records cannot be written, the run goes on.
    ballast.unlink()
    process = udabench.start("run", "tiny", "--out", str(out))
    end = time.monotonic() + 20
    while not list(out.glob("tiny/cells/steps*/resume.json")) and time.monotonic() < end:
        time.sleep(0.005)
    fill(ballast)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stdout
    assert "failed: steps / small / there / seed 2: disk: " in stderr
    assert "Traceback" not in stderr
    assert {path: path.read_bytes() for path in kept} == kept
    found = udabench("status", "tiny", "--out", str(out), "--json")
    for each in json.loads(found.stdout)["cells"]:
        # A record may just fit where a temporary file was removed; then it says what happened.
        assert each["state"] in ("done", "missing") or each["reason"].startswith("disk: "), each

    ballast.unlink()
    again = udabench("run", "tiny", "--out", str(out))
    assert again.returncode == 0, again.stderr
    assert "6 cells: 6 done" in again.stdout
    assert not temporary(small_disk)
    calm = udabench("run", "tiny", "--out", str(tmp_path / "calm"))
    assert calm.returncode == 0
    for path in (tmp_path / "calm/tiny/records").iterdir():
        one, other = (json.loads(p.read_text()) for p in (path, out / "tiny/records" / path.name))
        assert one["diagnostics"] == other["diagnostics"]


def fill(ballast: Path) -> None:
    """Leave no byte free on the file system of ``ballast``."""
    with open(ballast, "ab", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(bytes(4096)):
            pass
    assert os.statvfs(ballast).f_bavail == 0


def test_read_only_results_are_refused_and_can_still_be_looked_at(
    udabench: Any, configs: Any, small_disk: Path
) -> None:
    configs.suite("methods: [good, better]")
    out = ("--out", str(small_disk / "results"))
    assert udabench("run", "tiny", *out, "--only", "method=good").returncode == 0
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused = udabench("run", "tiny", *out)
    assert refused.returncode == 1
    assert "results cannot be written (Read-only file system)" in refused.stderr
    assert "started" not in refused.stdout
    assert states(udabench, *out) == {"good": ("done", ""), "better": ("missing", "")}


def test_damaged_and_older_records_fail_with_their_reason_and_are_run_again_on_demand(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    configs.suite("methods: [good]\nseeds: [0, 1, 2, 3, 4]")
    assert udabench("run", "tiny").returncode == 0
    folder = tmp_path / "results/local/tiny/records"
    damages: list[tuple[Callable[[str], str], str]] = [
        (lambda text: text[: len(text) // 2], "not a readable record"),
        (lambda text: "", "not a readable record"),
        (lambda text: text.replace(f'"schema": {records.SCHEMA}', '"schema": 0'), "schema 0"),
        (lambda text: text.replace('"failure": null', '"failures": null'), "incomplete record"),
    ]
    for seed, (damage, _) in enumerate(damages):
        record = folder / f"good__small__there__seed{seed}.json"
        whole = record.read_text()
        record.write_text(damage(whole))
        assert record.read_text() != whole
    found = udabench("run", "tiny")
    assert found.returncode == 1
    assert "started" not in found.stdout
    assert "5 cells: 1 done, 4 failed" in found.stdout
    told = [line for line in found.stderr.splitlines() if line.startswith("failed: ")]
    for (_, reason), line in zip(damages, told, strict=True):
        assert reason in line
    repaired = udabench("run", "tiny", "--rerun", "failed")
    assert repaired.returncode == 0
    assert {records.read_record(path).state for path in folder.iterdir()} == {"done"}


def test_a_clock_set_back_hinders_nobody(udabench: Any, configs: Any, tmp_path: Path) -> None:
    """A lease, a record and temporary files from the future; the holder is gone."""
    configs.suite("methods: [good, better]")
    assert udabench("run", "tiny", "--only", "method=better").returncode == 0
    folder = tmp_path / "results/local/tiny"
    held = folder / f"cells/{CELL}/lease.json"
    lease.acquire(held)
    document = json.loads(held.read_text())
    held.write_text(json.dumps({**document, "started": 1, "created": time.time() + 9e8}))
    (held.parent / ".progress.json.1.tmp").touch()
    future = time.time() + 3e7
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (future, future))
    found = udabench("run", "tiny")
    assert found.returncode == 0, found.stderr
    assert "2 cells: 2 done" in found.stdout
    assert "-" not in found.stdout.splitlines()[-1]  # no negative duration
    assert not held.exists()
    assert not temporary(folder)


def test_results_that_vanish_in_the_middle_end_the_cells_not_the_run(
    udabench: Any, configs: Any, tmp_path: Path
) -> None:
    configs.fragment("method", "steps", "rate = 1\n")
    configs.suite("methods: [steps]\nseeds: [0, 1, 2, 3]")
    process = udabench.start("run", "tiny")
    folder = tmp_path / "results/local/tiny"
    end = time.monotonic() + 20
    while not list(folder.glob("cells/*/resume.json")) and time.monotonic() < end:
        time.sleep(0.005)
    shutil.rmtree(folder, ignore_errors=True)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode in (0, 1, 3)
    again = udabench("run", "tiny", "--rerun", "failed")
    assert again.returncode == 0, again.stderr
    assert "4 cells: 4 done" in again.stdout


@pytest.mark.slow
def test_a_data_root_that_vanishes_in_the_middle_fails_the_cell_by_name(
    tiny: Path, tmp_path: Path
) -> None:
    """Real training; the world is taken away when the first steps are done."""
    cell = "source-only__resnet-mini__minidrive__seed0"
    data.prepare(plan.make(suites.load("tiny"), tmp_path).entries)
    world = next((tiny / "cache/minidrive").iterdir())
    command = [
        sys.executable, "-m", "benchmark", "run", "tiny", "--out", str(tmp_path),
        "--iterations", "2000", "--only", "method=source-only,encoder=resnet-mini",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    progress = tmp_path / "tiny/cells" / cell / "progress.json"
    end = time.monotonic() + 120
    while '"iteration": 0' in (progress.read_text() if progress.exists() else '"iteration": 0'):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.05)
    world.rename(tmp_path / "taken away")
    try:
        output, _ = process.communicate(timeout=120)
    finally:
        (tmp_path / "taken away").rename(world)
    assert process.returncode == 1, output
    record = records.read_record(tmp_path / f"tiny/records/{cell}.json")
    assert record.failure is not None
    assert record.failure.kind == "error"
    assert f"<cache>/minidrive/{world.name}/synthetic/train/" in record.failure.message
    assert not record.metrics
    assert "failed: source-only / resnet-mini / minidrive / seed 0: error: " in output
