"""Do two scores rank the same points alike? Spearman's rho and Kendall's tau-b, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST = 4
"""Points below which there is no coefficient: three have six orders, and rho takes four values."""
RESAMPLES = 1000
CONFIDENCE = 0.95
FEWEST_DRAWS = RESAMPLES // 2
"""Draws with two different values on both axes below which there is no interval."""


@dataclass(frozen=True)
class Coefficient:
    """A rank correlation in [-1, 1], and its 95 % interval, ``None`` where it has none."""

    value: float
    interval: tuple[float, float] | None

    @property
    def confidence(self) -> str:
        """What a reader may conclude, in words."""
        if self.interval is None:
            return "too few different points to say"
        if self.interval[0] > 0:
            return "the two rank alike"
        if self.interval[1] < 0:
            return "the two rank against each other"
        return "no order is shown: the interval contains 0"


@dataclass(frozen=True)
class RankCorrelation:
    """Both coefficients over ``n`` points."""

    spearman: Coefficient
    kendall: Coefficient
    n: int


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> RankCorrelation | None:
    """Rank correlation of paired values; ``None`` for fewer than four points, or all equal ones.

    The interval is a percentile bootstrap over the points (Efron and Tibshirani, 1993). It takes
    them as independent, which methods with a common encoder are not: read it as the least doubt.

    Raises:
        ValueError: ``x`` and ``y`` differ in length.
    """
    if len(x) != len(y):
        raise ValueError(f"{len(x)} values of x and {len(y)} of y are not pairs")
    if len(x) < FEWEST or len(set(x)) < 2 or len(set(y)) < 2:
        return None
    import numpy as np
    from scipy import stats

    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return RankCorrelation(
        Coefficient(float(stats.spearmanr(xs, ys).statistic), _interval(xs, ys, spearman)),
        Coefficient(float(stats.kendalltau(xs, ys).statistic), _interval(xs, ys, kendall)),
        len(x),
    )


def spearman(x_rn: NDArray[np.float64], y_rn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's rho of every row (R,), NaN where a side is constant: `spearmanr` takes one."""
    import numpy as np
    from scipy import stats

    ranks = [stats.rankdata(each, axis=-1) for each in (x_rn, y_rn)]
    a, b = (each - each.mean(axis=-1, keepdims=True) for each in ranks)
    scale = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return (a * b).sum(axis=-1) / np.where(scale > 0, scale, np.nan)


def kendall(x_rn: NDArray[np.float64], y_rn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kendall's tau-b of every row (R,), NaN where a side is constant: `kendalltau` takes one."""
    import numpy as np

    above = np.triu_indices(x_rn.shape[-1], 1)
    a, b = (np.sign(each[:, above[0]] - each[:, above[1]]) for each in (x_rn, y_rn))
    scale = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return (a * b).sum(axis=-1) / np.where(scale > 0, scale, np.nan)


def _interval(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    coefficient: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> tuple[float, float] | None:
    """Percentiles over draws of the points; a draw of one point alone has no order and is left."""
    import numpy as np
    from scipy import stats

    def statistic(drawn: NDArray[np.intp], axis: int) -> NDArray[np.float64]:
        places = np.moveaxis(np.atleast_2d(drawn), axis, -1)
        return coefficient(x[places], y[places])

    with np.errstate(invalid="ignore"):
        drawn = stats.bootstrap(
            (np.arange(len(x)),),
            statistic,
            n_resamples=RESAMPLES,
            batch=max(1, 2**20 // len(x) ** 2),
            vectorized=True,
            method="percentile",
            random_state=np.random.RandomState(0),
        ).bootstrap_distribution
    known = drawn[np.isfinite(drawn)]
    if len(known) < FEWEST_DRAWS:
        return None
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(known, [tail, 100 - tail])
    return float(low), float(high)
