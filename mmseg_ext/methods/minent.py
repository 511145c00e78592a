"""MinEnt: direct minimisation of the entropy of target predictions.

The variant without a discriminator in Vu et al., "ADVENT: Adversarial Entropy Minimization for
Domain Adaptation in Semantic Segmentation", CVPR 2019, section 3.1 (valeoai/ADVENT,
advent/domain_adaptation/train_UDA.py).
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from mmseg_ext.errors import MethodError
from mmseg_ext.methods.base import Batch, Term, UDAMethod
from mmseg_ext.parts.entropy import mean_entropy
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class MinEnt(UDAMethod):
    """L = CE(f(x_S), y_S) + lambda H(f(x_T)), H the normalised entropy averaged over pixels.

    Args:
        weight: lambda, 0.001 in the original. A much larger one pushes every pixel to the same
            class, the trivial minimum.
        auxiliary: weights of a second classifier, ``dict(segmentation=0.1, entropy=0.0002)`` in the
            original; ``None`` for a student without ``auxiliary_head``.
        **common: arguments of `UDAMethod`.

    Raises:
        MethodError: ``auxiliary`` does not agree with the student's classifiers.
    """

    def __init__(
        self, weight: float = 0.001, auxiliary: dict[str, float] | None = None, **common: Any
    ) -> None:
        super().__init__(**common)
        if (auxiliary is not None) != self.student.with_auxiliary_head:
            has = "an" if self.student.with_auxiliary_head else "no"
            raise MethodError(
                f"MinEnt got auxiliary={auxiliary} and a student with {has} auxiliary_head; give "
                "both for two levels, or neither for one"
            )
        self.segmentation_weights = [1.0]
        self.entropy_weights = [weight]
        if auxiliary is not None:
            self.segmentation_weights.append(auxiliary["segmentation"])
            self.entropy_weights.append(auxiliary["entropy"])

    def training_terms(self, batch: Batch) -> Iterator[Term]:
        if batch.target_image is None:
            raise MethodError(
                "MinEnt needs target images; its data set was built without a target domain"
            )
        source_logits = self.segment_levels(batch.source_image)
        losses = [self.cross_entropy(logits, batch.source_label) for logits in source_logits]
        yield Term("source", _weighted(self.segmentation_weights, losses))

        entropies = [mean_entropy(logits) for logits in self.segment_levels(batch.target_image)]
        loss = _weighted(self.entropy_weights, entropies)
        yield Term("entropy", loss, {"target_entropy": entropies[0]})


def _weighted(weights: list[float], losses: list[Tensor]) -> Tensor:
    return functools.reduce(torch.add, map(operator.mul, weights, losses))
