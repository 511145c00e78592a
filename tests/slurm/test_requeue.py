"""A real cell that Slurm preempts and requeues: it goes on from the step at which it stopped."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from real_slurm import Cluster, until
from slurm_commands import ROOT, Udabench

from benchmark.records import Record, read_record

WORLD = "world = dict(height=64, width=128, gap=0.6, train_images=10, test_images=4)"
CELL = "dacs__resnet-mini__minidrive__seed0"
# Less than the interval of resume points, so that only being told to stop makes one; and steps of
# many seconds in all, so that the preemption, which takes some, comes while there are steps left.
ITERATIONS = 95


@pytest.fixture
def minidrive(cluster: Cluster, tmp_path: Path) -> Udabench:
    """The project's own fragments on a world of 10 training and 4 test images a domain."""
    configs = tmp_path / "configs"
    shutil.copytree(ROOT / "configs", configs)
    for fragment in (configs / "domains").glob("minidrive-*.py"):
        lines = fragment.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("world")]
        fragment.write_text("\n".join([*kept, WORLD]) + "\n", encoding="utf-8")
    (configs / "suites/tiny.yaml").write_text(
        "title: Tiny\nprotocol: minidrive\nmethods: [dacs]\nencoders: [resnet-mini]\n"
        "shifts: [minidrive]\nseeds: [0]\n",
        encoding="utf-8",
    )
    own = {"UDABENCH_CONFIGS": str(configs), "UDABENCH_CACHE": str(tmp_path / "cache")}
    return Udabench(tmp_path, {**cluster.environment, **own, "PYTHONPATH": str(ROOT)})


def record(minidrive: Udabench, out: str) -> Record:
    """The record without what differs between two runs of the same cell."""
    found = read_record(minidrive.folder / out / "tiny/records" / f"{CELL}.json")
    return dataclasses.replace(found, provenance={}, cost=None, attempts=())


def iteration(folder: Path) -> int:
    try:
        return int(json.loads((folder / "progress.json").read_text(encoding="utf-8"))["iteration"])
    except (OSError, ValueError):
        return 0


@pytest.mark.slow
def test_a_preempted_cell_goes_on_and_ends_as_if_it_had_not_been_disturbed(
    minidrive: Udabench, cluster: Cluster
) -> None:
    run = ("run", "tiny", "--iterations", str(ITERATIONS), "--out")
    slurm = ("--engine", "slurm", "--slurm", "gpus=0,time=9,poll=1")
    waiting = minidrive.start(*run, "queued", *slurm)
    folder = minidrive.folder / "queued/tiny/cells" / CELL
    until(lambda: iteration(folder) >= 2, "the first steps", 120)
    undisturbed = minidrive.start(*run, "pool", "--devices", "cpu")
    job = json.loads((folder / "submission.json").read_text())["job"]
    urgent = cluster(
        "sbatch", "--parsable", "-p", "urgent", "--exclusive", "--wrap=sleep 1", "-o", "/dev/null"
    ).strip()
    until(lambda: cluster.jobs()[job] == "PENDING", "the preempted job")
    until(lambda: urgent not in cluster.jobs(), "the urgent job")
    assert (folder / "resume.pth").exists()
    assert not (folder / "lease.json").exists()
    cluster("scontrol", "update", f"jobid={job}", "StartTime=now")

    _, errors = waiting.communicate(timeout=240)
    assert waiting.returncode == 0, errors
    assert undisturbed.wait(timeout=240) == 0
    assert "Restarts=1" in cluster("scontrol", "show", "job", job)
    log = (folder / "log.txt").read_text(encoding="utf-8")
    resumed = re.search(r"resumed epoch: \d+, iter: (\d+)", log)
    assert resumed, log
    assert 2 <= int(resumed[1]) < ITERATIONS
    assert log.count("--- dacs") == 2
    assert record(minidrive, "queued") == record(minidrive, "pool")
    assert os.listdir(minidrive.folder / "queued/tiny/records") == [f"{CELL}.json"]
