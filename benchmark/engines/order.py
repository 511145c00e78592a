"""In which order cells start: what the suite puts first, then what takes longest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.plan import PlannedCell
from benchmark.suite import Suite


def ordered(
    due: Sequence[PlannedCell], known: Iterable[PlannedCell], suite: Suite
) -> list[PlannedCell]:
    """``due`` by the suite's priorities, then longest first, then as in the grid.

    How long a cell takes is the mean of the finished ones among ``known`` with its method and
    encoder; a long cell that starts last would run alone at the end. Cells that none tells about
    follow those.
    """
    took: dict[tuple[str, str], list[float]] = {}
    for entry in known:
        cost = entry.record.cost if entry.record else None
        if cost is not None:
            pair = entry.cell.method, entry.cell.encoder
            took.setdefault(pair, []).append(cost.train_seconds + cost.evaluation_seconds)
    mean = {pair: sum(each) / len(each) for pair, each in took.items()}

    def rank(planned: PlannedCell) -> tuple[int, float]:
        cell = planned.cell
        return suite.priority_of(cell), -mean.get((cell.method, cell.encoder), 0.0)

    return sorted(due, key=rank)
