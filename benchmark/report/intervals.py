"""What tables and page ask of intervals, whoever computes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from benchmark.report.model import RecordRef


class Intervals(Protocol):
    """How far a difference would move with other test images.

    A pair is the two records of one seed. ``of`` is the 95 % interval of the mIoU of the first
    minus that of the second on ``domain``, averaged over the pairs, in points; ``None`` where it
    is not known. ``why`` then says so in words for a foot-note. ``contents`` are the files that
    keep what was computed.
    """

    def of(
        self, pairs: Sequence[tuple[RecordRef, RecordRef]], domain: str
    ) -> tuple[float, float] | None: ...
    def why(self, pairs: Sequence[tuple[RecordRef, RecordRef]], domain: str) -> str: ...
    def contents(self) -> Mapping[Path, str]: ...
