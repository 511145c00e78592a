"""A lock that the kernel releases when its owner dies."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.1


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file at ``path``, which is made; waits for its owner.

    The file stays where it is: another process may already wait for it. The wait is a poll, so
    that a signal ends it at once.
    """
    with path.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(POLL_SECONDS)
        yield
