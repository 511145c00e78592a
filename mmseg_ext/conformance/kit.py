"""All checks in order, and the verdict that each ends in.

Imports nothing heavy: checks that build something run in processes of their own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from mmseg_ext.conformance import processes
from mmseg_ext.conformance.job import Job
from mmseg_ext.conformance.verdict import DoesNotApply, Failed, State, Verdict

_PACKAGE = "mmseg_ext.conformance"
_LIMIT = 60.0
"""Seconds of one check; it is over in a few on any machine that can train."""


@dataclass(frozen=True)
class Check:
    """One rule: its name, the function of the job that checks it, and where that runs.

    The function ("module:function" below this package) returns what it found in a line, or raises
    `Failed` or `DoesNotApply`. One that only reads and compares does not need an ``own_process``.
    """

    name: str
    function: str
    own_process: bool = True

    @property
    def work(self) -> str:
        """The function with its package."""
        return f"{_PACKAGE}.{self.function}"


CHECKS = (
    Check("card", "card:card", own_process=False),
    Check("builds", "steps:builds"),
    Check("finite terms", "steps:finite_terms"),
    Check("gradients", "gradients:gradients"),
    Check("parameter groups", "parameter_groups:parameter_groups"),
    Check("target labels", "firewall:target_labels"),
    Check("predicts", "steps:predicts"),
    Check("strides", "strides:strides"),
    Check("state round trip", "round_trip:round_trip"),
    Check("same seed", "reproduction:same_seed", own_process=False),
    Check("resume", "reproduction:resume", own_process=False),
    Check("two processes", "reproduction:two_processes", own_process=False),
)
_BUILDS = "builds"


def verdicts(job: Job) -> Iterator[Verdict]:
    """The verdict of each check in turn. Without a method that builds there are few."""
    for check in CHECKS:
        found = verdict(check, job)
        yield found
        if check.name == _BUILDS and found.state == "failed":
            return


def verdict(check: Check, job: Job) -> Verdict:
    """Run one check; whatever goes wrong in it is a failure of what is checked."""
    begun = time.monotonic()
    state: State = "ok"
    try:
        if check.own_process:
            detail = str(processes.call(check.work, job, seconds=_LIMIT))
        else:
            detail = str(processes.function_of(check.work)(job))
    except Failed as failed:
        state, detail = "failed", str(failed)
    except DoesNotApply as reason:
        state, detail = "does not apply", str(reason)
    except Exception as error:
        state, detail = "failed", processes.described(error)
    return Verdict(check.name, state, detail, time.monotonic() - begun)
