"""The Slurm engine with a real Slurm: arrays, throttle, cancelling, limits, requeueing."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real_slurm import Cluster, process_exists, until
from slurm_commands import Udabench, fake_udabench, suite

from benchmark.records import Record, iterate_records

SLURM = ("--engine", "slurm", "--slurm", "gpus=0,poll=1", "--slurm")
SLOW = "slow__small__there__seed"


def comparable(record: Record) -> Record:
    """A record without what differs between two runs of the same cell."""
    return dataclasses.replace(record, provenance={}, cost=None, attempts=())


def records(folder: Path) -> dict[str, Record]:
    return {record.cell.stem: record for record in iterate_records(folder)}


def cells(udabench: Udabench, *arguments: str) -> list[dict[str, Any]]:
    """What ``status --json`` says about each cell."""
    found: list[dict[str, Any]] = json.loads(
        udabench("status", "grid", "--json", *arguments).stdout
    )["cells"]
    return found


def is_started(udabench: Udabench, seed: int, out: str = "results/local") -> bool:
    return (udabench.folder / out / "grid/cells" / f"{SLOW}{seed}" / "started").exists()


def pids(udabench: Udabench, seed: int) -> list[int]:
    """The processes of a slow cell."""
    folder = udabench.folder / f"results/local/grid/cells/{SLOW}{seed}"
    return [int(text) for text in (folder / "pids").read_text().split()]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture(scope="session")
def limited(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Udabench]:
    """A cell that takes longer than its job may; Slurm needs a minute to notice."""
    made = fake_udabench(cluster, tmp_path_factory.mktemp("limited"))
    suite(made.folder, "slow")
    done = made("run", "grid", *SLURM, "time=1,warning=45", "--no-wait")
    assert done.returncode == 3, done.stderr
    yield made
    made("cancel", "grid")


def test_a_grid_runs_as_arrays_and_leaves_the_records_of_the_pool(
    udabench: Udabench, limited: Udabench
) -> None:
    suite(udabench.folder, "good, bad, crash, killed")
    done = udabench("run", "grid", *SLURM, "time=5", "--out", "slurm")
    assert done.returncode == 1, done.stderr
    assert "submitting 4, the default partition, no GPU, at most 5 min each" in done.stdout
    assert "good / small / there / seed 0: started on Slurm job" in done.stdout
    udabench("run", "grid", "--devices", "cpu", "--out", "pool")

    folder = udabench.folder / "slurm/grid"
    found, expected = records(folder), records(udabench.folder / "pool/grid")
    assert len(found) == 4
    kinds = {
        record.cell.method: record.failure and record.failure.kind for record in found.values()
    }
    assert kinds == {"good": None, "bad": "error", "crash": "error", "killed": "oom"}
    assert {k: comparable(v) for k, v in found.items()} == {
        k: comparable(v) for k, v in expected.items()
    }
    # Three tasks fit into an array of this Slurm; each has files of its own below the results.
    tasks = sorted(path.name for path in folder.glob("slurm/*/*_log.out"))
    assert len(tasks) == 4
    assert sum(name.count("_") == 3 for name in tasks) == 3
    assert not list(folder.rglob("submission.json"))
    assert not [path for path in folder.rglob("*") if path.name.endswith(".tmp")]
    again = udabench("run", "grid", *SLURM, "time=5", "--out", "slurm")
    assert (again.returncode, "submitting" in again.stdout) == (1, False)


def test_a_throttled_grid_is_submitted_once_shown_and_cancelled(
    udabench: Udabench, cluster: Cluster
) -> None:
    suite(udabench.folder, "slow", seeds=4)
    run = ("run", "grid", *SLURM, "time=9,parallel=1", "--sbatch", "comment=ours", "--no-wait")
    others = set(cluster.jobs())
    # Two at once, and one more when the jobs are queued.
    for command in [udabench.start(*run), udabench.start(*run)]:
        _, errors = command.communicate(timeout=60)
        assert command.returncode == 3, errors
    until(lambda: is_started(udabench, 0), "the first cell")
    jobs = set(cluster.jobs()) - others
    assert len(jobs) == 4
    assert "Comment=ours" in cluster("scontrol", "show", "job", sorted(jobs)[0])

    second = udabench(*run)
    assert second.returncode == 3
    assert set(cluster.jobs()) - others == jobs, "submitted twice"
    assert "4 cells: 1 running, 3 pending" in second.stdout

    # 32 processors are free: it is the throttle that holds them back, the last one's array too.
    seen = cells(udabench)
    assert [cell["state"] for cell in seen] == ["running", "pending", "pending", "pending"]
    assert {cell["job"]["id"] for cell in seen} == jobs
    assert [cell["job"]["reason"] for cell in seen[1:]] == [
        *["JobArrayTaskLimit"] * 2, "Dependency",
    ]  # fmt: skip
    assert f"Slurm job {seen[1]['job']['id']} pending (JobArrayTaskLimit)" in seen[1]["reason"]

    processes = pids(udabench, 0)
    assert "grid: 4 jobs cancelled" in udabench("cancel", "grid").stdout
    until(lambda: not set(cluster.jobs()) & jobs, "the end of the jobs")
    assert not any(map(process_exists, processes))
    assert [cell["state"] for cell in cells(udabench)] == ["missing"] * 4
    assert not list((udabench.folder / "results").rglob("submission.json"))
    assert not list((udabench.folder / "results").rglob("cells/*/lease.json"))


def test_an_interrupted_command_leaves_its_jobs_and_a_killed_job_becomes_a_failure(
    udabench: Udabench, cluster: Cluster
) -> None:
    suite(udabench.folder, "slow")
    others = set(cluster.jobs())
    waiting = udabench.start("run", "grid", *SLURM, "time=9")
    until(lambda: is_started(udabench, 0), "the cell")
    waiting.send_signal(signal.SIGINT)
    _, errors = waiting.communicate(timeout=20)
    assert waiting.returncode == 130
    assert "submitted jobs go on" in errors
    (job,) = set(cluster.jobs()) - others
    assert cluster.jobs()[job] == "RUNNING"

    processes = pids(udabench, 0)
    os.kill(parent(processes[0]), signal.SIGKILL)
    until(lambda: job not in cluster.jobs(), "the end of the job")
    (cell,) = cells(udabench)
    assert cell["state"] == "failed"
    assert cell["reason"].startswith("oom: Slurm ended the job: FAILED")
    assert not any(map(process_exists, processes))
    assert not list((udabench.folder / "results").rglob("submission.json"))


def test_a_waiting_command_ends_when_its_jobs_are_cancelled(
    udabench: Udabench, cluster: Cluster
) -> None:
    suite(udabench.folder, "slow", seeds=3)
    others = set(cluster.jobs())
    waiting = udabench.start("run", "grid", *SLURM, "time=9,parallel=1")
    until(lambda: is_started(udabench, 0), "the first cell")
    (running,) = (job for job in set(cluster.jobs()) - others if cluster.jobs()[job] == "RUNNING")
    cluster("scancel", running.partition("_")[0])
    output, errors = waiting.communicate(timeout=60)
    assert waiting.returncode == 3, errors
    assert output.count(": CANCELLED)") == 3
    assert "grid: 3 cells: 3 missing" in output
    assert set(cluster.jobs()) <= others, "submitted again"


def test_the_suites_own_limit_holds_within_a_job(udabench: Udabench) -> None:
    suite(udabench.folder, "slow", more="budget: {minutes_per_cell: 0.04}\n")
    done = udabench("run", "grid", *SLURM, "time=9")
    assert done.returncode == 1
    assert "timeout: stopped after the limit of 0.04 minutes" in done.stderr


def test_each_cell_sees_the_gpu_that_slurm_gave_it(udabench: Udabench) -> None:
    suite(udabench.folder, "good", seeds=2)
    options = ("--engine", "slurm", "--slurm", "gpus=1,cpus=3,time=5,poll=1", "--threads", "2")
    done = udabench("run", "grid", *options)
    assert done.returncode == 0, done.stderr
    found = records(udabench.folder / "results/local/grid")
    seen = [record.diagnostics for record in found.values()]
    assert {each["cuda"] for each in seen} <= {"0", "1"}
    assert [each["threads"] for each in seen] == [2, 2]
    (script,) = udabench.folder.glob("results/local/grid/slurm/*/*_submission.sh")
    assert "#SBATCH --gpus-per-node=1\n" in script.read_text()
    assert "#SBATCH --cpus-per-task=3\n" in script.read_text()


def test_two_gpus_of_a_cell_are_two_processes(udabench: Udabench) -> None:
    suite(udabench.folder, "ranked")
    done = udabench("run", "grid", "--engine", "slurm", "--slurm", "gpus=2,cpus=3,time=5,poll=1")
    assert done.returncode == 0, done.stderr
    folder = udabench.folder / "results/local/grid/cells/ranked__small__there__seed0"
    first, second = (json.loads((folder / f"rank{rank}.json").read_text()) for rank in "01")
    assert first["WORLD_SIZE"] == second["WORLD_SIZE"] == "2"


def test_a_job_tries_again_as_the_suite_allows(udabench: Udabench) -> None:
    suite(udabench.folder, "hungry", more="budget: {retries: {oom: 2}}\n")
    done = udabench("run", "grid", *SLURM, "time=5")
    assert done.returncode == 0, done.stderr
    (record,) = records(udabench.folder / "results/local/grid").values()
    tried = [(each["failure"], each["changed"]) for each in record.attempts]
    assert tried == [("oom", {}), ("oom", {"accumulate": 2}), (None, {"accumulate": 4})]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--slurm", "gpus=0"], "time is missing"),
        (["--slurm", "time=5,gpu=1"], "unknown key 'gpu'; closest: 'gpus'"),
        (["--slurm", "time=soon"], "expected minutes, H:MM:SS or D-HH:MM:SS, got 'soon'"),
        (["--slurm", "time=5", "--devices", "0"], "Slurm chooses the devices"),
        (["--slurm", "time=5", "--sbatch", "array=0-3"], "array is set by the engine"),
        (["--slurm", "time=5,gpus=0,partition=nowhere"], "invalid partition specified: nowhere"),
    ],
)
def test_what_cannot_be_submitted_is_refused(
    udabench: Udabench, cluster: Cluster, arguments: list[str], message: str
) -> None:
    suite(udabench.folder, "good")
    before = set(cluster.jobs())
    done = udabench("run", "grid", "--engine", "slurm", *arguments)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert set(cluster.jobs()) <= before
    assert not list((udabench.folder / "results").rglob("submission.json"))


def test_a_cell_whose_job_reaches_its_time_limit_is_a_timeout(limited: Udabench) -> None:
    def has_ended() -> bool:
        return not any(cell["state"] in ("running", "pending") for cell in cells(limited))

    until(has_ended, "the end of the job", 120)
    (cell,) = cells(limited)
    assert (cell["state"], cell["job"]) == ("failed", None)
    # Slurm warns up to a minute early, on a busy machine before the job has learnt to listen.
    assert cell["reason"] in (
        "timeout: stopped after the limit of 1 minutes",
        "timeout: Slurm ended the job: FAILED, by its warning of the time limit before the job "
        "could hear it",
    )
