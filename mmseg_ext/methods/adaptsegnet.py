"""AdaptSegNet: adversarial adaptation of the output space.

Tsai et al., "Learning to Adapt Structured Output Space for Semantic Segmentation", CVPR 2018
(wasidennis/AdaptSegNet, train_gta2cityscapes_multi.py). The original trains DeepLabv2 with SGD and
picks the best snapshot; here encoder, decoder and the student's optimizer are those of the
benchmark, so that methods differ in their adaptation term alone.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from mmseg_ext.errors import MethodError
from mmseg_ext.methods.base import Batch, Term, UDAMethod
from mmseg_ext.parts.output_adversary import Discriminator, OutputAdversary
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class AdaptSegNet(UDAMethod):
    """L = CE(f(x_S), y_S) + lambda l(D(softmax f(x_T)), source), and for the discriminator
    L_D = 1/2 l(D(softmax f(x_S)), source) + 1/2 l(D(softmax f(x_T)), target).

    l is binary cross-entropy or least squares. L_D is computed from the same two forward passes,
    detached, and its gradient taken before either network moves; the student's step comes first.
    Order and constants are the original's.

    A student with an ``auxiliary_head`` is adapted on two levels: its second classifier adds
    lambda_seg CE + lambda_aux l to L and has a discriminator of its own.

    Args:
        adversary: arguments of `OutputAdversary` but for ``adapter``, which is what tells the
            methods of this family apart.
        discriminator: arguments of `Discriminator` but for ``in_channels``.
        auxiliary: weights of the second level, ``dict(segmentation=0.1, adversarial=0.0002)`` in
            the original; ``None`` for a student with one classifier.
        **common: arguments of `UDAMethod`.

    Raises:
        MethodError: ``auxiliary`` does not agree with the student's classifiers.
    """

    adapter: ClassVar[Literal["softmax", "self_information"]] = "softmax"

    def __init__(
        self,
        adversary: dict[str, Any],
        discriminator: dict[str, Any],
        auxiliary: dict[str, float] | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        if (auxiliary is not None) != self.student.with_auxiliary_head:
            has = "an" if self.student.with_auxiliary_head else "no"
            raise MethodError(
                f"{type(self).__name__} got auxiliary={auxiliary} and a student with {has} "
                "auxiliary_head; give both for two levels, or neither for one"
            )
        self.segmentation_weights = [1.0]
        self.adversaries = [OutputAdversary(adapter=self.adapter, **adversary)]
        if auxiliary is not None:
            self.segmentation_weights.append(auxiliary["segmentation"])
            second = {**adversary, "weight": auxiliary["adversarial"]}
            self.adversaries.append(OutputAdversary(adapter=self.adapter, **second))
        self.discriminator = nn.ModuleList(
            Discriminator(self.student.num_classes, **discriminator) for _ in self.adversaries
        )

    def training_terms(self, batch: Batch) -> Iterator[Term]:
        if batch.target_image is None:
            raise MethodError(
                f"{type(self).__name__} needs target images; its data set was built without a "
                "target domain"
            )
        source_logits = self.segment_levels(batch.source_image)
        yield Term(
            "source",
            _total(
                weight * self.cross_entropy(logits, batch.source_label)
                for weight, logits in zip(self.segmentation_weights, source_logits, strict=True)
            ),
        )

        target_logits = self.segment_levels(batch.target_image)
        players = list(zip(self.adversaries, self.discriminator, strict=True))
        yield Term(
            "adversarial",
            _total(
                adversary.generator_loss(discriminator, logits)
                for (adversary, discriminator), logits in zip(players, target_logits, strict=True)
            ),
        )

        pairs = list(zip(source_logits, target_logits, strict=True))
        verdicts = [
            adversary.discriminator_loss(discriminator, source, target)
            for (adversary, discriminator), (source, target) in zip(players, pairs, strict=True)
        ]
        yield Term(
            "discriminator",
            _total(verdict.loss for verdict in verdicts),
            {"discriminator_accuracy": verdicts[0].accuracy},
            optimizer="discriminator",
        )


def _total(losses: Iterable[Tensor]) -> Tensor:
    return functools.reduce(torch.add, losses)
