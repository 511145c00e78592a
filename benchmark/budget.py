"""What a suite says about running its cells: limits, retries and checkpoints. None is identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmark import records
from benchmark.suitefile import Section

MAX_RETRIES = 100
MAX_INTERVAL = 10_000_000
KEEP = ("weights", "nothing", "everything")


@dataclass(frozen=True)
class Budget:
    """Limits of a suite: ``minutes_per_cell`` stops a cell that runs longer (None: no limit),
    ``retries`` says how often a cell that failed is tried again, by kind of failure."""

    minutes_per_cell: float | None = None
    retries: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoints:
    """Which files of a training stay.

    ``every`` is the number of iterations between two resume points (None: a twentieth of the
    training, at least 100). ``keep`` says what is left of a cell that is done: the student's
    ``weights``, ``nothing``, or ``everything``, which is the last resume point too.
    """

    every: int | None = None
    keep: str = "weights"


def budget_of(suite: Section) -> Budget:
    """The ``budget`` of a suite file.

    Raises:
        SuiteError: it breaks a rule.
    """
    if not suite.has("budget"):
        return Budget()
    section = suite.section("budget")
    section.allow(required=(), optional=("minutes_per_cell", "retries"))
    key = "minutes_per_cell"
    minutes = section.positive(key) if section.has(key) else None
    if not section.has("retries"):
        return Budget(minutes)
    retries = section.section("retries")
    retries.allow(required=(), optional=records.FAILURES)
    return Budget(minutes, {kind: retries.natural(kind, MAX_RETRIES) for kind in retries.values})


def checkpoints_of(suite: Section) -> Checkpoints:
    """The ``checkpoints`` of a suite file.

    Raises:
        SuiteError: they break a rule.
    """
    if not suite.has("checkpoints"):
        return Checkpoints()
    section = suite.section("checkpoints")
    section.allow(required=(), optional=("every", "keep"))
    every = section.natural("every", MAX_INTERVAL, 1) if section.has("every") else None
    keep = section.choice("keep", KEEP) if section.has("keep") else "weights"
    return Checkpoints(every, keep)
