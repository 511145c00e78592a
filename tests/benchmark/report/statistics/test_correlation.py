from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.report.statistics import correlation
from benchmark.report.statistics.correlation import Coefficient, rank_correlation

few = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=4, max_size=9)


def test_both_coefficients_by_their_definitions() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 1.0, 4.0, 3.0, 5.0, 6.0]
    found = rank_correlation(x, y)
    assert found is not None
    assert found.n == 6
    assert found.spearman.value == pytest.approx(
        1 - 6 * sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / (6 * 35)
    )
    signs = [
        np.sign((a[0] - b[0]) * (a[1] - b[1]))
        for a, b in itertools.combinations(list(zip(x, y, strict=True)), 2)
    ]
    assert found.kendall.value == pytest.approx(sum(signs) / len(signs))


@settings(deadline=None)
@given(few)
def test_rows_agree_with_scipy_one_at_a_time(points: list[tuple[int, int]]) -> None:
    x, y = np.array(points, dtype=float).T
    rho, tau = correlation.spearman(x[None], y[None])[0], correlation.kendall(x[None], y[None])[0]
    if len({*x}) < 2 or len({*y}) < 2:
        assert np.isnan([rho, tau]).all()
        assert rank_correlation(list(x), list(y)) is None
    else:
        assert rho == pytest.approx(stats.spearmanr(x, y).statistic)
        assert tau == pytest.approx(stats.kendalltau(x, y).statistic)


def test_the_interval_is_that_of_plain_resampling() -> None:
    rng = np.random.default_rng(2)
    x = np.arange(20.0)
    y = x + rng.normal(0, 6, 20)
    found = rank_correlation(list(x), list(y))
    assert found is not None
    draws = rng.integers(0, 20, (1000, 20))
    for coefficient, of in ((found.spearman, stats.spearmanr), (found.kendall, stats.kendalltau)):
        plain = np.percentile([of(x[d], y[d]).statistic for d in draws], [2.5, 97.5])
        np.testing.assert_allclose(coefficient.interval, plain, atol=0.08)
        assert coefficient.confidence == "the two rank alike"


def test_a_rising_line_is_certain_and_equal_runs_agree() -> None:
    x = [float(i) for i in range(8)]
    found = rank_correlation(x, [10 * value for value in x])
    assert found == rank_correlation(x, [10 * value for value in x])
    assert found is not None
    assert found.spearman.value == pytest.approx(1)
    assert found.kendall.interval == pytest.approx((1.0, 1.0))


def test_too_few_or_equal_points_have_no_order() -> None:
    assert rank_correlation([1, 2, 3], [1, 2, 3]) is None
    assert rank_correlation([1, 1, 1, 1], [1, 2, 3, 4]) is None
    assert rank_correlation([1, 2, 3, 4], [5, 5, 5, 5]) is None
    with pytest.raises(ValueError, match="not pairs"):
        rank_correlation([1, 2, 3, 4], [1, 2, 3])


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.1, 0.9), "rank alike"),
        ((-0.9, -0.1), "against each other"),
        ((-0.1, 0.9), "contains 0"),
        (None, "too few"),
    ],
)
def test_what_a_reader_may_conclude(interval: tuple[float, float] | None, words: str) -> None:
    assert words in Coefficient(0.5, interval).confidence
