"""The collapse alarm: a score that hides classes which adaptation has lost.

Self-training and adversarial alignment can give up whole classes (a pseudo label that is never
made is never learned), while the mean still rises. The sentences are for foot-notes; nothing is
left out of a mean because of them.
"""

from __future__ import annotations

from benchmark.records import DomainMetrics

LOST = 1.0
"""IoU in percent below which a class counts as given up: by chance it would be about its share."""
SEEN = 10.0
"""IoU in percent from which the reference knew a class: ten times ``LOST``, so that noise between
two runs of a class that nobody learned raises no alarm."""
FEW = 0.5
"""Share of lost classes from which predictions are dominated by few: most classes are not there."""
BELOW = 3.0
"""Points under the reference that are no accident of a seed: the demo's source-only varies by 0.2
points over seeds on the target and by 0.2 to 1.3 on unseen domains, but for night with 3.6."""


def collapsed(metrics: DomainMetrics, reference: DomainMetrics | None) -> tuple[str, ...]:
    """What is alarming about scores on a domain, a sentence each; empty if nothing is.

    Args:
        metrics: of a cell, on one domain.
        reference: of the baseline with the same encoder, shift and seed on the same domain;
            ``None`` where there is none: then only what the scores alone show is told.
    """
    found = []
    scores = {name: iou for name, iou in metrics.per_class_iou.items() if iou is not None}
    lost = lost_classes(metrics, reference)
    if lost and reference is not None:
        told = ", ".join(f"{name} ({reference.per_class_iou[name]:.1f} before)" for name in lost)
        found.append(f"collapsed: IoU below {LOST:g} for {told}")
    gone = sum(iou < LOST for iou in scores.values())
    if scores and gone >= FEW * len(scores):
        found.append(
            f"predictions of few classes: IoU below {LOST:g} for {gone} of {len(scores)} classes"
        )
    # Below it on the source is no alarm: what adapts, or never saw the source, gives that up.
    adapted = metrics.role != "source"
    if adapted and reference is not None and metrics.miou < reference.miou - BELOW:
        # Not by how much: the table shows both, and cells with equal words share a foot-note.
        found.append(f"more than {BELOW:g} points of mIoU below the baseline")
    return tuple(found)


def lost_classes(metrics: DomainMetrics, reference: DomainMetrics | None) -> tuple[str, ...]:
    """Classes that ``reference`` knew and ``metrics`` has given up, in the record's order."""
    if reference is None:
        return ()
    return tuple(
        name
        for name, iou in metrics.per_class_iou.items()
        if iou is not None and iou < LOST and (reference.per_class_iou.get(name) or 0.0) >= SEEN
    )
