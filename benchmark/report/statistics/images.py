"""How far a difference of mIoU would move with other test images: a paired bootstrap.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. The images of a domain
are drawn with replacement, the same ones for both sides and for every seed, and the headline is
computed anew from their confusion counts: IoU is a ratio of sums over images, so that no mean of
per-image values stands for it.

The percentile interval is used, not BCa. Where two cells predict the same, every resample gives 0
and BCa is undefined; its correction is also estimated by leaving out single images, which is
unstable for a class that a few images alone show. On MiniDrive's gains the ends of the two differ
by at most 0.2 points in intervals 1.4 to 2.4 wide; the percentile one lies lower, so that it errs
towards no difference.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METHOD = "percentile"
RESAMPLES = 2000
CONFIDENCE = 0.95
DRAWS_AT_ONCE = 2**20
"""Images drawn at a time, over the resamples of a batch: 8 MiB an array of that size."""


def class_sums(confusion_ncc: NDArray[Any]) -> NDArray[np.float64]:
    """Pixels (N, 3, C) of each class in each image: right, in the truth, predicted.

    Args:
        confusion_ncc: counts, rows truth and columns prediction.
    """
    import numpy as np

    right = np.diagonal(confusion_ncc, axis1=1, axis2=2)
    return np.stack([right, confusion_ncc.sum(axis=2), confusion_ncc.sum(axis=1)], axis=1) * 1.0


def mean_iou(
    sums: NDArray[np.float64], classes: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """mIoU (...) in percent from sums (..., 3, C), over those classes that have ground truth.

    NaN where none has. This is the rule of ``mmseg_ext.evaluation.DomainScore.mean``.
    """
    import numpy as np

    right, truth, predicted = (sums[..., row, :] for row in range(3))
    iou = 100.0 * right / np.maximum(truth + predicted - right, 1.0)
    chosen = slice(None) if classes is None else list(classes)
    known = (truth > 0)[..., chosen]
    number = known.sum(axis=-1)
    total = np.where(known, iou[..., chosen], 0.0).sum(axis=-1)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def difference(
    pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    strata: Sequence[NDArray[np.intp]],
    classes: Sequence[int] | None = None,
) -> NDArray[np.float64]:
    """mIoU of the first minus that of the second, averaged over the pairs, in points.

    Args:
        pairs: the class sums (N, 3, C) of both sides, a pair a seed.
        strata: images (R, n) of each group, R draws of n places in the data set. The mIoU is the
            mean over the groups that have ground truth; one group pools all images.

    Returns:
        (R,), NaN where no scored class has ground truth.
    """
    import numpy as np

    sides = np.stack([side for pair in pairs for side in pair], axis=1)
    images = len(sides)
    by_group = []
    for places in strata:
        times = _times_drawn(places, images)
        totals = (times @ sides.reshape(images, -1)).reshape(len(places), *sides.shape[1:])
        by_group.append(mean_iou(totals, classes))
    scores = np.stack(by_group)
    known = np.isfinite(scores)
    number = known.sum(axis=0)
    miou = np.where(known, scores, 0.0).sum(axis=0) / np.where(number > 0, number, np.nan)
    return (miou[:, 0::2] - miou[:, 1::2]).mean(axis=1)


def interval(
    pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    *,
    seed: int,
    groups: Sequence[NDArray[np.intp]] | None = None,
    classes: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
) -> tuple[float, float] | None:
    """95 % interval in points of the seed-averaged mIoU difference over other test images.

    Args:
        pairs: as in `difference`.
        seed: of the draws; equal seeds give equal intervals.
        groups: places of the images of each group, if the headline is a mean over groups. Each is
            drawn from on its own: how many images a condition has was decided, not drawn.
        classes: train ids that the headline scores, all by default.

    Returns:
        Lower and upper end, or ``None`` where a group has fewer than two images or a draw has no
        ground truth of any scored class.
    """
    import numpy as np
    from scipy import stats

    images = len(pairs[0][0])
    strata = (np.arange(images),) if groups is None else tuple(groups)
    if any(len(places) < 2 for places in strata):
        return None

    def statistic(*drawn: NDArray[np.intp], axis: int) -> NDArray[np.float64]:
        return difference(pairs, [np.moveaxis(places, axis, -1) for places in drawn], classes)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # NaN: told below
        found = stats.bootstrap(
            strata,
            statistic,
            n_resamples=resamples,
            batch=max(1, DRAWS_AT_ONCE // images),
            vectorized=True,
            confidence_level=CONFIDENCE,
            method=METHOD,
            # RandomState: its stream is frozen, a Generator's may change with numpy.
            random_state=np.random.RandomState(seed),
        ).confidence_interval
    if not np.isfinite(found.low + found.high):
        return None
    return float(found.low), float(found.high)


def _times_drawn(places: NDArray[np.intp], images: int) -> NDArray[np.float64]:
    """How often each draw (R, n) has each image: (R, images)."""
    import numpy as np

    rows = np.arange(len(places))[:, None] * images
    counts = np.bincount((places + rows).ravel(), minlength=len(places) * images)
    return counts.reshape(len(places), images).astype(np.float64)
