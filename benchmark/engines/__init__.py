"""Engines: where the cells of a plan run. They share the few words defined here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from benchmark.cell import Cell
from benchmark.plan import PlannedCell

# Exit codes of the process that runs one cell; every other code is a crash.
EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_OOM = 71
EXIT_DISK = 74
EXIT_HELD = 75
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class Slot:
    """A place for one cell: a device, several, or a share of the processor.

    ``visible`` is what ``CUDA_VISIBLE_DEVICES`` is set to, ``processes`` how many share the cell
    that runs here, ``workers`` the data-loading processes of each.
    """

    name: str
    device: str
    visible: str
    workers: int
    processes: int = 1


@dataclass(frozen=True)
class Outcome:
    """How one cell ended: ``state`` is ``done``, ``failed``, ``skipped`` (another process has it)
    or ``interrupted`` (no record was left)."""

    cell: Cell
    state: str
    reason: str
    seconds: float


class Observer(Protocol):
    """What an engine tells the display."""

    def started(self, planned: PlannedCell, slot: Slot) -> None:
        """A cell was started."""

    def held(self, planned: PlannedCell, reason: str) -> None:
        """A cell is being run by another process, whose end is waited for."""

    def retried(self, planned: PlannedCell, reason: str) -> None:
        """A cell failed and is tried again; ``reason`` says how it failed and what is changed."""

    def finished(self, outcome: Outcome) -> None:
        """A cell ended."""

    def tick(self) -> None:
        """Called a few times a second while cells run."""


class Interrupted(KeyboardInterrupt):
    """The user stopped the run; every worker has ended when this is raised."""
