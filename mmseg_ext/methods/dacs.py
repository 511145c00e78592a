"""DACS: self-training on images mixed across domains.

Tranheden et al., "DACS: Domain Adaptation via Cross-domain Mixed Sampling", WACV 2021
(vikolss/DACS), in the form in which DAFormer builds on it (lhoyer/DAFormer,
mmseg/models/uda/dacs.py): the two terms are back-propagated one after the other, the teacher is
updated at the start of an iteration, and all cross-entropies are means over all pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from mmseg_ext.methods.base import Batch, Term, UDAMethod
from mmseg_ext.parts.class_mix import ClassMix, Mixed
from mmseg_ext.parts.pseudo_labels import Pseudo, PseudoLabels
from mmseg_ext.parts.strong_augmentation import StrongAugmentation
from mmseg_ext.parts.teacher import MeanTeacher
from mmseg_ext.registry import MODELS
from mmseg_ext.segmentors.prediction import Prediction, segmentation_loss


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
        target_image = self.target_image(batch)
        self.teacher.update(self.student)

        source = self.predict(batch.source_image)
        yield Term("source", self.loss(source, batch.source_label))

        pseudo = self.pseudo_labels(self.segment(self.teacher, target_image))
        mixed = self.mix(batch, target_image, pseudo)
        prediction = self.predict(mixed.image_bchw)
        loss = self.loss(prediction, mixed.label_bhw, mixed.weight_bhw)
        yield Term("mix", loss, {"pseudo_label_weight": pseudo.weight})

    def target_image(self, batch: Batch) -> Tensor:
        """The target images; a batch without any is an error in the data set."""
        if batch.target_image is None:
            raise ValueError(
                f"{type(self).__name__} needs target images; its data set was built without a "
                "target domain"
            )
        return batch.target_image

    def mix(self, batch: Batch, target_image: Tensor, pseudo: Pseudo) -> Mixed:
        """Source classes pasted onto the target images, augmented (see `ClassMix`)."""
        mixed = self.class_mix(
            batch.source_image,
            batch.source_label,
            target_image,
            pseudo,
            batch.source_label_on_host,
        )
        return replace(mixed, image_bchw=self.strong_augmentation(mixed.image_bchw))

    def loss(
        self, prediction: Prediction, label_bhw: Tensor, weight_bhw: Tensor | None = None
    ) -> Tensor:
        """Weighted cross-entropy of a prediction (`segmentation_loss`)."""
        return segmentation_loss(self.cross_entropy, prediction, label_bhw, weight_bhw)
