"""Weighted self-information of predictions, and the entropy that minimisation methods push down."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def self_information(logits_bchw: Tensor) -> Tensor:
    """Weighted self-information maps I^(c) = -p^(c) log p^(c) / log C, fp32 (B,C,H,W).

    Vu et al., "ADVENT: Adversarial Entropy Minimization for Domain Adaptation in Semantic
    Segmentation", CVPR 2019, section 3.2 (valeoai/ADVENT, advent/utils/func.py). Classes are kept
    apart; their sum is the normalised entropy of a pixel, in [0, 1]. One entry is largest at
    p = 1/e, where it is 1 / (e ln C), 0.125 for 19 classes.

    The reference adds 1e-30 to p before its logarithm. That constant vanishes in half precision and
    log 0 times 0 is NaN, so here the logarithm comes from a log-softmax in fp32, whatever the
    precision of the logits.
    """
    log_probability = functional.log_softmax(logits_bchw.float(), dim=1)
    # A logit of minus infinity, or further below the largest than fp32 reaches, has p = 0 and
    # thus information 0; minus infinity times 0 would be NaN.
    log_probability = log_probability.clamp(min=torch.finfo(torch.float32).min)
    return -log_probability.exp() * log_probability / math.log(logits_bchw.shape[1])


def mean_entropy(logits_bchw: Tensor) -> Tensor:
    """Normalised entropy, averaged over all pixels of the batch: a scalar in [0, 1], fp32.

    The entropy loss of ADVENT's direct variant, MinEnt (equation 3; valeoai/ADVENT,
    advent/utils/loss.py).
    """
    return self_information(logits_bchw).sum(dim=1).mean()
