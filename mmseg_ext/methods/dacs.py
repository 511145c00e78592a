"""DACS: self-training on images mixed across domains.

Tranheden et al., "DACS: Domain Adaptation via Cross-domain Mixed Sampling", WACV 2021
(vikolss/DACS), in the form in which DAFormer builds on it (lhoyer/DAFormer,
mmseg/models/uda/dacs.py): the two terms are back-propagated one after the other, the teacher is
updated at the start of an iteration, and all cross-entropies are means over all pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from mmseg_ext.methods.base import Batch, Term, UDAMethod
from mmseg_ext.parts.class_mix import ClassMix
from mmseg_ext.parts.pseudo_labels import PseudoLabels
from mmseg_ext.parts.strong_augmentation import StrongAugmentation
from mmseg_ext.parts.teacher import MeanTeacher
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class DACS(UDAMethod):
    """L = CE(f(x_S), y_S) + CE_w(f(aug(x_M)), y_M).

    x_M pastes half of the source classes onto the target image, y_M is the source label there and
    the teacher's pseudo label elsewhere; pasted pixels weigh 1, the others the share of confident
    pixels in the target batch.

    Args:
        teacher: arguments of `MeanTeacher`; the original uses alpha 0.99.
        pseudo_labels: arguments of `PseudoLabels`.
        class_mix: arguments of `ClassMix`.
        strong_augmentation: arguments of `StrongAugmentation` (without statistics), or ``None`` for
            mixing without augmentation.
        **common: arguments of `UDAMethod`.
    """

    def __init__(
        self,
        teacher: dict[str, Any],
        pseudo_labels: dict[str, Any],
        class_mix: dict[str, Any],
        strong_augmentation: dict[str, Any] | None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.teacher = MeanTeacher(self.student, **teacher)
        self.pseudo_labels = PseudoLabels(**pseudo_labels)
        self.class_mix = ClassMix(**class_mix)
        self.strong_augmentation = (
            torch.nn.Identity()
            if strong_augmentation is None
            else StrongAugmentation(**self.image_statistics(), **strong_augmentation)
        )

    def training_terms(self, batch: Batch) -> Iterator[Term]:
        if batch.target_image is None:
            raise ValueError(
                "DACS needs target images; its data set was built without a target domain"
            )
        self.teacher.update(self.student)

        source_logits = self.segment(self.student, batch.source_image)
        yield Term("source", self.cross_entropy(source_logits, batch.source_label))

        pseudo = self.pseudo_labels(self.segment(self.teacher, batch.target_image))
        mixed = self.class_mix(batch.source_image, batch.source_label, batch.target_image, pseudo)
        mixed_logits = self.segment(self.student, self.strong_augmentation(mixed.image_bchw))
        loss = self.cross_entropy(mixed_logits, mixed.label_bhw, mixed.weight_bhw)
        yield Term("mix", loss, {"pseudo_label_weight": pseudo.weight})
