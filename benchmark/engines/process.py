"""A worker process: its own process group, its device, its log."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark import lease, ranks
from benchmark.engines import Slot
from benchmark.engines.guardian import PARENT_FD
from benchmark.engines.verdict import KNOWN_RECORD, text_of
from benchmark.errors import UdabenchError
from benchmark.paths import CellPaths, cache_root
from benchmark.plan import PlannedCell
from benchmark.provenance import utc_now

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LARGEST = "torch"
"""The package with most modules of those that a worker imports."""


@dataclass
class Worker:
    """A started worker.

    ``before`` is the stamp of its cell's record at the start, ``accumulate`` the micro-batches it
    was told to use. ``started`` and ``deadline`` are monotonic seconds. ``stopped`` says why it was
    told to stop, empty as long as it was not. ``watch`` becomes readable when it has ended.
    """

    planned: PlannedCell
    slot: Slot
    process: subprocess.Popen[bytes]
    paths: CellPaths
    before: tuple[int, int] | None
    started: float
    accumulate: int = 1
    watch: int | None = None
    deadline: float | None = None
    stopped: str = ""

    def signal_group(self, number: int) -> None:
        """Signal the whole group. The leader is not yet reaped, so its number is still its own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def has_ended(self) -> bool:
        """Whether the leader has ended, without reaping it."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, flags) is not None

    def wait(self) -> int:
        """Reap the leader and return its exit code, negative for a signal."""
        code = self.process.wait()
        if self.watch is not None:
            os.close(self.watch)
            self.watch = None
        return code

    def discard_lease(self) -> None:
        """Remove what is left of its lease; where that fails, whoever comes next does it."""
        with contextlib.suppress(OSError, UdabenchError):
            lease.discard_dead(self.paths.lease)


def wait_for_any(workers: Sequence[Worker], seconds: float) -> None:
    """Sleep until one of ``workers`` ends, at most ``seconds``."""
    watched = [worker.watch for worker in workers if worker.watch is not None]
    if watched:
        select.select(watched, [], [], seconds)
    else:
        time.sleep(seconds)


def start(
    planned: PlannedCell,
    slot: Slot,
    paths: CellPaths,
    command: Sequence[str],
    before: tuple[int, int] | None,
    reader: int,
    threads: int,
) -> Worker:
    """Start ``command`` for one cell on ``slot``, its output appended to the cell's log.

    ``before`` is the stamp of the record that ``planned`` knows of; ``reader`` is the read end of
    the orchestrator's pipe, which the worker inherits.

    Raises:
        OSError: the log cannot be written, or the command not be started.
    """
    paths.folder.mkdir(parents=True, exist_ok=True)
    paths.progress.unlink(missing_ok=True)
    lease.discard_dead(paths.lease)
    if slot.processes > 1:
        launcher = [sys.executable, "-m", "benchmark.engines.launcher", str(slot.processes)]
        command = [*launcher, *command]
    with open(paths.log, "ab") as log:
        log.write(f"--- {planned.cell}, started {utc_now()} on {slot.name}\n".encode())
        log.flush()
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**_environment(slot, reader, threads), KNOWN_RECORD: text_of(before)},
            pass_fds=(reader,),
            start_new_session=True,
        )
    worker = Worker(planned, slot, process, paths, before, time.monotonic())
    with contextlib.suppress(AttributeError, OSError):  # Linux 5.3, Python 3.9
        worker.watch = os.pidfd_open(process.pid)
    return worker


def _is_compiled(package: str) -> bool:
    """Whether the installer of ``package`` left it compiled, where Python looks for that."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return False
    return Path(importlib.util.cache_from_source(found.origin)).is_file()


def _environment(slot: Slot, reader: int, threads: int) -> dict[str, str]:
    # A worker of an engine is the only process of its cell, whoever started the engine.
    inherited = {name: text for name, text in os.environ.items() if name not in ranks.VARIABLES}
    if inherited.get("PYTHONDONTWRITEBYTECODE") and not _is_compiled(LARGEST):
        # Containers set it to stay small, but every cell would compile thousands of modules anew.
        del inherited["PYTHONDONTWRITEBYTECODE"]
        inherited["PYTHONPYCACHEPREFIX"] = str(cache_root() / "bytecode")
    return {
        **inherited,
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        PARENT_FD: str(reader),
        "CUDA_VISIBLE_DEVICES": slot.visible,
        # So that an index means the same device as in nvidia-smi.
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
    }
