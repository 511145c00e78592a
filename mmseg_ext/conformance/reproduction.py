"""The same weights again: from the same seed, after an interruption, and in two processes.

These checks only compare; the runs take place in processes of their own.
"""

from __future__ import annotations

import json
from pathlib import Path

from mmseg_ext.conformance import naming, processes
from mmseg_ext.conformance.job import Job
from mmseg_ext.conformance.verdict import Failed

_TRAIN = "mmseg_ext.conformance.runs:train"
_ITERATIONS, _INTERRUPTED_AFTER = 4, 2
_LIMIT = 60.0  # seconds of one run


def same_seed(job: Job) -> str:
    """Two runs from one seed end with the same bits."""
    first = _uninterrupted(job)
    second = processes.call(_TRAIN, job, "again", _ITERATIONS, seconds=_LIMIT)
    _compare(
        first,
        second,
        f"two runs of {_ITERATIONS} steps from one seed differ in",
        "draw from torch's, numpy's or Python's global generators and from nothing else",
    )
    return f"{_ITERATIONS} steps twice, {len(first)} values equal"


def resume(job: Job) -> str:
    """A run resumed in another process ends like the one that was not interrupted."""
    whole = _uninterrupted(job)
    resumed = processes.call(_TRAIN, job, "resumed", _ITERATIONS, 0, "whole", seconds=_LIMIT)
    _compare(
        whole,
        resumed,
        f"a run resumed after {_INTERRUPTED_AFTER} of {_ITERATIONS} steps differs in",
        "keep everything that later steps depend on in buffers or parameters",
    )
    rest = _ITERATIONS - _INTERRUPTED_AFTER
    return f"{_INTERRUPTED_AFTER} + {rest} steps equal {_ITERATIONS}, bit for bit"


def two_processes(job: Job) -> str:
    """Two processes that train together hold the same state after each step."""
    ranks = [(job, "rank", 2, rank, 2) for rank in range(2)]
    first, second = processes.call_each(
        "mmseg_ext.conformance.runs:train_rank", ranks, seconds=_LIMIT
    )
    _compare(
        first,
        second,
        "after 2 steps in 2 processes (gloo) these differ between them:",
        "train through UDAMethod.train_step, which averages gradients and running statistics, and "
        "average other buffers that depend on the batch",
    )
    return f"2 steps in 2 processes, {len(first)} values equal"


def _uninterrupted(job: Job) -> dict[str, str]:
    """The state after a whole run, which is done once for the checks of a job."""
    kept = Path(job.folder) / "whole.json"
    if not kept.is_file():
        found = processes.call(
            _TRAIN, job, "whole", _ITERATIONS, _INTERRUPTED_AFTER, seconds=_LIMIT
        )
        kept.write_text(json.dumps(found), encoding="utf-8")
    state: dict[str, str] = json.loads(kept.read_text(encoding="utf-8"))
    return state


def _compare(first: dict[str, str], second: dict[str, str], what: str, remedy: str) -> None:
    different = naming.differences(first, second)
    if different:
        raise Failed(f"{what} {naming.some(different)}", remedy)
