"""Commands about suites and their cells."""

from __future__ import annotations

import argparse

from benchmark.argument_types import count, natural, price, seconds
from benchmark.surface.options import (
    Commands,
    accept,
    command,
    data_root,
    grid_options,
    json,
    overrides,
    several,
    suite_options,
    training,
    weights,
)


def suites(commands: Commands[argparse.ArgumentParser]) -> None:
    """Planning, running and reporting."""
    made = command(commands, "plan", "planning", "plan", "show a suite's cells before running")
    suite_options(made)
    data_root(made)
    weights(made)
    several(made, "--costs-from", "PATH", "results folder, or file of a profile, that tells costs")
    made.add_argument(
        "--price-per-hour", type=price, metavar="X", help="of a device, to tell what is due costs"
    )
    json(made)
    made = command(commands, "run", "run", "run", "run what a suite is missing, print its tables")
    suite_options(made)
    accept(made)
    data_root(made)
    weights(made, download=True)
    made.add_argument(
        "--engine", choices=("pool", "inline", "slurm"), default="pool", help="where it runs"
    )
    made.add_argument(
        "--devices", metavar="IDS", help="cpu, or GPUs: 0,1,GPU-uuid,MIG-... (default: all GPUs)"
    )
    made.add_argument(
        "--devices-per-cell",
        type=count,
        default=1,
        metavar="N",
        help="devices (on the processor: processes) that share each cell and its batch: the step "
        "and its learning rates stay as they are (default 1)",
    )
    made.add_argument(
        "--threads", type=count, default=1, metavar="N", help="threads of a cell (default 1)"
    )
    made.add_argument(
        "--rerun",
        action="append",
        default=[],
        choices=("failed", "stale"),
        help="run these cells again too (repeatable)",
    )
    training(made)
    _slurm(made)
    made = command(commands, "cancel", "cancel", "run", "cancel a suite's Slurm jobs")
    suite_options(made)
    data_root(made)
    _rehearse(commands)
    made = command(commands, "status", "planning", "status", "show the state of a suite's cells")
    suite_options(made)
    accept(made)
    data_root(made)
    json(made)
    _report(commands)
    _probe(commands)


def _report(commands: Commands[argparse.ArgumentParser]) -> None:
    made = command(
        commands,
        "report",
        "report",
        "run",
        "write a suite's tables, figures and page, print tables",
    )
    suite_options(made)
    data_root(made)
    accept(made)
    made.add_argument("--open", action="store_true", help="open the page in a browser")
    made.add_argument(
        "--watch",
        type=seconds,
        nargs="?",
        const=5.0,
        metavar="SECONDS",
        help="look that often (default 5) for new records and write again, until interrupted",
    )
    made.add_argument(
        "--into", metavar="FILE", help="also print the tables between marks in this document"
    )
    made.add_argument(
        "--no-figures",
        action="store_true",
        help="draw nothing: the page has no figures then, and their files stay as they are",
    )


def _probe(commands: Commands[argparse.ArgumentParser]) -> None:
    made = command(
        commands, "probe", "probe", "run", "label a suite's test images by class names alone"
    )
    suite_options(made)
    data_root(made)
    weights(made, download=True)
    made.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default cpu")
    made.add_argument("--threads", type=count, default=1, metavar="N", help="default 1")
    json(made)


def _slurm(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("with --engine slurm")
    group.add_argument(
        "--slurm",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="partition, account, qos, constraint; of each cell gpus (default 1), cpus, mem (GiB), "
        "time (minutes or D-HH:MM:SS); parallel (cells at a time), warning (seconds before the "
        "time limit), extensions (of the time), requeues, resubmissions, poll (seconds). "
        "Comma-separated, repeatable; $UDABENCH_SLURM holds defaults",
    )
    group.add_argument(
        "--sbatch",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other option of sbatch (repeatable)",
    )
    group.add_argument("--no-wait", action="store_true", help="end when the jobs are submitted")


def _rehearse(commands: Commands[argparse.ArgumentParser]) -> None:
    made = command(
        commands, "rehearse", "rehearse", "run", "try a suite's cells briefly, without its data"
    )
    made.add_argument("suite", metavar="SUITE", nargs="+", help="suite names or .yaml files")
    grid_options(made)
    weights(made)
    made.add_argument("--devices", metavar="IDS", help="as for run")
    made.add_argument("--threads", type=count, default=1, metavar="N", help="default 1")
    made.add_argument(
        "--images", type=count, default=2, metavar="N", help="images of each split (default 2)"
    )
    made.add_argument(
        "--shrink", type=count, metavar="N", help="crops 1/N as wide (default: 8 on a processor)"
    )
    made.add_argument("--keep", metavar="DIR", help="keep records and logs in this new folder")
    made.add_argument("--record", metavar="DIR", help="write DIR/SUITE.json: each cell's outcome")
    json(made)


def cell(commands: Commands[argparse.ArgumentParser]) -> None:
    """One cell in this process."""
    made = command(commands, "cell", "cell", "run", "run one cell in this process")
    made.add_argument("id", metavar="ID", help="its name in the results, or its identity")
    made.add_argument("--suite", required=True, help="suite name or .yaml file")
    overrides(made)
    data_root(made)
    weights(made, download=True)
    made.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default cpu")
    made.add_argument("--threads", type=count, default=1, metavar="N", help="default 1")
    made.add_argument("--workers", type=natural, default=0, metavar="N", help="loading processes")
    training(made)
