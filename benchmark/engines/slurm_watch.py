"""What became of submitted cells: still queued, running, done, failed, or lost with their job."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark import plan, provenance
from benchmark.cell import Cell
from benchmark.data_roots import DataRoots
from benchmark.engines import EXIT_INTERRUPTED, Outcome, slurm_queue, submission, verdict
from benchmark.engines.slurm_queue import Ending, Job, QueueError
from benchmark.engines.submission import Submission
from benchmark.paths import CellPaths
from benchmark.plan import Plan, PlannedCell

KINDS = {"TIMEOUT": "timeout", "DEADLINE": "timeout", "OUT_OF_MEMORY": "oom"}
KILLED = (9, 128 + 9)
# SIGUSR2, Slurm's warning of the time limit, ends a process that has not yet learnt to hear it.
WARNED = (12, 128 + 12)
STOPPED = (2, 15, EXIT_INTERRUPTED, 128 + 15)
BEING_MADE = Job("?", "PENDING", "being submitted", "", "")
MESSAGE_LENGTH = 300


@dataclass(frozen=True)
class Settled:
    """A submitted cell whose job has ended. ``is_lost``: through no fault of its own and not by
    the user's wish, so it may be submitted again."""

    outcome: Outcome
    is_lost: bool = False


@dataclass(frozen=True)
class Watched:
    """A plan that knows the queue, and the job of each cell that is in it.

    ``problem`` says why the queue could not be read; the jobs are those last known then.
    """

    plan: Plan
    jobs: Mapping[Cell, Job] = field(default_factory=dict)
    problem: str = ""


def watch(planned: Plan, roots: DataRoots) -> Watched:
    """``planned`` with the states ``pending`` and ``running`` of the cells in Slurm's queue.

    A job that ended without a record is settled: it becomes a typed failure where it reached a
    limit or crashed, and is forgotten where it was cancelled or lost its node.
    """
    if not submission.is_possible(planned.folder):
        return Watched(planned)
    found = {
        entry.cell: made
        for entry in planned.entries
        if (made := submission.read(CellPaths(planned.folder, entry.cell)))
    }
    if not found:
        return Watched(planned)
    try:
        queue = slurm_queue.read(made.user for made in found.values())
    except QueueError as error:
        known = {
            cell: Job(made.job or "?", "UNKNOWN", "", "", made.name) for cell, made in found.items()
        }
        return Watched(planned, known, str(error))
    jobs: dict[Cell, Job] = {}
    entries = []
    for entry in planned.entries:
        sight = look(planned.suite.name, entry, planned.folder, queue, roots)
        if isinstance(sight, Job) and entry.state != "done":
            jobs[entry.cell] = sight
            entries.append(_queued(entry, sight))
        else:
            entries.append(plan.judge(entry, planned.folder) if sight else entry)
    return Watched(dataclasses.replace(planned, entries=tuple(entries)), jobs)


def look(
    suite: str,
    planned: PlannedCell,
    folder: Path,
    queue: Mapping[str, Job],
    roots: DataRoots,
) -> Job | Settled | None:
    """The job of a cell, how it ended, or None for a cell that is not submitted."""
    paths = CellPaths(folder, planned.cell)
    made = submission.read(paths)
    if made is None:
        return None
    job = made.find(queue)
    if job is None and submission.is_being_made(folder, made):
        return BEING_MADE
    if job is not None and made.job is None:
        made = dataclasses.replace(made, job=job.id)
        submission.write(paths, made)
    if job is not None and job.is_active:
        return job
    return _settle(suite, planned, paths, made, job, roots)


def _queued(entry: PlannedCell, job: Job) -> PlannedCell:
    state = "pending" if job.is_waiting and entry.state != "running" else "running"
    return dataclasses.replace(entry, state=state, reason=str(job))


def _settle(
    suite: str,
    planned: PlannedCell,
    paths: CellPaths,
    made: Submission,
    job: Job | None,
    roots: DataRoots,
) -> Job | Settled:
    """Conclude a cell whose job has ended."""
    now = plan.judge(planned, paths.suite_folder)
    if now.state == "running":
        # Its node is gone and the lease has not expired yet, or another engine has taken over.
        return Job(made.job or "?", "COMPLETING", "", "", made.name)
    if now.state == "done" or verdict.stamp(paths.record) != made.before:
        state = now.state if now.state in ("done", "failed") else "skipped"
        submission.remove(paths)
        return Settled(Outcome(planned.cell, state, now.reason, 0.0))
    settled = _without_record(suite, now, paths, made, job, roots)
    submission.remove(paths)
    return settled


def _without_record(
    suite: str,
    planned: PlannedCell,
    paths: CellPaths,
    made: Submission,
    job: Job | None,
    roots: DataRoots,
) -> Settled:
    if made.job is None:
        lost = Outcome(planned.cell, "interrupted", "it was never submitted", 0.0)
        return Settled(lost, is_lost=True)
    log = made.log(paths.suite_folder)
    if job is None and not log.exists():
        end = Ending("CANCELLED")  # before it began: Slurm forgets such a task of an array at once
    elif job is not None and job.state != "FAILED":
        end = Ending(job.state)
    else:  # only the question about one job is answered with its exit code
        end = slurm_queue.ending(made.job, log)
    kind = _kind(end)
    word = end.state or "gone, and nobody remembers how it ended"
    if not kind:
        outcome = Outcome(planned.cell, "interrupted", f"Slurm job {made.job}: {word}", 0.0)
        return Settled(outcome, is_lost=end.state != "CANCELLED")
    message = f"Slurm ended the job: {word}"
    if kind == "timeout" and end.state == "FAILED":
        message += ", by its warning of the time limit before the job could hear it"
    if kind == "error":
        places = {**roots.names(planned.config), paths.suite_folder: "<results>"}
        last = provenance.scrub(verdict.last_line(log), places)
        message += f", exit code {end.code}; its log ends with: {last[:MESSAGE_LENGTH]}"
    ended = verdict.Ending(planned, paths, end.code, made.before, "", 0.0, made.threads, None)
    return Settled(verdict.fail(suite, ended, kind, message, made.before))


def _kind(end: Ending) -> str:
    """The kind of failure, empty where the cell is not to blame."""
    if end.state in KINDS:
        return KINDS[end.state]
    if end.state != "FAILED":
        return ""
    if end.signal in KILLED or end.code in KILLED:
        return "oom"
    if end.signal in WARNED or end.code in WARNED:
        return "timeout"
    return "" if end.signal in STOPPED or end.code in STOPPED else "error"
