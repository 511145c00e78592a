"""Scores against a count in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_ext.evaluation.confusion import ConfusionMetric, DomainScore, confusion_counts


def plain_iou(pairs, classes):
    """IoU per class in percent from (truth, prediction) pairs of labelled pixels."""
    values = []
    for c in range(classes):
        hits = sum(t == c and p == c for t, p in pairs)
        union = sum(t == c or p == c for t, p in pairs)
        values.append(100 * hits / union if any(t == c for t, _ in pairs) else None)
    return values


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_iou_of_several_images(seed, images):
    generator = torch.Generator().manual_seed(seed)
    counts, pairs = [], []
    for _ in range(images):
        truth = torch.randint(0, 5, (6, 7), generator=generator)
        truth[truth == 4] = 255
        prediction = torch.randint(0, 5, (6, 7), generator=generator)
        counts.append(confusion_counts(prediction, truth, 5).numpy())
        pairs += [
            (t, p)
            for t, p in zip(truth.flatten().tolist(), prediction.flatten().tolist(), strict=True)
            if t != 255
        ]
    score = DomainScore(np.stack(counts))
    expected = plain_iou(pairs, 5)
    present = [value for value in expected if value is not None]
    for value, plain in zip(score.iou, expected, strict=True):
        assert math.isnan(value) if plain is None else value == pytest.approx(plain)
    assert score.scored_classes == len(present)
    assert score.miou == pytest.approx(sum(present) / len(present))
    assert score.pixel_accuracy == pytest.approx(100 * sum(t == p for t, p in pairs) / len(pairs))


def test_a_class_that_is_only_predicted_is_not_scored_but_hurts_the_others():
    truth = torch.tensor([[0, 0, 1, 1]])
    prediction = torch.tensor([[0, 2, 1, 1]])
    score = DomainScore(confusion_counts(prediction, truth, 3).numpy()[None])
    assert score.iou[:2].tolist() == [50.0, 100.0]
    assert math.isnan(score.iou[2])
    assert score.miou == 75.0


def test_the_metric_keeps_each_image_apart():
    metric = ConfusionMetric(prefix="x")
    for value in (0, 1):
        sample = {
            "pred_sem_seg": {"data": torch.full((1, 2, 2), value)},
            "gt_sem_seg": {"data": torch.zeros(1, 2, 2, dtype=torch.uint8)},
        }
        metric.process({}, [sample])
    assert metric.evaluate(2) == {"x/mIoU": 50.0, "x/aAcc": 50.0}
    assert metric.score.confusion_ncc.shape == (2, 19, 19)
    assert [int(np.trace(c)) for c in metric.score.confusion_ncc] == [4, 0]
