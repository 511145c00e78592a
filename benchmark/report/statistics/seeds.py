"""The statistics of the tables, on plain mappings from seed to value.

Sums are exact and rounded once, so that a result depends neither on the order in which records
were read nor on the Python version: tables are compared byte by byte.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping
from fractions import Fraction

Seeds = Mapping[int, float]

SMALLEST_GAP = 0.1
"""Points of mIoU below which source-only and oracle count as equal: the tables' last decimal."""


def mean(values: Seeds) -> float:
    """Arithmetic mean over seeds. ``values`` must not be empty."""
    return statistics.fmean(values.values())


def spread(values: Seeds) -> float | None:
    """Sample standard deviation over seeds (divisor n - 1), ``None`` for fewer than two seeds."""
    if len(values) < 2:
        return None
    # statistics.stdev rounds in other places before Python 3.11.
    exact = [Fraction(value) for value in values.values()]
    centre = sum(exact) / len(exact)
    return math.sqrt(sum((value - centre) ** 2 for value in exact) / (len(exact) - 1))


def common(*samples: Collection[int]) -> tuple[int, ...]:
    """The seeds that every sample has, ascending."""
    return tuple(sorted(set(samples[0]).intersection(*samples[1:])))


def restrict(values: Seeds, seeds: Collection[int]) -> dict[int, float]:
    """``values`` of ``seeds`` only."""
    return {seed: values[seed] for seed in seeds}


def differences(values: Seeds, reference: Seeds) -> dict[int, float]:
    """``values - reference`` for each seed that both have."""
    return {seed: values[seed] - reference[seed] for seed in common(values, reference)}


def gap_closed(value: float, floor: float, ceiling: float) -> float | None:
    """Share of the way from ``floor`` (source-only) to ``ceiling`` (oracle) that ``value`` covers.

    Returns ``(value - floor) / (ceiling - floor)``: 0 at the floor, 1 at the ceiling, negative
    below the floor, above 1 beyond the ceiling. ``None`` where the ceiling is less than
    ``SMALLEST_GAP`` above the floor: there is no gap to close, and the ratio would be noise.
    """
    if ceiling - floor < SMALLEST_GAP:
        return None
    return (value - floor) / (ceiling - floor)
