"""Leases: who is running a cell right now, and whether that process still lives.

A lease is a JSON file created exclusively beside the cell's log. It names the host, the process
and when that process started, so a reused process number is not mistaken for the holder. Its
modification time is a heartbeat, which is all that can be seen from another host (or from another
container on the same one, or after a reboot).
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import functools
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from benchmark.errors import UdabenchError

HEARTBEAT_SECONDS = 20.0
EXPIRY_SECONDS = 120.0
# Between creating a lease and filling it the file is empty for an instant.
UNWRITTEN_SECONDS = 10.0


class LeaseHeldError(UdabenchError):
    """Another live process is running the cell."""


@dataclass(frozen=True)
class Lease:
    """Content of a lease file; ``started`` is the process start time in clock ticks, if known.

    ``space`` tells where a process number means a process: one boot, one process namespace.
    """

    host: str
    pid: int
    started: int | None
    created: float
    token: str
    space: str = ""

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
        beaten = path.stat().st_mtime
    except OSError:
        return False
    lease = read(path)
    if lease is None:
        return path.exists() and _is_recent(path, beaten, UNWRITTEN_SECONDS)
    if lease.host != socket.gethostname() or lease.space not in ("", process_space()):
        return _is_recent(path, beaten, EXPIRY_SECONDS)
    try:
        return process_start(lease.pid) == lease.started
    except ProcessLookupError:
        return False


def _is_recent(path: Path, beaten: float, seconds: float) -> bool:
    """Whether a file was written in the last ``seconds``.

    One from the future tells that a clock was set back: then it is recent until it has stood still
    for ``seconds`` while this process watched, because a holder that lives goes on beating.
    """
    age = time.time() - beaten
    if age >= -seconds:
        _watched.pop(path, None)
        return age < seconds
    now = time.monotonic()
    seen, since = _watched.get(path, (None, now))
    if seen != beaten:
        since = now
    _watched[path] = beaten, since
    return now - since < seconds


_watched: dict[Path, tuple[float | None, float]] = {}


@functools.cache
def process_space() -> str:
    """The boot and the process namespace this process lives in, empty where they cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


@contextlib.contextmanager
def hold(path: Path) -> Iterator[Lease]:
    """Hold the lease at ``path`` while the block runs, refreshing its heartbeat.

    Raises:
        LeaseHeldError: another live process holds it.
    """
    lease = acquire(path)
    released = threading.Event()
    threading.Thread(
        target=_beat, args=(path, lease, released), name="lease-heartbeat", daemon=True
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
        space=process_space(),
    )
    with _locked(path):
        _clear_dead(path)
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            holder = read(path)
            who = holder or "another process"
            raise LeaseHeldError(f"{path.parent.name} is being run by {who}") from None
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(json.dumps(dataclasses.asdict(lease)) + "\n")
        except OSError:  # a full disk: an empty lease would hold others up
            path.unlink()
            raise
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
    dead = read(path)
    if path.exists() and not is_alive(path):
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        os.rename(path, aside)
        if read(aside) != dead:  # a lock that a network file system only seemed to give
            os.link(aside, path)
        aside.unlink()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Serialise changes of a lease. The lock goes away with its process, its file with its use."""
    lock = path.with_name(f".{path.name}.lock")
    stream = _lock(lock)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.unlink()
        stream.close()


def _lock(lock: Path) -> TextIO:
    """The locked file at ``lock``. Who held it before us removed it, so we may have waited for a
    file that is no longer there and must lock the one that is."""
    while True:
        stream = open(lock, "w")  # noqa: SIM115 (it stays open as long as it is locked)
        try:
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as error:
            stream.close()
            raise UdabenchError(
                f"{lock.parent}: the file system cannot lock files ({error}); choose a results "
                "folder on another one with --out"
            ) from error
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(stream.fileno()), os.stat(lock)):
                return stream
        stream.close()


def _beat(path: Path, lease: Lease, released: threading.Event) -> None:
    while not released.wait(HEARTBEAT_SECONDS):
        with contextlib.suppress(OSError):
            if read(path) == lease:  # never keep another's alive
                os.utime(path)
