"""A job's method with its optimizers, and batches for it, as the training loop has them."""

from __future__ import annotations

import copy
import importlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.config import ConfigDict
from torch import Tensor, nn

import mmseg_ext.registry  # noqa: F401  (mends mmcv and MMEngine before either is used)
from mmseg_ext.conformance.job import Job
from mmseg_ext.profiling import job as profiling
from mmseg_ext.profiling import random_images
from mmseg_ext.profiling.job import Built
from mmseg_ext.registry import MODELS


def import_classes(job: Job) -> None:
    """Import what registers the classes that a job names."""
    for module in job.imports:
        importlib.import_module(module)


def build(job: Job, seed: int = 0) -> Built:
    """The method in training mode with random weights, and its optimizers."""
    import_classes(job)
    model = ConfigDict(copy.deepcopy(job.model))  # MMSegmentation reads attributes of test_cfg
    return profiling.build(
        profiling.Job(model, job.optim_wrapper, job.size, job.batch, job.target, seed=seed)
    )


def encoder(job: Job, seed: int = 0) -> nn.Module:
    """The encoder alone, with random weights."""
    import_classes(job)
    torch.manual_seed(seed)
    backbone: Any = MODELS.build(copy.deepcopy(dict(job.model["segmentor"]["backbone"])))
    if hasattr(backbone, "init_weights"):
        backbone.init_weights()
    network: nn.Module = backbone
    return network


def batches(job: Job) -> Iterator[Any]:
    """Batches of random images, always the same ones."""
    return random_images.batches(job.size, job.batch, job.target)


def seeded(seed: int) -> None:
    """Put the generators that training draws from into a known state."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def step(built: Built, batch: Any) -> dict[str, Tensor]:
    """One training step; what it returns for the log."""
    method: Any = built.method
    log: dict[str, Tensor] = method.train_step(batch, optim_wrapper=built.optimizers)
    return log
