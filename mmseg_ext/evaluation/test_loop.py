"""Tests one model on several domains in one process."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import all_gather_object
from mmengine.runner import BaseLoop

from mmseg_ext.evaluation.confusion import ConfusionMetric, DomainScore
from mmseg_ext.registry import LOOPS


@LOOPS.register_module()
class MultiDomainTestLoop(BaseLoop):
    """Runs the student over each domain in turn.

    MMEngine builds a test loop when the test starts, so labels of the evaluated domains are opened
    after training is over. ``scores`` maps each domain to its `DomainScore` afterwards, in every
    process if there are several.

    Args:
        runner: the MMEngine runner.
        dataloader: one loader config a domain, by domain name.
        evaluator: ignored but for MMEngine's signature; the metric is always `ConfusionMetric`, as
            part of a cell's identity it is not a choice.
    """

    def __init__(self, runner: Any, dataloader: dict[str, Any], evaluator: Any) -> None:
        self._runner = runner
        self._loaders = {
            name: runner.build_dataloader(config) for name, config in dataloader.items()
        }
        self.dataloader = next(iter(self._loaders.values()))
        self.scores: dict[str, DomainScore] = {}

    def run(self) -> dict[str, float]:
        """Evaluate every domain; returns ``{'<domain>/mIoU': percent, ...}``."""
        self.runner.call_hook("before_test")
        self.runner.call_hook("before_test_epoch")
        self.runner.model.eval()
        metrics: dict[str, float] = {}
        for name, loader in self._loaders.items():
            self.dataloader = loader
            metric = ConfusionMetric()
            metric.dataset_meta = loader.dataset.metainfo
            for index, batch in enumerate(loader):
                self._run_iter(index, batch, metric)
            results = _in_order(all_gather_object(metric.results), len(loader.dataset))
            values = metric.compute_metrics(results)
            metrics.update({f"{name}/{key}": value for key, value in values.items()})
            assert metric.score is not None  # compute_metrics() has just made it
            self.scores[name] = metric.score
        self.runner.call_hook("after_test_epoch", metrics=metrics)
        self.runner.call_hook("after_test")
        return metrics

    @torch.no_grad()
    def _run_iter(self, index: int, batch: Any, metric: ConfusionMetric) -> None:
        self.runner.call_hook("before_test_iter", batch_idx=index, data_batch=batch)
        outputs = self.runner.model.test_step(batch)
        metric.process(batch, [sample.to_dict() for sample in outputs])
        self.runner.call_hook("after_test_iter", batch_idx=index, data_batch=batch, outputs=outputs)


def _in_order(parts: list[list[Any]], size: int) -> list[Any]:
    """Results of all processes in the order of the data set.

    MMEngine's sampler deals images out in turn, and deals the first ones again where the last round
    would be short; those are dropped.
    """
    return [result for round_ in zip(*parts, strict=True) for result in round_][:size]
