"""A worker's side of the bond with its orchestrator: when that dies, so does the worker.

The orchestrator keeps the write end of a pipe open and never writes. However it ends, even by
SIGKILL, the kernel closes that end and every worker's read returns.
"""

from __future__ import annotations

import os
import signal
import threading

PARENT_FD = "UDABENCH_PARENT_FD"


def watch_parent() -> None:
    """Start the thread that kills this process's group once the orchestrator is gone.

    Does nothing in a process that no orchestrator started.
    """
    text = os.environ.pop(PARENT_FD, None)
    if text is None:
        return
    descriptor = int(text)
    os.set_inheritable(descriptor, False)
    threading.Thread(target=_wait, args=(descriptor,), name="guardian", daemon=True).start()


def _wait(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    # A worker leads its own group; anything else must not take a user's shell down with it.
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
