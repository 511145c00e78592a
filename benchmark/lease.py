"""Leases: who is running a cell right now, and whether that process still lives.

A lease is a JSON file created exclusively beside the cell's log. It names the host, the process
and when that process started, so a reused process number is not mistaken for the holder. Its
modification time is a heartbeat, which is all that can be seen from another host.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import UdabenchError

HEARTBEAT_SECONDS = 20.0
EXPIRY_SECONDS = 120.0
# Between creating a lease and filling it the file is empty for an instant.
UNWRITTEN_SECONDS = 10.0


class LeaseHeldError(UdabenchError):
    """Another live process is running the cell."""


@dataclass(frozen=True)
class Lease:
    """Content of a lease file; ``started`` is the process start time in clock ticks, if known."""

    host: str
    pid: int
    started: int | None
    created: float
    token: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def process_start(pid: int) -> int | None:
    """Start time of a live process in clock ticks since boot, None where it cannot be read.

    Raises:
        ProcessLookupError: there is no such process, or only its unreaped remains.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            # The command name may hold spaces and brackets; the fields follow its last bracket.
            fields = stream.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        if os.path.isdir("/proc/self"):
            raise ProcessLookupError(pid) from None
        with contextlib.suppress(PermissionError):
            os.kill(pid, 0)
        return None
    if fields[0] in ("Z", "X"):
        raise ProcessLookupError(pid)
    return int(fields[19])


def read(path: Path) -> Lease | None:
    """The lease at ``path``, or None if there is none or it was never filled in."""
    try:
        return Lease(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_alive(path: Path) -> bool:
    """Whether the holder of the lease at ``path`` is still at work."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return False
    lease = read(path)
    if lease is None:
        return path.exists() and age < UNWRITTEN_SECONDS
    if lease.host != socket.gethostname():
        return age < EXPIRY_SECONDS
    try:
        return process_start(lease.pid) == lease.started
    except ProcessLookupError:
        return False


@contextlib.contextmanager
def hold(path: Path) -> Iterator[Lease]:
    """Hold the lease at ``path`` while the block runs, refreshing its heartbeat.

    Raises:
        LeaseHeldError: another live process holds it.
    """
    lease = acquire(path)
    released = threading.Event()
    threading.Thread(
        target=_beat, args=(path, released), name="lease-heartbeat", daemon=True
    ).start()
    try:
        yield lease
    finally:
        released.set()
        release(path, lease)


def acquire(path: Path) -> Lease:
    """Create the lease at ``path`` for this process, taking over a dead one.

    Raises:
        LeaseHeldError: another live process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lease = Lease(
        host=socket.gethostname(),
        pid=os.getpid(),
        started=process_start(os.getpid()),
        created=time.time(),
        token=uuid.uuid4().hex,
    )
    with _locked(path):
        _clear_dead(path)
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            holder = read(path)
            who = holder or "another process"
            raise LeaseHeldError(f"{path.parent.name} is being run by {who}") from None
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(dataclasses.asdict(lease)) + "\n")
    return lease


def release(path: Path, lease: Lease) -> None:
    """Remove the lease at ``path`` if it is still ``lease``."""
    with contextlib.suppress(OSError), _locked(path):
        if read(path) == lease:
            path.unlink()


def discard_dead(path: Path) -> None:
    """Remove the lease at ``path`` if its holder is gone."""
    if path.exists():
        with _locked(path):
            _clear_dead(path)


def _clear_dead(path: Path) -> None:
    """Move a dead lease aside and delete it. Only under the lock: whoever judged it dead without
    the lock might move aside the lease of a process that took over in between."""
    if path.exists() and not is_alive(path):
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.dead")
        os.rename(path, aside)
        aside.unlink()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Serialise changes of one lease; the lock goes away with its process."""
    with open(path.with_name(f".{path.name}.lock"), "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as error:
            raise UdabenchError(
                f"{path.parent}: the file system cannot lock files ({error}); choose a results "
                "folder on another one with --out"
            ) from error
        yield


def _beat(path: Path, released: threading.Event) -> None:
    while not released.wait(HEARTBEAT_SECONDS):
        with contextlib.suppress(OSError):
            os.utime(path)
