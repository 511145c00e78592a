from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.report.statistics import seeds as stats

percent = st.floats(min_value=0, max_value=100)
samples = st.dictionaries(st.integers(0, 9), percent, min_size=2)


@given(samples)
def test_mean_and_spread_agree_with_numpy(values: dict[int, float]) -> None:
    numbers = np.array(list(values.values()))
    assert stats.mean(values) == pytest.approx(numbers.mean())
    assert stats.spread(values) == pytest.approx(numbers.std(ddof=1), abs=1e-9)


@given(st.dictionaries(st.integers(0, 3), percent, min_size=2))
def test_the_order_of_seeds_changes_no_bit(values: dict[int, float]) -> None:
    for shuffled in itertools.permutations(values.items()):
        assert stats.mean(dict(shuffled)) == stats.mean(values)
        assert stats.spread(dict(shuffled)) == stats.spread(values)


def test_one_seed_has_no_spread() -> None:
    assert stats.spread({0: 50.0}) is None
    assert stats.spread({}) is None


def test_differences_are_taken_over_shared_seeds() -> None:
    assert stats.differences({0: 5.0, 1: 7.0, 4: 9.0}, {1: 4.0, 4: 10.0, 5: 1.0}) == {
        1: 3.0,
        4: -1.0,
    }


@given(samples, samples)
def test_the_mean_difference_is_the_difference_of_means(
    first: dict[int, float], second: dict[int, float]
) -> None:
    seeds = sorted(set(first) & set(second))
    differences = stats.differences(first, second)
    assert sorted(differences) == seeds
    if seeds:
        expected = np.mean([first[s] for s in seeds]) - np.mean([second[s] for s in seeds])
        assert stats.mean(differences) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "share"), [(40.0, 0.0), (60.0, 1.0), (45.0, 0.25), (70.0, 1.5), (35.0, -0.25)]
)
def test_share_of_the_gap(value: float, share: float) -> None:
    assert stats.gap_closed(value, 40.0, 60.0) == share


@pytest.mark.parametrize("ceiling", [40.0, 39.0, 40.05, 40.0 + 1e-300])
def test_there_is_no_share_of_no_gap(ceiling: float) -> None:
    assert stats.gap_closed(45.0, 40.0, ceiling) is None


@given(samples)
def test_the_interval_over_seeds_is_students(values: dict[int, float]) -> None:
    from scipy import stats as scipy_stats

    found = stats.interval(values)
    assert found is not None
    numbers = np.array(list(values.values()))
    error = numbers.std(ddof=1) / np.sqrt(len(numbers))
    half = scipy_stats.t.ppf(0.975, len(numbers) - 1) * error
    assert found == pytest.approx((numbers.mean() - half, numbers.mean() + half), abs=1e-6)
    assert stats.interval({0: 3.0}) is None


def test_two_seeds_tell_little() -> None:
    """Student's t for one degree of freedom, from a printed table: 12.706."""
    found = stats.interval({0: -1.0, 1: 1.0})  # a spread of sqrt(2), so an error of 1
    assert found == pytest.approx((-12.706, 12.706), abs=1e-3)


def test_an_interval_that_ends_at_zero_does_not_exclude_it() -> None:
    assert stats.excludes_zero((0.1, 2.0))
    assert stats.excludes_zero((-2.0, -0.1))
    assert not stats.excludes_zero((0.0, 2.0))
    assert not stats.excludes_zero((-1.0, 0.0))
    assert not stats.excludes_zero(None)
    assert stats.excludes_zero(stats.interval({0: 2.5, 1: 2.5}))
