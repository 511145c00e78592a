"""Starts the processes that share one cell: what ``torchrun --standalone`` does, in one group.

``python -m benchmark.engines.launcher 2 COMMAND...`` starts the command twice with the variables of
``benchmark.ranks`` and a free port. Torch's own launcher puts each process into a session of its
own, out of reach of whoever stops the cell, and turns every failure into exit code 1. Here all stay
in the launcher's process group, and the cell's exit code is that of rank 0 or of the process that
failed before it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmark import stopping
from benchmark.engines import EXIT_HELD
from benchmark.engines.guardian import PARENT_FD, watch_parent

POLL_SECONDS = 0.05
# Long enough to write a record; a process that waits for one that has ended would wait for ever.
GRACE_SECONDS = 10.0


def main(arguments: Sequence[str]) -> int:
    """Run ``COUNT COMMAND...`` and return the cell's exit code."""
    count, command = int(arguments[0]), list(arguments[1:])
    descriptor = os.environ.get(PARENT_FD)
    watch_parent()
    # Signals go to the whole group: the processes decide, the launcher only waits for them.
    for number in (*stopping.SIGNALS, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    port = free_port()
    started = [_start(command, rank, count, port, descriptor) for rank in range(count)]
    code = _wait(started)
    if code < 0:  # end as it ended, so that whoever waits sees the signal
        signal.signal(-code, signal.SIG_DFL) if -code not in (9, 19) else None
        os.kill(os.getpid(), -code)
    return code


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(
    command: Sequence[str], rank: int, count: int, port: int, descriptor: str | None
) -> subprocess.Popen[bytes]:
    shared = {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    if descriptor is not None:
        shared[PARENT_FD] = descriptor
    inherited = () if descriptor is None else (int(descriptor),)
    return subprocess.Popen(command, env={**os.environ, **shared}, pass_fds=inherited)


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> int:
    """Wait for all; once rank 0 has ended or any has failed, the others have a grace."""
    failed: int | None = None
    deadline: float | None = None
    while any(process.poll() is None for process in processes):
        codes = [process.poll() for process in processes]
        if deadline is None and (codes[0] is not None or any(codes)):
            held = codes[0] == EXIT_HELD  # nobody has begun
            deadline = time.monotonic() + (0.0 if held else GRACE_SECONDS)
            failed = next((code for code in codes if code), None)
        if deadline is not None and time.monotonic() > deadline:
            for process in processes:
                process.kill()
        time.sleep(POLL_SECONDS)
    first = processes[0].returncode
    if first == -signal.SIGKILL and failed is not None:
        return failed  # killed by us, for another's failure
    return first or failed or next((p.returncode for p in processes[1:] if p.returncode), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
