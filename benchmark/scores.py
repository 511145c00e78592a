"""From confusion counts to what a record says of a domain. Only the worker needs this."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark import class_subsets
from benchmark.errors import UdabenchError
from benchmark.records import DomainMetrics

if TYPE_CHECKING:
    from mmseg_ext.evaluation import DomainScore

POOLED, OF_GROUPS, ALL = "pooled", "mean of groups", "all classes"
"""Names of means that are recorded wherever they are not the headline's own definition."""
LEVEL = "severity "
"""How the names of means over the images of one level begin; the level follows."""


@dataclass(frozen=True)
class _Levels:
    """The images of a group that has them at several levels: each level is scored by itself."""

    by_level: Mapping[int, DomainScore]

    def mean(self, classes: Sequence[int] | None = None) -> float:
        """Mean over the levels of their mIoU in percent, NaN where none has ground truth."""
        return _known_mean([part.mean(classes) for part in self.by_level.values()])


def domain_metrics(
    domain: str,
    role: str,
    score: DomainScore,
    groups: Sequence[str | None],
    scoring: Mapping[str, Any],
    levels: Sequence[int] = (),
) -> DomainMetrics:
    """The scores of one domain.

    Args:
        groups: the group of each image, such as ACDC's condition; ``None`` for images without one.
        scoring: part of a cell's configuration: ``classes`` and ``also`` are train ids, ``mean``
            is ``pooled`` (default) or ``per-condition``.
        levels: of each image where a group (a corruption) has every image at several severities.
            The score of a group is the mean over its levels then, and the headline the mean over
            groups whatever ``scoring`` says, as in Hendrycks and Dietterich (arXiv 1903.12261) and
            Kamann and Rother (arXiv 1908.05005): counts pooled over corruptions would be a score
            of no image that there is.

    Raises:
        UdabenchError: no pixel of the classes that count is labelled.
    """
    from mmseg_ext.datasets.classes import CLASSES

    parts = _by_group(score, groups, levels)
    by_group = bool(parts) and (scoring.get("mean") == "per-condition" or bool(levels))
    headline: list[int] | None = scoring.get("classes")

    def mean(classes: Sequence[int] | None) -> float:
        value = _mean_of(parts, classes) if by_group else math.nan
        return score.mean(classes) if math.isnan(value) else value

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
    for level in sorted({*levels}):
        at_level = [p.by_level[level] for p in parts.values() if isinstance(p, _Levels)]
        means[f"{LEVEL}{level}"] = _known_mean([part.mean(headline) for part in at_level])
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
        notes=_notes(headline, by_group, groups, parts, levels),
    )


def _by_group(
    score: DomainScore, groups: Sequence[str | None], levels: Sequence[int]
) -> dict[str, DomainScore | _Levels]:
    """The score of each group with a labelled pixel, by name; empty where there are no groups."""
    names = sorted({name for name in groups if name is not None})
    parts: dict[str, DomainScore | _Levels] = {}
    for name in names:
        members = [i for i, each in enumerate(groups) if each == name]
        if levels:
            at_level = {
                level: score.of_images([i for i in members if levels[i] == level])
                for level in sorted({*levels})
            }
            parts[name] = _Levels(at_level)
        else:
            parts[name] = score.of_images(members)
    return {name: part for name, part in parts.items() if not math.isnan(part.mean())}


def _mean_of(parts: Mapping[str, DomainScore | _Levels], classes: Sequence[int] | None) -> float:
    return _known_mean([part.mean(classes) for part in parts.values()])


def _known_mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _notes(
    classes: Sequence[int] | None,
    by_group: bool,
    groups: Sequence[str | None],
    parts: Mapping[str, DomainScore | _Levels],
    levels: Sequence[int],
) -> tuple[str, ...]:
    """What the headline is, where it is not the mean of all classes over all images at once."""
    found = []
    if classes is not None:
        found.append(f"mean of {len(classes)} classes: {', '.join(class_subsets.names(classes))}")
    if by_group:
        each = ", ".join(f"{level}" for level in sorted({*levels}))
        of_each = f", each the mean over severities {each}" if each else ""
        found.append(f"mean of the mIoU of {', '.join(parts)}{of_each}")
    elif any(name is None for name in groups) and any(name is not None for name in groups):
        found.append("some images belong to no group")
    return tuple(found)
