"""What Slurm says about jobs: its queue, and how a job that is no longer in it ended."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import UdabenchError

TIMEOUT_SECONDS = 60.0
CHUNK = 500
LOG_TAIL_BYTES = 16384
WAITING = (
    *("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD"),
    "SPECIAL_EXIT",
)
RUNNING = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING", "STAGE_OUT")
# What Slurm's step daemon and submitit print when a job is ended, and the state it means.
TRACES = {
    "DUE TO TIME LIMIT": "TIMEOUT",
    "oom-kill event": "OUT_OF_MEMORY",
    "oom_kill event": "OUT_OF_MEMORY",
    "Exceeded job memory limit": "OUT_OF_MEMORY",
    "DUE TO NODE FAILURE": "NODE_FAIL",
    "DUE TO PREEMPTION": "PREEMPTED",
    "Submitted job triggered an exception": "FAILED",
    "CANCELLED AT": "CANCELLED",
}


class QueueError(UdabenchError):
    """Slurm's commands are not installed here, or its controller does not answer."""


@dataclass(frozen=True)
class Job:
    """One job or array task in the queue. ``name`` is that of its array."""

    id: str
    state: str
    reason: str
    node: str
    name: str

    @property
    def is_waiting(self) -> bool:
        """Whether it has not started, or waits to start again."""
        return self.state in WAITING

    @property
    def is_active(self) -> bool:
        """Whether it is yet to end."""
        return self.is_waiting or self.state in RUNNING

    def __str__(self) -> str:
        place = f" on {self.node}" if self.node and not self.is_waiting else ""
        why = f" ({self.reason})" if self.is_waiting and self.reason not in ("", "None") else ""
        return f"Slurm job {self.id} {self.state.lower()}{place}{why}"


@dataclass(frozen=True)
class Ending:
    """How a job ended: Slurm's word for it (empty: nobody knows), exit code and signal."""

    state: str
    code: int = 0
    signal: int = 0


def is_installed() -> bool:
    """Whether this machine can submit jobs."""
    return shutil.which("sbatch") is not None


def read(users: Iterable[int]) -> dict[str, Job]:
    """Every job of ``users`` (numeric), array tasks one by one, by job id.

    Jobs that have ended stay in it for some minutes.

    Raises:
        QueueError: Slurm cannot be asked.
    """
    chosen = ",".join(str(user) for user in sorted(set(users)))
    command = ["squeue", "-h", "-r", "-t", "all", "-u", chosen, "-o", "%i|%T|%r|%N|%j"]
    jobs = [Job(*line.split("|", 4)) for line in call(command).splitlines() if line.count("|") >= 4]
    return {job.id: job for job in jobs}


def ending(job: str, log: Path) -> Ending:
    """How the job called ``job`` ended: from the controller while it remembers, from the
    accounting where there is one, else from what was printed into ``log``."""
    for command, pattern in (
        (["scontrol", "show", "job", "-o", job], r"JobState=(\w+).*\bExitCode=(\d+):(\d+)"),
        (
            ["sacct", "-n", "-P", "-X", "-j", job, "-o", "State,ExitCode"],
            r"(\w+)[^|]*\|(\d+):(\d+)",
        ),
    ):
        try:
            found = re.search(pattern, call(command))
        except QueueError:
            continue
        if found:
            return Ending(found[1], int(found[2]), int(found[3]))
    text = _tail(log)
    last = max(TRACES, key=text.rfind)
    return Ending(TRACES[last] if last in text else "")


def cancel(jobs: Collection[str]) -> None:
    """Cancel jobs by id. Raises ``QueueError``."""
    listed = sorted(jobs)
    for begin in range(0, len(listed), CHUNK):
        call(["scancel", *listed[begin : begin + CHUNK]])


def requeue(job: str) -> None:
    """Put a running job back into the queue. Raises ``QueueError``."""
    call(["scontrol", "requeue", job])


def largest_array() -> int:
    """How many tasks an array may have. Raises ``QueueError``."""
    found = re.search(r"MaxArraySize\s*=\s*(\d+)", call(["scontrol", "show", "config"]))
    return max(1, int(found[1])) if found else 1000


def call(command: Sequence[str]) -> str:
    """Run one of Slurm's commands and return what it prints.

    Raises:
        QueueError: it is missing, fails or does not end.
    """
    # The variables of a user's own habits (SQUEUE_FORMAT2, ...) would change the output.
    drop = ("SQUEUE_", "SACCT_", "SCONTROL_", "SLURM_TIME_FORMAT")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
    try:
        found = subprocess.run(
            list(command),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
            env=environment,
        )
    except FileNotFoundError:
        raise QueueError(f"{command[0]} is not installed here: no Slurm to ask") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise QueueError(f"{command[0]}: {error}") from error
    if found.returncode:
        lines = [line for line in found.stderr.splitlines() if line.strip()]
        problem = lines[-1].strip() if lines else f"exit code {found.returncode}"
        raise QueueError(f"Slurm cannot be asked: {problem}")
    return found.stdout


def _tail(log: Path) -> str:
    try:
        with open(log, "rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - LOG_TAIL_BYTES))
            return stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
