"""The parts of a suite file that speak of some of its cells: exclusions, priorities, protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark import registry
from benchmark.cell import Cell
from benchmark.errors import SuiteError
from benchmark.suitefile import Section

Grid = Mapping[str, tuple[str | int, ...]]
"""The values of each axis of a suite, by the axis."""
Match = Mapping[str, tuple[str | int, ...]]
"""Some values of some axes."""


@dataclass(frozen=True)
class Exclusion:
    """Cells left out of a grid: those that have one of the values of every given axis."""

    match: Match
    reason: str

    def covers(self, cell: Cell) -> bool:
        """Whether ``cell`` is one of the excluded ones."""
        return agrees(cell, self.match)


def agrees(cell: Cell, match: Match) -> bool:
    """Whether a cell has one of the values of every axis in ``match``."""
    return all(getattr(cell, axis) in values for axis, values in match.items())


def within(match: Match, grid: Grid) -> Match | None:
    """``match`` without values that ``grid`` has not; ``None`` if an axis is left without any."""
    kept = {axis: tuple(v for v in values if v in grid[axis]) for axis, values in match.items()}
    return kept if all(kept.values()) else None


def exclusions(section: Section, grid: Grid) -> tuple[Exclusion, ...]:
    """The entries of the key ``exclude``, none without it; ``grid`` has the values of each axis.

    Raises:
        SuiteError: an entry names no axis, or a value that the suite has not.
    """
    found = []
    for entry in section.sections("exclude"):
        entry.allow(required=("reason",), optional=tuple(grid))
        found.append(Exclusion(_match(entry, grid, " beside the reason"), entry.text("reason")))
    return tuple(found)


def priorities(section: Section, grid: Grid) -> tuple[Match, ...]:
    """The entries of the key ``priority``, none without it.

    Raises:
        SuiteError: as `exclusions`.
    """
    found = []
    for entry in section.sections("priority"):
        entry.allow(required=(), optional=tuple(grid))
        found.append(_match(entry, grid, ""))
    return tuple(found)


def _match(entry: Section, grid: Grid, beside: str) -> Match:
    match = {axis: entry.members(axis, grid[axis]) for axis in grid if entry.has(axis)}
    if not match:
        raise SuiteError(f"{entry.place}: expected at least one of {', '.join(grid)}{beside}")
    return match


def protocols(section: Section, methods: Sequence[str]) -> Mapping[str, str]:
    """The key ``protocols``: names of protocols by the method that follows them.

    Raises:
        SuiteError: it is no mapping, or a method is not the suite's, or there is no such protocol.
    """
    if not section.has("protocols"):
        return {}
    given = section.section("protocols")
    for method in given.values:
        if method not in methods:
            what = "method of this suite"
            raise SuiteError(f"{given.place}: {registry.unknown(what, method, methods)}")
    return {method: given.name(method, "protocol") for method in given.values}
