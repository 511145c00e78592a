"""Single training steps: the method is built, its terms are numbers, and it predicts."""

from __future__ import annotations

from typing import Any

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from mmseg_ext.conformance import build as building
from mmseg_ext.conformance.job import Job
from mmseg_ext.conformance.verdict import Failed
from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL
from mmseg_ext.errors import NonFiniteLossError
from mmseg_ext.methods.base import UDAMethod
from mmseg_ext.profiling.job import Built

_STEPS = 3


def builds(job: Job) -> str:
    """The configuration gives a method with a student, image statistics and optimizers."""
    told = "mean" in job.model["data_preprocessor"]
    if not told and getattr(building.encoder(job), "image_statistics", None) is None:
        raise Failed(
            "the encoder tells no image statistics",
            "define mean and std (RGB, 0-255) in its fragment, or image_statistics in its class",
        )
    method: Any = building.build(job).method
    if not isinstance(method, UDAMethod):
        raise Failed(
            f"{type(method).__name__} is no UDAMethod",
            "derive it from mmseg_ext.methods.base.UDAMethod and implement training_terms",
        )
    parameters = [each for each in method.student.parameters() if each.requires_grad]
    if not parameters:
        raise Failed("the student has no trainable parameter", "leave some requires_grad True")
    count = sum(each.numel() for each in parameters) / 1e6
    return f"{type(method).__name__}, {count:.1f} M trainable parameters in the student"


def finite_terms(job: Job) -> str:
    """Every term is a number in ordinary steps, and where no pixel has a label."""
    built = building.build(job)
    data = building.batches(job)
    building.seeded(0)
    for number in range(1, _STEPS + 1):
        names = _terms(built, next(data), f"step {number}")
    batch = next(data)
    for sample in batch["source"]["data_samples"]:
        sample.gt_sem_seg.data = torch.full_like(sample.gt_sem_seg.data, IGNORE_LABEL)
    _terms(built, batch, "a step without a labelled pixel")
    return f"{', '.join(names)} in {_STEPS} steps and in one without a labelled pixel"


def _terms(built: Built, batch: Any, where: str) -> list[str]:
    """The names of a step's terms, all of which must be numbers."""
    try:
        log = building.step(built, batch)
    except NonFiniteLossError as error:
        raise Failed(f"in {where}: {error}", "divide by no count that can be 0") from error
    losses = {name: value for name, value in log.items() if name.startswith("loss_")}
    if not losses:
        raise Failed(f"{where} logged no loss term", "yield at least one Term in training_terms")
    for name, value in losses.items():
        if not torch.isfinite(value).all():
            raise Failed(f"term {name.removeprefix('loss_')!r} is {float(value)} in {where}")
    return [name.removeprefix("loss_") for name in losses]


def predicts(job: Job) -> str:
    """The student predicts one class for each pixel, always the same, and is left as it was."""
    method: Any = building.build(job).method
    method.eval()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    first, second = (_prediction(method, job) for _ in range(2))
    if tuple(first.shape) != (1, *job.size):
        raise Failed(f"a prediction has shape {tuple(first.shape)}, expected {(1, *job.size)}")
    if first.is_floating_point() or not 0 <= int(first.min()) <= int(first.max()) < len(CLASSES):
        raise Failed(f"a prediction is no map of train ids 0 to {len(CLASSES) - 1}")
    if not torch.equal(first, second):
        raise Failed("two predictions of one image differ", "switch off what is random in eval()")
    moved = [name for name, value in method.state_dict().items() if (value != before[name]).any()]
    if moved:
        raise Failed(f"predicting changed {moved[0]}", "change no state in evaluation mode")
    return f"{job.size[0]}x{job.size[1]} classes, twice the same"


def _prediction(method: Any, job: Job) -> Tensor:
    random = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (3, *job.size), dtype=torch.uint8, generator=random)
    sample = SegDataSample(metainfo={"img_shape": job.size, "ori_shape": job.size})
    (found,) = method.test_step({"inputs": [image], "data_samples": [sample]})
    prediction: Tensor = found.pred_sem_seg.data
    return prediction
