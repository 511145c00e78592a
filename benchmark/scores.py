"""From confusion counts to what a record says of a domain. Only the worker needs this."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmark import class_subsets
from benchmark.errors import UdabenchError
from benchmark.records import DomainMetrics

if TYPE_CHECKING:
    from mmseg_ext.evaluation import DomainScore

POOLED, OF_GROUPS, ALL = "pooled", "mean of groups", "all classes"
"""Names of means that are recorded wherever they are not the headline's own definition."""


def domain_metrics(
    domain: str,
    role: str,
    score: DomainScore,
    groups: Sequence[str | None],
    scoring: Mapping[str, Any],
) -> DomainMetrics:
    """The scores of one domain.

    Args:
        groups: the group of each image, such as ACDC's condition; ``None`` for images without one.
        scoring: part of a cell's configuration: ``classes`` and ``also`` are train ids, ``mean``
            is ``pooled`` (default) or ``per-condition``.

    Raises:
        UdabenchError: no pixel of the classes that count is labelled.
    """
    from mmseg_ext.datasets.classes import CLASSES

    parts = _by_group(score, groups)
    by_group = bool(parts) and scoring.get("mean") == "per-condition"
    headline: list[int] | None = scoring.get("classes")

    def mean(classes: Sequence[int] | None) -> float:
        values = [part.mean(classes) for part in parts.values()] if by_group else []
        known = [value for value in values if not math.isnan(value)]
        return sum(known) / len(known) if known else score.mean(classes)

    miou = mean(headline)
    if math.isnan(miou):
        raise UdabenchError(
            f"domain {domain}: none of the classes that are scored has a labelled pixel in its "
            f"{len(score.confusion_ncc)} test images"
        )
    means = {name: mean(ids) for name, ids in scoring.get("also", {}).items()}
    if headline is not None:
        means[ALL] = mean(None)
    if parts:
        means[POOLED] = score.mean(headline)
        means[OF_GROUPS] = _mean_of(parts, headline)
    iou = score.iou
    scored = [c for c in headline or range(len(CLASSES)) if not math.isnan(iou[c])]
    return DomainMetrics(
        role=role,
        miou=miou,
        per_class_iou={
            name: None if math.isnan(value) else float(value)  # NaN: the class has no ground truth
            for name, value in zip(CLASSES, iou, strict=True)
        },
        scored_classes=len(scored),
        pixel_accuracy=score.pixel_accuracy,
        images=len(score.confusion_ncc),
        means={name: value for name, value in means.items() if not math.isnan(value)},
        groups={name: part.mean(headline) for name, part in parts.items()},
        notes=_notes(headline, by_group, groups, parts),
    )


def _by_group(score: DomainScore, groups: Sequence[str | None]) -> dict[str, DomainScore]:
    """The score of each group with a labelled pixel, by name; empty where there are no groups."""
    names = sorted({name for name in groups if name is not None})
    parts = {
        name: score.of_images([i for i, each in enumerate(groups) if each == name])
        for name in names
    }
    return {name: part for name, part in parts.items() if not math.isnan(part.miou)}


def _mean_of(parts: Mapping[str, DomainScore], classes: Sequence[int] | None) -> float:
    known = [v for part in parts.values() if not math.isnan(v := part.mean(classes))]
    return sum(known) / len(known) if known else math.nan


def _notes(
    classes: Sequence[int] | None,
    by_group: bool,
    groups: Sequence[str | None],
    parts: Mapping[str, DomainScore],
) -> tuple[str, ...]:
    """What the headline is, where it is not the mean of all classes over all images at once."""
    found = []
    if classes is not None:
        found.append(f"mean of {len(classes)} classes: {', '.join(class_subsets.names(classes))}")
    if by_group:
        found.append(f"mean of the mIoU of {', '.join(parts)}")
    elif any(name is None for name in groups) and any(name is not None for name in groups):
        found.append("some images belong to no group")
    return tuple(found)
