"""Intersection over union from confusion counts that are kept for each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from numpy.typing import NDArray
from torch import Tensor

from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL
from mmseg_ext.registry import METRICS


@dataclass(frozen=True)
class DomainScore:
    """Scores of one domain from per-image counts (N, C, C): rows truth, columns prediction."""

    confusion_ncc: NDArray[np.int64]

    @property
    def iou(self) -> NDArray[np.float64]:
        """IoU of each class in percent; NaN where the class has no ground-truth pixel."""
        total = self.confusion_ncc.sum(axis=0)
        hit = np.diag(total).astype(np.float64)
        truth, predicted = total.sum(axis=1), total.sum(axis=0)
        union = truth + predicted - hit
        return np.where(truth > 0, 100.0 * hit / np.maximum(union, 1), np.nan)

    @property
    def miou(self) -> float:
        """Mean IoU over the scored classes in percent."""
        return self.mean()

    def mean(self, classes: Sequence[int] | None = None) -> float:
        """Mean IoU in percent over those of ``classes`` (all by default) that have ground truth.

        A subset is a subset of the IoUs: pixels of it that are predicted as another class count as
        errors. NaN where none of the classes has ground truth.
        """
        iou = self.iou if classes is None else self.iou[list(classes)]
        return float(np.nanmean(iou)) if np.isfinite(iou).any() else float("nan")

    def of_images(self, chosen: Sequence[int]) -> DomainScore:
        """The score of some of the images, by their places in the data set."""
        return DomainScore(self.confusion_ncc[list(chosen)])

    @property
    def scored_classes(self) -> int:
        """Number of classes with ground truth."""
        return int(np.isfinite(self.iou).sum())

    @property
    def pixel_accuracy(self) -> float:
        """Share of labelled pixels that are right, in percent."""
        total = self.confusion_ncc.sum(axis=0)
        return float(100.0 * np.trace(total) / max(total.sum(), 1))


def confusion_counts(prediction: Tensor, truth: Tensor, classes: int) -> Tensor:
    """Counts (classes, classes) of one image, rows truth and columns prediction, without 255."""
    valid = truth != IGNORE_LABEL
    pairs = truth[valid].long() * classes + prediction[valid].long()
    return torch.bincount(pairs, minlength=classes * classes).view(classes, classes)


@METRICS.register_module()
class ConfusionMetric(BaseMetric):
    """Collects one confusion matrix an image; `score` holds the result after evaluation."""

    default_prefix = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.score: DomainScore | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Count each predicted sample against its ground truth."""
        for sample in data_samples:
            prediction = sample["pred_sem_seg"]["data"].squeeze(0)
            truth = sample["gt_sem_seg"]["data"].squeeze(0).to(prediction.device)
            self.results.append(confusion_counts(prediction, truth, len(CLASSES)).cpu().numpy())

    def compute_metrics(self, results: list[NDArray[np.int64]]) -> dict[str, float]:
        """Mean IoU and pixel accuracy in percent."""
        self.score = DomainScore(np.stack(results))
        return {"mIoU": self.score.miou, "aAcc": self.score.pixel_accuracy}
