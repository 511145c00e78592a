"""What is asked of Slurm for each cell: ``--slurm KEY=VALUE,...`` and ``--sbatch KEY=VALUE``."""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from benchmark import registry
from benchmark.engines.devices import MAX_LOADERS
from benchmark.errors import UsageError

VARIABLE = "UDABENCH_SLURM"
TIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<first>\d+)(?::(?P<second>\d+))?(?::(?P<third>\d+))?")
# What the engine relies on.
OWN = ("time", "array", "output", "error", "job-name", "signal", "requeue", "no-requeue", "chdir")


@dataclass(frozen=True)
class Options:
    """The resources and limits of one cell's job.

    ``gpus``, ``cpus`` and ``mem`` (GiB) are those of one cell, ``time`` its limit in minutes,
    ``parallel`` how many cells run at once, ``warning`` the seconds before the time limit at which
    a cell is told to stop. ``extensions`` is how often a cell that reached its time limit is queued
    again to go on, ``requeues`` how often a job may start again after preemptions and lost nodes,
    ``resubmissions`` how often one run submits a cell whose job vanished, ``poll`` the seconds
    between two looks at the queue. ``sbatch`` holds further options by sbatch's names.
    """

    time: int
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    gpus: int = 1
    cpus: int | None = None
    mem: float | None = None
    parallel: int | None = None
    warning: int = 120
    extensions: int = 0
    requeues: int = 50
    resubmissions: int = 3
    poll: int = 10
    sbatch: Mapping[str, str | bool] = field(default_factory=dict)

    def cores(self, threads: int) -> int:
        """Processor cores of a cell: those given, else its threads and loading processes."""
        return self.cpus or max(1, self.gpus) * (threads + (MAX_LOADERS if self.gpus else 0))

    def loaders(self, threads: int) -> int:
        """Loading processes of a cell, of each of its processes if it has several GPUs."""
        if not self.gpus:
            return 0
        return max(0, min(MAX_LOADERS, self.cores(threads) // self.gpus - threads))

    def parameters(self, threads: int) -> dict[str, object]:
        """The options as submitit names them."""
        cores = self.cores(threads)
        given = {
            "time": self.time,
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "constraint": self.constraint,
            "gpus_per_node": self.gpus or None,
            "cpus_per_task": cores,
            "mem": None if self.mem is None else f"{math.ceil(self.mem * 1024)}M",
            "signal_delay_s": self.warning,
            # Since Slurm 22.05 a step no longer inherits this from its job.
            "srun_args": [f"--cpus-per-task={cores}"],
            "stderr_to_stdout": True,
            "additional_parameters": {"requeue": True, **self.sbatch},
        }
        return {name: value for name, value in given.items() if value is not None}

    def text(self) -> str:
        """What a run prints about it."""
        place = f"partition {self.partition}" if self.partition else "the default partition"
        parts = [place, f"{self.gpus} GPU each" if self.gpus else "no GPU"]
        parts += [f"{self.parallel} at a time"] if self.parallel else []
        return ", ".join([*parts, f"at most {self.time} min each"])


def chosen(parsed: argparse.Namespace, budget: float | None) -> Options:
    """The options of ``udabench run``; ``$UDABENCH_SLURM`` holds defaults for ``--slurm``.

    ``budget`` is the suite's limit for a cell in minutes, the time limit where none is given.

    Raises:
        UsageError: an unknown key, a bad value, no time limit, or an option of another engine.
    """
    if parsed.devices_per_cell > 1:
        raise UsageError(
            "--devices-per-cell: Slurm hands out the devices; say --slurm "
            f"gpus={parsed.devices_per_cell}"
        )
    if parsed.devices is not None:
        raise UsageError(
            "--devices: Slurm chooses the devices; say how many with --slurm gpus=N (0: none)"
        )
    given = _pairs("--slurm", [os.environ.get(VARIABLE, ""), *parsed.slurm])
    if "time" not in given and budget:
        # The cell's own limit comes first; Slurm's leaves time to start and to clear up.
        given["time"] = str(math.ceil(budget) + 5)
    if "time" not in given:
        raise UsageError(
            "--slurm: time is missing: how long a cell may take, in minutes or as D-HH:MM:SS "
            "(the suite has no budget to take it from)"
        )
    known = {each.name for each in fields(Options)} - {"sbatch"}
    for key in given:
        if key not in known:
            raise UsageError(f"--slurm: {registry.unknown('key', key, known)}")
    typed = {key: _value(key, text) for key, text in given.items()}
    return Options(sbatch=_sbatch(parsed.sbatch), **typed)  # type: ignore[arg-type]


def refuse(parsed: argparse.Namespace) -> None:
    """Refuse the options of this engine for another one. Raises ``UsageError``."""
    for name in ("slurm", "sbatch", "no_wait"):
        if getattr(parsed, name):
            raise UsageError(f"--{name.replace('_', '-')} belongs to --engine slurm")


def _sbatch(arguments: Sequence[str]) -> dict[str, str | bool]:
    """Options by the names submitit gives them, so that one of them replaces submitit's own."""
    found: dict[str, str | bool] = {}
    for argument in arguments:
        key, equals, value = argument.removeprefix("--").partition("=")
        if key in OWN:
            raise UsageError(f"--sbatch: {key} is set by the engine; see --slurm")
        _named("--sbatch", key, value if equals else "flag", argument)
        found[key.replace("-", "_")] = value if equals else True
    return found


def _pairs(option: str, arguments: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in (part.strip() for text in arguments for part in text.split(",")):
        if part:
            key, _, value = part.partition("=")
            found.update(_named(option, key, value, part))
    return found


def _named(option: str, key: str, value: str, given: str) -> dict[str, str]:
    if not re.fullmatch(r"[A-Za-z][A-Za-z_-]*", key) or not value or "\n" in value:
        raise UsageError(f"{option}: expected KEY=VALUE, got {given!r}")
    return {key: value}


def _value(key: str, text: str) -> str | int | float:
    if key in ("partition", "account", "qos", "constraint"):
        return text
    if key == "time":
        return _minutes(text)
    if key == "mem":
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(G|GB|GiB)?", text)
        if not match or float(match[1]) <= 0:
            raise UsageError(f"--slurm: mem: expected GiB such as 32, got {text!r}")
        return float(match[1])
    least = 0 if key in ("gpus", "extensions", "requeues", "resubmissions") else 1
    if not (text.isascii() and text.isdigit()) or not least <= int(text[:9]) or len(text) > 9:
        raise UsageError(f"--slurm: {key}: expected a number of at least {least}, got {text!r}")
    return int(text)


def _minutes(text: str) -> int:
    """Minutes of a time as sbatch takes it: M, M:S, H:M:S, D-H, D-H:M or D-H:M:S, rounded up."""
    match = TIME.fullmatch(text)
    if not match:
        raise UsageError(f"--slurm: time: expected minutes, H:MM:SS or D-HH:MM:SS, got {text!r}")
    first, second, third = (int(match[name] or 0) for name in ("first", "second", "third"))
    if match["days"] is not None:
        seconds = int(match["days"]) * 86400 + first * 3600 + second * 60 + third
    elif match["third"] is not None:
        seconds = first * 3600 + second * 60 + third
    else:
        seconds = first * 60 + second
    if not seconds:
        raise UsageError(f"--slurm: time: expected more than none, got {text!r}")
    return math.ceil(seconds / 60)
