"""Submissions: which job a cell waits in, kept in one file beside the cell's lease.

The file is written before the job is submitted, with the name its array will have, and again with
the job's id: a submitter that is killed in between leaves a job that can still be found by name.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark import lease
from benchmark.engines.slurm_queue import Job
from benchmark.paths import CellPaths, jobs_folder
from benchmark.records import write_atomically


@dataclass(frozen=True)
class Submission:
    """Content of a submission file.

    ``name`` and ``index`` are those of the array and the task in it, ``size`` the number of tasks,
    ``before`` the stamp of the cell's record at that time, ``user`` the submitter's number,
    ``threads`` those of the cell, ``job`` the id, None as long as it is not known,
    ``extended`` how often the job went on after its time limit.
    """

    name: str
    index: int
    size: int
    user: int
    threads: int
    submitted: float
    before: tuple[int, int] | None = None
    job: str | None = None
    extended: int = 0

    def find(self, queue: Mapping[str, Job]) -> Job | None:
        """The job in ``queue``, by its id or else by its array's name."""
        if self.job is not None:
            return queue.get(self.job)
        task = f"_{self.index}" if self.size > 1 else ""
        named = (job for job in queue.values() if job.name == self.name)
        return next((j for j in named if j.id == j.id.partition("_")[0] + task), None)

    def log(self, suite_folder: Path) -> Path:
        """What the job prints outside of the cell: submitit's and Slurm's messages."""
        return jobs_folder(suite_folder) / self.name / f"{self.job}_0_log.out"


def read(paths: CellPaths) -> Submission | None:
    """The submission of a cell, None if there is none or its file is broken."""
    try:
        document = json.loads(paths.submission.read_text(encoding="utf-8"))
        before = document.pop("before")
        return Submission(**document, before=None if before is None else tuple(before))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write(paths: CellPaths, submission: Submission) -> None:
    """Replace the submission of a cell."""
    write_atomically(paths.submission, json.dumps(dataclasses.asdict(submission)) + "\n")


def remove(paths: CellPaths) -> None:
    """Forget the submission of a cell."""
    paths.submission.unlink(missing_ok=True)


def is_possible(suite_folder: Path) -> bool:
    """Whether anything was ever submitted for this suite: without reading a file a cell."""
    return jobs_folder(suite_folder).is_dir()


def submitter_lease(suite_folder: Path) -> Path:
    """The lease of the process that is submitting: one at a time."""
    return jobs_folder(suite_folder) / "lease.json"


def is_being_made(suite_folder: Path, submission: Submission) -> bool:
    """Whether the submitter has yet to learn the job's id."""
    return submission.job is None and lease.is_alive(submitter_lease(suite_folder))


def me() -> int:
    """The number of the user that submits."""
    return os.getuid()
