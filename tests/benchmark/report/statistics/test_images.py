from __future__ import annotations

import resource
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmark.report.statistics import images

Counts = NDArray[np.int64]


def counts(seed: int, number: int = 12, classes: int = 4) -> Counts:
    return np.random.default_rng(seed).integers(0, 50, (number, classes, classes))


def miou(confusion: Counts, classes: list[int] | None = None) -> float:
    """Class by class, in whole numbers."""
    values = []
    for c in range(len(confusion)) if classes is None else classes:
        truth, said = int(confusion[c].sum()), int(confusion[:, c].sum())
        if truth:
            values.append(100 * int(confusion[c, c]) / (truth + said - int(confusion[c, c])))
    return sum(values) / len(values) if values else float("nan")


def resampled(
    pairs: list[tuple[Counts, Counts]], draws: list[list[int]], classes: list[int] | None = None
) -> list[float]:
    return [
        float(np.mean([miou(a[d].sum(0), classes) - miou(b[d].sum(0), classes) for a, b in pairs]))
        for d in draws
    ]


def sums(pairs: list[tuple[Counts, Counts]]) -> list[tuple[NDArray[np.float64], ...]]:
    return [(images.class_sums(a), images.class_sums(b)) for a, b in pairs]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 99),
    st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=4),
    st.sampled_from([None, [0, 2], [3]]),
)
def test_a_resample_is_scored_as_its_images_are(
    seed: int, draws: list[list[int]], classes: list[int] | None
) -> None:
    first, second = counts(seed, 6), counts(seed + 1, 6)
    first[:, 1], second[:, 1] = 0, 0  # class 1 has no ground truth
    first[3:, 3], second[3:, 3] = 0, 0  # class 3 only in some images, so absent in some draws
    first[0, 3, 3] = second[0, 3, 3] = 9
    pairs = [(first, second), (second, counts(seed + 2, 6))]
    found = images.difference(sums(pairs), [np.array(draws)], classes)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, resampled(pairs, draws, classes), rtol=0, atol=1e-9)


def test_the_interval_is_that_of_plain_resampling() -> None:
    pairs = [(counts(seed, 30), counts(seed + 10, 30)) for seed in range(2)]
    for first, _ in pairs:
        first += 60 * np.eye(4, dtype=np.int64)
    rng = np.random.default_rng(0)
    plain = resampled(pairs, [list(rng.integers(0, 30, 30)) for _ in range(2000)])
    found = images.interval(sums(pairs), seed=7)  # type: ignore[arg-type]
    assert found is not None
    width = np.ptp(np.percentile(plain, [2.5, 97.5]))
    np.testing.assert_allclose(found, np.percentile(plain, [2.5, 97.5]), atol=0.08 * width)
    assert found[0] > 0


def test_the_same_images_are_drawn_for_both_sides() -> None:
    """Images of very different difficulty: unpaired draws would give a wide interval."""
    easy, hard = 100 * np.eye(2, dtype=np.int64), np.array([[1, 99], [99, 1]])
    first = np.stack([easy if i % 2 else hard for i in range(40)])
    second = first.copy()
    second[:, 0, 0] -= 1  # of a hundred, in each image
    second[:, 0, 1] += 1
    found = images.interval(sums([(first, second)]), seed=1)  # type: ignore[arg-type]
    assert found is not None
    assert 0 < found[0] < found[1] < 1


def test_cells_that_predict_the_same_differ_by_nothing() -> None:
    same = images.class_sums(counts(3))
    assert images.interval([(same, same)], seed=1) == (0.0, 0.0)


def test_equal_seeds_give_equal_intervals_and_others_do_not() -> None:
    pair = sums([(counts(1), counts(2))])
    first = images.interval(pair, seed=5)  # type: ignore[arg-type]
    assert first == images.interval(pair, seed=5)  # type: ignore[arg-type]
    assert first != images.interval(pair, seed=6)  # type: ignore[arg-type]


def test_a_group_is_drawn_from_on_its_own() -> None:
    """Two groups of images that are alike within: every draw has the same score."""
    first, second = np.zeros((2, 8, 2, 2), dtype=np.int64)
    first[:3], first[3:] = [[9, 1], [0, 10]], [[5, 5], [5, 5]]
    second[:3], second[3:] = [[8, 2], [0, 10]], [[6, 4], [4, 6]]
    groups = [np.arange(3), np.arange(3, 8)]
    expected = np.mean([miou(first[i]) - miou(second[i]) for i in (0, 4)])
    pair = sums([(first, second)])
    found = images.interval(pair, seed=1, groups=groups)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, [expected, expected], atol=1e-9)
    pooled = images.interval(pair, seed=1)  # type: ignore[arg-type]
    assert pooled is not None
    assert pooled[1] - pooled[0] > 0.1


@pytest.mark.parametrize("groups", [None, [np.array([0])]])
def test_one_image_has_no_interval(groups: list[NDArray[np.intp]] | None) -> None:
    one = images.class_sums(counts(1, 1 if groups is None else 3))
    assert images.interval([(one, one)], seed=1, groups=groups) is None


def test_a_draw_without_ground_truth_leaves_no_interval() -> None:
    empty = np.zeros((3, 2, 2), dtype=np.int64)
    empty[0] = 5
    side = images.class_sums(empty)
    assert images.interval([(side, side)], seed=1) is None


def test_a_large_domain_takes_moments() -> None:
    rng = np.random.default_rng(0)
    big = images.class_sums(rng.integers(0, 9000, (2000, 19, 19)).astype(np.int32))
    other = images.class_sums(rng.integers(0, 9000, (2000, 19, 19)).astype(np.int32))
    images.interval([(big[:9], other[:9])], seed=0)  # imports
    before, used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    images.interval([(big, other)] * 3, seed=0)
    assert time.process_time() - used < 10  # on this machine 0.3: a loop over draws takes minutes
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # KiB
