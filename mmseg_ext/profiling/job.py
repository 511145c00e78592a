"""What one measurement is asked to do, and the method and optimizers that it measures."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.utils import import_modules_from_strings
from torch import nn

from mmseg_ext.registry import MODELS

Side = Literal["ours", "plain", "both"]


@dataclass(frozen=True)
class Job:
    """One measurement.

    Attributes:
        model, optim_wrapper: configurations of the method and its optimizers, as the runner's.
        size: height and width of the images.
        batch: images of each domain in a step.
        target: whether the method is given target images.
        device: ``cpu`` or ``cuda``.
        threads: arithmetic threads of the process.
        steps, warmup, repeats: timed steps of a repeat, steps before the first, repeats.
        side: the step of ``mmseg_ext`` alone, the plain one alone, or both in turn.
        brief: whether only the peak memory is asked for: one side, few steps, nothing counted.
        seed: of weights, images and draws.
        imports: modules that register what ``model`` is built of, beside our own.
    """

    model: Mapping[str, Any]
    optim_wrapper: Mapping[str, Any]
    size: tuple[int, int]
    batch: int
    target: bool
    device: str = "cpu"
    threads: int = 1
    steps: int = 20
    warmup: int = 5
    repeats: int = 3
    side: Side = "ours"
    brief: bool = False
    seed: int = 0
    imports: Sequence[str] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Job:
        """The job of a JSON document. Raises ``TypeError`` for an unknown or missing key."""
        return cls(**{**document, "size": tuple(document["size"])})


@dataclass(frozen=True)
class Built:
    """A method on its device, in training mode, and its optimizers."""

    method: nn.Module
    optimizers: OptimWrapper | OptimWrapperDict


def build(job: Job) -> Built:
    """The method with random weights and its optimizers, as a runner would build them."""
    import_modules_from_strings(list(job.imports))
    init_default_scope("mmseg_ext")
    MMLogger.get_current_instance().setLevel("WARNING")  # it lists every parameter otherwise
    torch.manual_seed(job.seed)
    method = MODELS.build(copy.deepcopy(dict(job.model)))
    method.init_weights()
    method = method.to(job.device).train()
    return Built(method, build_optim_wrapper(method, copy.deepcopy(dict(job.optim_wrapper))))
