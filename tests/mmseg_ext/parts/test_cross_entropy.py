"""The loss against its definition, written out pixel by pixel."""

from __future__ import annotations

import math

import pytest
import torch

from mmseg_ext.parts.cross_entropy import PixelCrossEntropy


def plain_loss(logits, labels, pixel_weight=None, class_weight=None):
    """Mean over all pixels, one Python loop, no torch loss function."""
    batch, classes, height, width = logits.shape
    total = 0.0
    for b in range(batch):
        for y in range(height):
            for x in range(width):
                label = int(labels[b, y, x])
                if label == 255:
                    continue
                scores = [float(logits[b, c, y, x]) for c in range(classes)]
                largest = max(scores)
                log_sum = largest + math.log(sum(math.exp(s - largest) for s in scores))
                loss = log_sum - scores[label]
                loss *= 1.0 if pixel_weight is None else float(pixel_weight[b, y, x])
                loss *= 1.0 if class_weight is None else class_weight[label]
                total += loss
    return total / (batch * height * width)


@pytest.fixture
def batch():
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 3, 4) * 3
    labels = torch.randint(0, 5, (2, 3, 4))
    labels[0, 0] = 255
    weights = torch.rand(2, 3, 4)
    return logits, labels, weights


def test_ignored_pixels_count_in_the_denominator(batch):
    logits, labels, _ = batch
    loss = PixelCrossEntropy()(logits, labels)
    assert float(loss) == pytest.approx(plain_loss(logits, labels), rel=1e-5)
    valid_only = torch.nn.functional.cross_entropy(logits, labels, ignore_index=255)
    assert float(loss) < float(valid_only)


def test_pixel_and_class_weights_multiply(batch):
    logits, labels, weights = batch
    factors = [0.5, 1.0, 2.0, 4.0, 8.0]
    loss = PixelCrossEntropy(factors)(logits, labels, weights)
    assert float(loss) == pytest.approx(plain_loss(logits, labels, weights, factors), rel=1e-5)


def test_all_ignored_gives_zero_with_a_gradient(batch):
    logits = batch[0].requires_grad_()
    loss = PixelCrossEntropy()(logits, torch.full((2, 3, 4), 255))
    loss.backward()
    assert float(loss) == 0.0
    assert float(logits.grad.abs().sum()) == 0.0


def test_half_precision_logits_are_scored_in_single(batch):
    logits, labels, _ = batch
    assert PixelCrossEntropy()(logits.bfloat16(), labels).dtype == torch.float32


def test_the_earlier_methods_divide_by_the_labelled_pixels():
    torch.manual_seed(2)
    logits, label = torch.randn(2, 5, 4, 6), torch.randint(0, 5, (2, 4, 6))
    label[0, :3] = 255
    expected = torch.nn.functional.cross_entropy(logits, label, ignore_index=255)
    loss = PixelCrossEntropy(denominator="valid_pixels")
    assert loss(logits, label).item() == pytest.approx(expected.item(), rel=1e-6)
    assert loss(logits, torch.full_like(label, 255)).item() == 0.0
    with pytest.raises(ValueError, match=r"'pixels'.*all_pixels, valid_pixels"):
        PixelCrossEntropy(denominator="pixels")
