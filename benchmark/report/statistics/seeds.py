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

CONFIDENCE = 0.95

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


def interval(values: Seeds) -> tuple[float, float] | None:
    """95 % interval of the mean over seeds by Student's t, ``None`` for fewer than two seeds.

    It takes the seeds as independent draws from a normal distribution. Two or three seeds tell
    little: the factor on the standard error is 12.7 for two, 4.3 for three and 2.8 for five.
    """
    found = spread(values)
    if found is None:
        return None
    from scipy.special import stdtrit  # the quantile that scipy.stats.t takes a second to import

    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)) * found / math.sqrt(len(values))
    return mean(values) - half, mean(values) + half


def excludes_zero(bounds: tuple[float, float] | None) -> bool:
    """Whether 0 lies outside an interval; one that is not known excludes nothing."""
    return bounds is not None and (bounds[0] > 0 or bounds[1] < 0)


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
