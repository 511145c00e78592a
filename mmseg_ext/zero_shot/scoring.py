"""Scores of a segmentor that was not trained, by the loop that scores trained ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import nn

from mmseg_ext.evaluation.confusion import DomainScore
from mmseg_ext.evaluation.test_loop import MultiDomainTestLoop
from mmseg_ext.registry import MODELS


class _Untrained(nn.Module):
    """What the test loop asks of a method."""

    layout = torch.contiguous_format

    def __init__(self, segmentor: nn.Module, preprocessor: Mapping[str, Any]) -> None:
        super().__init__()
        self.student = segmentor
        self.data_preprocessor = MODELS.build(dict(preprocessor))


class _Runner:
    """What the test loop asks of a runner."""

    build_dataloader = staticmethod(Runner.build_dataloader)

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def call_hook(self, *_: Any, **__: Any) -> None:
        """There are no hooks."""


def score(
    segmentor: nn.Module,
    preprocessor: Mapping[str, Any],
    loaders: Mapping[str, Any],
    device: str = "cpu",
    threads: int | None = None,
) -> tuple[dict[str, DomainScore], dict[str, Any]]:
    """Score a segmentor on domains; returns scores and data loaders by domain.

    Args:
        preprocessor: configuration of the data preprocessor.
        loaders: configuration of the loader of each domain, as the runner's.
        device: ``cpu`` or ``cuda``.
        threads: arithmetic threads, by default as many as the process has.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    with DefaultScope.overwrite_default_scope("mmseg_ext"):
        model = _Untrained(segmentor, preprocessor).to(device)
        loop = MultiDomainTestLoop(_Runner(model), dict(loaders), {})
        loop.run()
    return loop.scores, loop.dataloaders


def device_names(device: str) -> list[str]:
    """What computed, by the names that a record gives."""
    return [torch.cuda.get_device_name()] if device == "cuda" else ["cpu"]
