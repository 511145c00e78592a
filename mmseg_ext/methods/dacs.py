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
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmseg_ext.errors import MethodError
from mmseg_ext.methods.base import Batch, Term, UDAMethod
from mmseg_ext.parts.class_mix import ClassMix, Mixed
from mmseg_ext.parts.pseudo_labels import Pseudo, PseudoLabels
from mmseg_ext.parts.strong_augmentation import StrongAugmentation
from mmseg_ext.parts.teacher import MeanTeacher
from mmseg_ext.registry import MODELS
from mmseg_ext.segmentors.prediction import Prediction, TrainsOnDetail, segmentation_loss


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
        single_pass: let the student see source and mixed images in one forward and one backward
            pass, as one batch: half as many kernels to start, each with twice the work, and the
            memory of both passes at once. The loss is the same; dropout and the like draw in
            another order.
        **common: arguments of `UDAMethod`.

    Raises:
        MethodError: ``single_pass`` with a student of whom it would make another one: one that
            takes a random crop each pass or, when training starts, one that normalises with
            statistics of the batch.
    """

    def __init__(
        self,
        teacher: dict[str, Any],
        pseudo_labels: dict[str, Any],
        class_mix: dict[str, Any],
        strong_augmentation: dict[str, Any] | None,
        single_pass: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.single_pass = single_pass
        if single_pass and isinstance(self.student, TrainsOnDetail):
            raise MethodError(
                f"single_pass=True with {type(self.student).__name__}: source and mixed images "
                "would share one random crop; leave it out"
            )
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

        if not self.single_pass:
            source = self.predict(batch.source_image)
            yield Term("source", self.loss(source, batch.source_label))

        pseudo = self.pseudo_labels(self.segment(self.teacher, target_image))
        mixed = self.mix(batch, target_image, pseudo)
        if self.single_pass:
            source, prediction = self.predict_both(batch.source_image, mixed.image_bchw)
            yield Term("source", self.loss(source, batch.source_label), with_next=True)
        else:
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

    def predict_both(self, first_bchw: Tensor, second_bchw: Tensor) -> tuple[Prediction, ...]:
        """The student's answers to equally many images of two kinds, from one pass."""
        both = self.predict(torch.cat([first_bchw, second_bchw]))
        parts = zip(*(level.chunk(2) for level in both.features), strict=True)
        logits, images = both.logits_bchw.chunk(2), both.encoded_bchw.chunk(2)
        return tuple(map(Prediction, logits, parts, images))

    def train(self, mode: bool = True) -> DACS:
        """Set the mode as usual; the student's normalisation must suit ``single_pass``."""
        super().train(mode)
        layers = (layer for layer in self.student.modules() if layer.training)
        mixing = next((layer for layer in layers if _has_batch_statistics(layer)), None)
        if self.single_pass and mixing is not None:
            raise MethodError(
                f"single_pass=True with a student that trains {type(mixing).__name__}: source and "
                "mixed images would be normalised with common statistics; freeze it, use group "
                "norm, or set single_pass=False"
            )
        return self

    def loss(
        self, prediction: Prediction, label_bhw: Tensor, weight_bhw: Tensor | None = None
    ) -> Tensor:
        """Weighted cross-entropy of a prediction (`segmentation_loss`)."""
        return segmentation_loss(self.cross_entropy, prediction, label_bhw, weight_bhw)


def _has_batch_statistics(layer: nn.Module) -> bool:
    """Torch's layers, and those of others that keep running statistics."""
    return isinstance(layer, _BatchNorm) or hasattr(layer, "running_mean")
