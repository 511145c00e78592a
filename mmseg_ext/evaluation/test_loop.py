"""Tests one model on several domains in one process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from mmengine.dist import all_gather_object
from mmengine.runner import BaseLoop
from torch import Tensor

from mmseg_ext.evaluation.confusion import ConfusionMetric, DomainScore
from mmseg_ext.evaluation.counting import class_counts
from mmseg_ext.evaluation.windows import infer
from mmseg_ext.registry import LOOPS


@LOOPS.register_module()
class MultiDomainTestLoop(BaseLoop):
    """Runs the student over each domain in turn.

    MMEngine builds a test loop when the test starts, so labels of the evaluated domains are opened
    after training is over. Logits are brought to the size of the labels and counted on the device,
    which is waited for once a domain. Images of one batch may differ in size. ``scores`` maps each
    domain to its `DomainScore` afterwards, in every process if there are several.

    Args:
        runner: the MMEngine runner; its model is one of ours, or a segmentor of MMSegmentation.
        dataloader: one loader config a domain, by domain name.
        evaluator: ignored but for MMEngine's signature; the metric is always `ConfusionMetric`, as
            part of a cell's identity it is not a choice.
    """

    def __init__(self, runner: Any, dataloader: dict[str, Any], evaluator: Any) -> None:
        self._runner = runner
        self.dataloaders = {
            name: runner.build_dataloader(config) for name, config in dataloader.items()
        }
        self.dataloader = next(iter(self.dataloaders.values()))
        self.scores: dict[str, DomainScore] = {}

    def run(self) -> dict[str, float]:
        """Evaluate every domain; returns ``{'<domain>/mIoU': percent, ...}``."""
        self.runner.call_hook("before_test")
        self.runner.call_hook("before_test_epoch")
        self.runner.model.eval()
        metrics: dict[str, float] = {}
        for name, loader in self.dataloaders.items():
            self.dataloader = loader
            counts: list[Tensor] = []
            for index, batch in enumerate(loader):
                counts += self._run_iter(index, batch)
            own = list(torch.stack(counts).cpu().numpy()) if counts else []
            metric = ConfusionMetric()
            results = _in_order(all_gather_object(own), len(loader.dataset))
            values = metric.compute_metrics(results)
            metrics.update({f"{name}/{key}": value for key, value in values.items()})
            assert metric.score is not None  # compute_metrics() has just made it
            self.scores[name] = metric.score
        self.runner.call_hook("after_test_epoch", metrics=metrics)
        self.runner.call_hook("after_test")
        return metrics

    @torch.no_grad()
    def _run_iter(self, index: int, batch: Mapping[str, Any]) -> list[Tensor]:
        """Counts (C, C) of each image of a batch, in its order."""
        self.runner.call_hook("before_test_iter", batch_idx=index, data_batch=batch)
        model = getattr(self.runner.model, "module", self.runner.model)
        counts: dict[int, Tensor] = {}
        for places, part in _of_equal_size(batch):
            counts.update(zip(places, _counts(model, part), strict=True))
        self.runner.call_hook("after_test_iter", batch_idx=index, data_batch=batch, outputs=[])
        return [counts[place] for place in sorted(counts)]


def _counts(model: Any, batch: dict[str, Any]) -> Iterator[Tensor]:
    """Counts of images of one size, from the student of ``model``."""
    data = model.data_preprocessor(batch, training=False)
    segmentor = getattr(model, "student", model)
    layout = getattr(model, "layout", torch.contiguous_format)
    logits = infer(segmentor, data["inputs"].contiguous(memory_format=layout))
    for logits_chw, sample in zip(logits, data["data_samples"], strict=True):
        left, right, top, bottom = sample.metainfo.get("img_padding_size", (0, 0, 0, 0))
        _, height, width = logits_chw.shape
        yield class_counts(
            logits_chw[:, top : height - bottom, left : width - right],
            sample.gt_sem_seg.data.squeeze(0),
            align_corners=segmentor.align_corners,
        )


def _of_equal_size(batch: Mapping[str, Any]) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """Parts of a batch that can be stacked, with their places in it."""
    places: dict[torch.Size, list[int]] = {}
    for place, image in enumerate(batch["inputs"]):
        places.setdefault(image.shape, []).append(place)
    for chosen in places.values():
        yield chosen, {key: [values[place] for place in chosen] for key, values in batch.items()}


def _in_order(parts: Sequence[list[Any]], size: int) -> list[Any]:
    """Results of all processes in the order of the data set.

    MMEngine's sampler deals images out in turn, and deals the first ones again where the last round
    would be short; those are dropped.
    """
    return [result for round_ in zip(*parts, strict=True) for result in round_][:size]
