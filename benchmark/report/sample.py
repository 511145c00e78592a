"""The values of one kind of cell over seeds, and what to know about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.report.model import MISSING_STATES, RecordRef
from benchmark.report.statistics.seeds import Seeds


@dataclass(frozen=True)
class Gap:
    """A seed without a value, or one whose value needs a word."""

    seed: int
    state: str
    reason: str


@dataclass(frozen=True)
class Sample:
    """The values of one (method, encoder, shift) on one domain, over seeds.

    ``remarks`` are about seeds that have a value, ``gaps`` about those that have none.
    """

    values: Seeds
    records: Mapping[int, RecordRef]
    gaps: tuple[Gap, ...]
    remarks: tuple[Gap, ...] = ()

    @property
    def expected(self) -> int:
        """Number of seeds that the suite asks for: excluded ones are not asked for."""
        return len(self.values) + sum(gap.state != "excluded" for gap in self.gaps)

    @property
    def state(self) -> str:
        """``done``, ``partial``, or the missing state that most needs a look."""
        if self.values:
            return "done" if len(self.values) == self.expected else "partial"
        states = {gap.state for gap in self.gaps}
        return next((state for state in MISSING_STATES if state in states), "missing")

    def refs(self, seeds: Sequence[int]) -> tuple[RecordRef, ...]:
        """The records behind the values of ``seeds``."""
        return tuple(self.records[seed] for seed in seeds if seed in self.records)
