"""What ``--slurm`` and ``--sbatch`` mean for a job."""

from __future__ import annotations

import argparse
import dataclasses
import signal
from pathlib import Path

import pytest

from benchmark import cli, stopping
from benchmark.cell import Cell
from benchmark.commands.run import check_shares
from benchmark.data_fingerprint import DataFiles
from benchmark.data_roots import DataRoots
from benchmark.engines import Outcome, slurm_options
from benchmark.engines.pool import module_command
from benchmark.engines.slurm_options import Options
from benchmark.engines.slurm_submit import Submitter
from benchmark.errors import UsageError
from benchmark.plan import PlannedCell


@pytest.fixture(autouse=True)
def no_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(slurm_options.VARIABLE, raising=False)


def chosen(*arguments: str, budget: float | None = None) -> Options:
    parsed = cli.parser().parse_args(["run", "demo", "--engine", "slurm", *arguments])
    return slurm_options.chosen(parsed, budget)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90", 90), ("90:30", 91), ("1:30:00", 90), ("0:00:01", 1),
        ("2-0", 2880), ("1-12", 2160), ("1-12:30", 2190), ("1-00:00:59", 1441),
    ],
)  # fmt: skip
def test_times_are_read_as_sbatch_reads_them(text: str, minutes: int) -> None:
    assert chosen("--slurm", f"time={text}").time == minutes


@pytest.mark.parametrize("text", ["0", "0:00", "-5", "1:2:3:4", "soon", "1.5", "2-"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="time"):
        chosen("--slurm", f"time={text}")


def test_a_suites_budget_is_the_time_limit_with_room_to_start_and_end() -> None:
    assert chosen(budget=89.5).time == 95
    assert chosen("--slurm", "time=60", budget=89.5).time == 60
    with pytest.raises(UsageError, match="time is missing"):
        chosen()


def test_later_options_win_over_earlier_ones_and_over_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(slurm_options.VARIABLE, "partition=low, account=lab,time=60")
    made = chosen("--slurm", "partition=high,time=30", "--slurm", "time=20")
    assert (made.partition, made.account, made.time) == ("high", "lab", 20)


def test_a_gpu_brings_processors_for_its_loading_processes() -> None:
    made = chosen("--slurm", "time=60")
    assert (made.gpus, made.cores(2), made.loaders(2)) == (1, 6, 4)
    made = chosen("--slurm", "time=60,gpus=2,cpus=6")
    assert (made.cores(1), made.loaders(1)) == (6, 2)
    made = chosen("--slurm", "time=60,gpus=0")
    assert (made.cores(3), made.loaders(3)) == (3, 0)
    assert "gpus_per_node" not in made.parameters(3)


def test_options_become_lines_of_the_batch_script() -> None:
    from submitit.slurm.slurm import _make_sbatch_string

    made = chosen(
        *("--slurm", "time=60,partition=gpu,qos=long,mem=1.5,cpus=3,constraint=a100|h100"),
        *("--sbatch", "gpus-per-node=a100:1", "--sbatch", "exclusive"),
        *("--sbatch", "nodelist=n1,n2"),
    )
    script = _make_sbatch_string("true", "logs", **made.parameters(1))
    for line in (
        *("time=60", "partition=gpu", "qos=long", "mem=1536M", "cpus-per-task=3", "requeue"),
        *("'constraint=a100|h100'", "gpus-per-node=a100:1", "exclusive", "nodelist=n1,n2"),
        "signal=USR2@120",
    ):
        name, _, value = line.strip("'").partition("=")
        quoted = f"'{value}'" if "|" in value else value
        expected = f"#SBATCH --{name}={quoted}" if value else f"#SBATCH --{name}"
        assert expected in script.splitlines()
    assert script.count("gpus-per-node") == 1
    assert "--cpus-per-task=3" in script.partition("srun ")[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--slurm", "time=60,gpus"],
        ["--slurm", "time=60,gpus=-1"],
        ["--slurm", "time=60,gpus=many"],
        ["--slurm", "time=60,cpus=0"],
        ["--slurm", "time=60,parallel=0"],
        ["--slurm", "time=60,mem=0"],
        ["--slurm", "time=60,mem=lots"],
        ["--slurm", "time=60,sbatch=x"],
        ["--slurm", "time=60,partition=a\nb"],
        ["--slurm", "time=60", "--sbatch", "signal=USR1"],
        ["--slurm", "time=60", "--sbatch", "=x"],
        ["--slurm", "time=60", "--sbatch", "comment="],
        ["--slurm", "time=60", "--devices", "cpu"],
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        chosen(*arguments)


@pytest.mark.parametrize("given", [["--slurm", "time=1"], ["--sbatch", "exclusive"], ["--no-wait"]])
def test_another_engine_refuses_these_options(given: list[str]) -> None:
    parsed: argparse.Namespace = cli.parser().parse_args(["run", "demo", *given])
    with pytest.raises(UsageError, match="--engine slurm"):
        slurm_options.refuse(parsed)
    slurm_options.refuse(cli.parser().parse_args(["run", "demo"]))


@pytest.mark.parametrize(
    ("given", "instead"), [(("--devices", "0"), "gpus=N"), (("--devices-per-cell", "2"), "gpus=2")]
)
def test_devices_are_asked_for_as_gpus(given: tuple[str, ...], instead: str) -> None:
    with pytest.raises(UsageError, match=f"{given[0]}: Slurm .* --slurm {instead}"):
        chosen("--slurm", "time=1", *given)


def test_gpus_that_cannot_share_a_batch_are_refused() -> None:
    config = {"train_dataloader": {"batch_size": 4}}
    planned = PlannedCell(Cell("m", "e", "s", 0), None, config, "missing", "")
    check_shares([planned], 2, "--slurm gpus=2")
    with pytest.raises(UsageError, match=r"--slurm gpus=3: .* batches of 4 images"):
        check_shares([planned], 3, "--slurm gpus=3")


def test_several_gpus_of_a_cell_are_as_many_processes(tmp_path: Path) -> None:
    options = chosen("--slurm", "time=60,gpus=2,cpus=10")
    command = module_command(["--suite", "demo", "--out", "results"])
    planned = PlannedCell(Cell("m", "e", "s", 0), None, {}, "missing", "")
    job = Submitter("demo", tmp_path, options, command, 1, None)._job(planned)
    assert job.processes == 2
    assert job.command[1:] == ("-m", "benchmark", *job.cell)
    parsed = cli.parser().parse_args(list(job.cell))
    assert (parsed.id, parsed.device, parsed.workers) == ("m__e__s__seed0", "cuda", 4)


def test_a_job_judges_its_cell_by_the_data_of_the_given_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them it would trust a record of other data and call a stale cell done."""
    options = chosen("--slurm", "time=60,gpus=0")
    command = module_command(["--suite", "demo", "--data-root", "elsewhere"])
    planned = PlannedCell(Cell("m", "e", "s", 0), None, {}, "missing", "")
    job = Submitter("demo", tmp_path, options, command, 1, None)._job(planned)
    asked: list[DataFiles] = []

    def one(suite: object, out: Path, name: str, iterations: None, files: DataFiles) -> PlannedCell:
        asked.append(files)
        return planned

    kept = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    monkeypatch.setattr("benchmark.plan.one", one)
    done = Outcome(planned.cell, "done", "", 0.0)
    monkeypatch.setattr("benchmark.engines.slurm_job._Attempt.run", lambda *_: done)
    try:
        assert dataclasses.replace(job, folder=str(Path.cwd()))() == "done"
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert asked[0].roots == DataRoots.chosen("elsewhere")
