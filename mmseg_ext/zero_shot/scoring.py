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
    segmentor: nn.Module, preprocessor: Mapping[str, Any], loaders: Mapping[str, Any]
) -> dict[str, DomainScore]:
    """Score a segmentor on domains.

    Args:
        preprocessor: configuration of the data preprocessor.
        loaders: configuration of the loader of each domain, as the runner's.
    """
    with DefaultScope.overwrite_default_scope("mmseg_ext"):
        loop = MultiDomainTestLoop(_Runner(_Untrained(segmentor, preprocessor)), dict(loaders), {})
        loop.run()
    return loop.scores
