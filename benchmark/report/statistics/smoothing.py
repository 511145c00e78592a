"""Running means of recorded curves."""

from __future__ import annotations

import math
from collections.abc import Sequence

WINDOW = 10
"""Recorded points in a running mean."""


def smoothed(curve: Sequence[float]) -> list[float]:
    """Running means over ``WINDOW`` points, or the mean of all where there are fewer.

    Points without a finite value are left out first.
    """
    known = [float(v) for v in curve if isinstance(v, (int, float)) and math.isfinite(v)]
    width = min(WINDOW, len(known))
    ends = range(width, len(known) + 1) if known else ()
    return [math.fsum(known[end - width : end]) / width for end in ends]
