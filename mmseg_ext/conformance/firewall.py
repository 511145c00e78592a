"""The label firewall: what a method computes must not depend on labels of the target."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.structures import PixelData

from mmseg_ext.conformance import build as building
from mmseg_ext.conformance import fingerprints
from mmseg_ext.conformance.job import Job
from mmseg_ext.conformance.naming import differences, some
from mmseg_ext.conformance.verdict import DoesNotApply, Failed
from mmseg_ext.errors import TargetLabelsSeenError

_STEPS = 2
_POISON = (None, 3, 11)
"""Train ids that the target's label maps are filled with, ``None`` for samples without labels."""


def target_labels(job: Job) -> str:
    """Steps with wrong labels in the target's samples are refused, or equal those without any."""
    if job.kind == "encoder":
        raise DoesNotApply("an encoder sees images only")
    if job.card.get("target_labels"):
        raise DoesNotApply("its card says that it is trained with target labels")
    if not job.target:
        raise DoesNotApply("its card says that it sees no target images")
    clean, *poisoned = [_outcome(job, label) for label in _POISON]
    if clean is None:
        raise Failed("refuses target samples that carry no labels")
    for label, outcome in zip(_POISON[1:], poisoned, strict=True):
        changed = [] if outcome is None else differences(clean, outcome)
        if changed:
            raise Failed(
                f"target labels filled with {label} change {some(changed)}",
                "never read gt_sem_seg of the target's samples; UDAMethod.prepare refuses them",
            )
    refused = all(outcome is None for outcome in poisoned)
    return "samples with target labels are " + ("refused" if refused else "treated like others")


def _outcome(job: Job, label: int | None) -> fingerprints.Fingerprint | None:
    """The losses and the state after some steps; ``None`` if the samples were refused."""
    built = building.build(job)
    data = building.batches(job)
    building.seeded(0)
    found: fingerprints.Fingerprint = {}
    for number in range(_STEPS):
        batch = _labelled(next(data), label)
        try:
            log = building.step(built, batch)
        except TargetLabelsSeenError:
            return None
        found |= fingerprints.of_state(log, f"step {number + 1}")
    return {**found, **fingerprints.of_built(built)}


def _labelled(batch: Any, label: int | None) -> Any:
    if label is None:
        return batch
    target = batch["target"]
    for image, sample in zip(target["inputs"], target["data_samples"], strict=True):
        full = torch.full((1, *image.shape[-2:]), label, dtype=torch.int64)
        sample.gt_sem_seg = PixelData(data=full)
    return batch
