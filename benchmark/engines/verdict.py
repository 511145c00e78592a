"""What the end of a worker means: a cell that ended without a record still gets one."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path
from types import EllipsisType

from benchmark import attempts, failures, lease, provenance, records
from benchmark.data_roots import DataRoots
from benchmark.engines import (
    EXIT_DISK,
    EXIT_DONE,
    EXIT_HELD,
    EXIT_INTERRUPTED,
    EXIT_OOM,
    Outcome,
)
from benchmark.errors import RecordError, UdabenchError
from benchmark.paths import CellPaths
from benchmark.plan import PlannedCell
from benchmark.records import Failure, Record

# Tells a worker which record its orchestrator knows of (``text_of`` its stamp): if there is another
# one by the time it holds the lease, someone else has run the cell in between.
KNOWN_RECORD = "UDABENCH_KNOWN_RECORD"
LOG_TAIL_BYTES = 4096
MESSAGE_LENGTH = 300


@dataclass(frozen=True)
class Ending:
    """A worker that has ended. ``before`` is its record's stamp when it was started, ``accumulate``
    the micro-batches it was told to use, ``stopped`` why the pool stopped it (``timeout``,
    ``interrupted``) or empty, ``limit`` in seconds; ``data_roots`` are folders that no message may
    name."""

    planned: PlannedCell
    paths: CellPaths
    code: int
    before: tuple[int, int] | None
    stopped: str
    seconds: float
    threads: int
    limit: float | None
    accumulate: int = 1
    data_roots: DataRoots = field(default_factory=lambda: DataRoots(None))


def stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def text_of(stamp: tuple[int, int] | None) -> str:
    """A stamp as the text of an environment variable."""
    return "none" if stamp is None else f"{stamp[0]}-{stamp[1]}"


def conclude(suite: str, ending: Ending) -> Outcome:
    """The outcome of a worker. Writes a ``failed`` record when it crashed or ran out of time."""
    cell = ending.planned.cell
    seen = stamp(ending.paths.record)
    record, problem = _record(ending)
    if record and record.state == "done":
        return Outcome(cell, "done", "", ending.seconds)
    if ending.stopped == "interrupted":
        return Outcome(cell, "interrupted", "stopped by the user", ending.seconds)
    if ending.stopped != "timeout":
        if record and record.failure:
            reason = f"{record.failure.kind}: {record.failure.message}"
            return Outcome(cell, "failed", reason, ending.seconds)
        if ending.code == EXIT_HELD:
            return Outcome(cell, "skipped", "another process has it", ending.seconds)
    kind, message = _failure(ending)
    return fail(suite, ending, kind, problem or message, seen)


def fail(
    suite: str,
    ending: Ending,
    kind: str,
    message: str,
    seen: tuple[int, int] | EllipsisType | None = ...,
) -> Outcome:
    """Write the ``failed`` record of a cell that left none.

    It is written under the cell's lease, and, where ``seen`` is given, only if the record is still
    the one with that stamp: nobody has recorded the cell since.
    """
    cell, reason = ending.planned.cell, f"{kind}: {message}"
    try:
        held = lease.acquire(ending.paths.lease)
        try:
            if seen is not ... and stamp(ending.paths.record) != seen:
                return Outcome(cell, "skipped", "another process recorded it", ending.seconds)
            records.write_record(ending.paths.suite_folder, _failed(suite, ending, kind, message))
        finally:
            lease.release(ending.paths.lease, held)
    except lease.LeaseHeldError:
        return Outcome(cell, "skipped", "another process has it", ending.seconds)
    except (OSError, UdabenchError) as error:
        full = failures.is_disk_full(error)
        why = "the disk is full" if full else getattr(error, "strerror", None) or str(error)
        reason += f"; the failure could not be recorded ({why})"
    return Outcome(cell, "failed", reason, ending.seconds)


def _record(ending: Ending) -> tuple[Record | None, str]:
    """The record this worker left, or why what it left is none."""
    written = stamp(ending.paths.record) != ending.before
    try:
        record = records.read_record(ending.paths.record) if ending.paths.record.exists() else None
    except RecordError as error:
        return None, _without_places(str(error), ending) if written else ""
    if written:
        return record, ""
    # A worker that finds its cell done by someone else meanwhile leaves that record alone.
    same = record and ending.planned.identity and record.identity.id == ending.planned.identity.id
    return (record if same and ending.code == EXIT_DONE else None), ""


def _failure(ending: Ending) -> tuple[str, str]:
    if ending.stopped == "timeout":
        return "timeout", f"stopped after the limit of {(ending.limit or 0) / 60:g} minutes"
    if ending.code == -signal.SIGKILL:
        return "oom", "killed by SIGKILL, most likely because the machine ran out of memory"
    if ending.code in (EXIT_INTERRUPTED, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP):
        return "interrupted", "the worker was stopped from outside"
    if ending.code == EXIT_DISK:
        return "disk", "no space left to write what the cell computed"
    if ending.code == EXIT_OOM:
        return "oom", "one of the cell's processes ran out of memory, see the log"
    if ending.code < 0:
        try:
            name = signal.Signals(-ending.code).name
        except ValueError:
            name = f"signal {-ending.code}"
        return "error", f"killed by {name}, see the log"
    how = f"exit code {ending.code} without a record"
    last = _without_places(last_line(ending.paths.log), ending)[:MESSAGE_LENGTH]
    return "error", f"{how}; the log ends with: {last}" if last else f"{how}; the log is empty"


def last_line(log: Path) -> str:
    """The last line with text in it, empty for the engine's own."""
    try:
        with open(log, "rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - LOG_TAIL_BYTES))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[-1].startswith("--- "):
        return ""
    return lines[-1]


def _without_places(text: str, ending: Ending) -> str:
    data = ending.data_roots.names(ending.planned.config)
    return provenance.scrub(text, {**data, ending.paths.suite_folder: "<results>"})


def _failed(suite: str, ending: Ending, kind: str, message: str) -> Record:
    planned = ending.planned
    if planned.identity is None:
        raise ValueError(f"{planned.cell} has no identity: an excluded cell was run")
    previous = attempts.earlier(planned.record, planned.identity)
    attempt = attempts.entry(kind, ending.seconds, ending.accumulate)
    return Record(
        suite=suite,
        cell=planned.cell,
        identity=planned.identity,
        state="failed",
        failure=Failure(kind, message, f"cells/{planned.cell.stem}/log.txt"),
        provenance=provenance.capture(threads=ending.threads),
        attempts=(*previous, attempt),
        notes=attempts.notes(ending.accumulate, previous),
    )
