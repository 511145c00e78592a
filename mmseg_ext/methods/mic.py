"""MIC: what the teacher sees in the whole target image, the student must see in parts of it.

Hoyer et al., "MIC: Masked Image Consistency for Context-Enhanced Domain Adaptation", CVPR 2023
(lhoyer/MIC, seg/mmseg/models/uda/dacs.py and masking_consistency_module.py). It is DAFormer with a
further term; on an `HRDASegmentor` it is the paper's MIC on HRDA.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor

from mmseg_ext.methods.base import Batch, Term
from mmseg_ext.methods.daformer import DAFormer
from mmseg_ext.parts.masking import build_mask, masked_input
from mmseg_ext.parts.pseudo_labels import Pseudo
from mmseg_ext.parts.strong_augmentation import StrongAugmentation
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class MIC(DAFormer):
    """L = CE(f(x_S), y_S) + lambda FD(e(x_S), e*(x_S)) + CE_w(f(aug(x_M)), y_M)
    + lambda_M CE_w(f(mask(aug(x_T))), y_T).

    The first three terms are those of DAFormer. y_T and w are the pseudo labels and weights the mix
    was made with: the teacher's, from the whole target image without augmentation.

    Args:
        masking: arguments of `build_mask` (``kind``, ``ratio``, ...), or ``None`` for DAFormer.
        mask_augmentation: arguments of `StrongAugmentation` (without statistics) for the target
            images before masking, or ``None`` for none.
        masked_images: ``target`` masks every target image, as the paper does from synthetic
            sources. ``separate`` masks the first half of the source batch, with its labels at
            weight 1, and the first half of the target batch, as it does from clear weather to
            adverse, and there without augmentation.
        masked_weight: lambda_M, 1 in the paper.
        **daformer: arguments of `DAFormer`.
    """

    def __init__(
        self,
        masking: dict[str, Any] | None,
        mask_augmentation: dict[str, Any] | None,
        masked_images: Literal["target", "separate"] = "target",
        masked_weight: float = 1.0,
        **daformer: Any,
    ) -> None:
        super().__init__(**daformer)
        if masked_images not in ("target", "separate"):
            raise ValueError(
                f"masked_images of MIC must be 'target' or 'separate', got {masked_images!r}"
            )
        self.masked_images = masked_images
        self.masked_weight = masked_weight
        self.masking = None if masking is None else build_mask(self.student.backbone, **masking)
        self.mask_augmentation = (
            torch.nn.Identity()
            if mask_augmentation is None
            else StrongAugmentation(**self.image_statistics(), **mask_augmentation)
        )

    def training_terms(self, batch: Batch) -> Iterator[Term]:
        target_image = self.target_image(batch)
        self.teacher.update(self.student)
        if self.feature_distance is not None:
            self.feature_distance.remember(self.student.backbone)

        if not self.single_pass:
            yield from self.source_terms(self.predict(batch.source_image), batch.source_label)

        pseudo = self.pseudo_labels(self.segment(self.teacher, target_image))
        confident = pseudo.weight
        pseudo = self.without_margins(pseudo, batch.target_valid)
        mixed = self.mix(batch, target_image, pseudo)
        if self.single_pass:
            source, prediction = self.predict_both(batch.source_image, mixed.image_bchw)
            yield from self.source_terms(source, batch.source_label, with_next=True)
        else:
            prediction = self.predict(mixed.image_bchw)
        loss = self.loss(prediction, mixed.label_bhw, mixed.weight_bhw)
        watched = {"pseudo_label_weight": pseudo.weight.mean(), "confident_pixels": confident}
        yield Term("mix", loss, watched)

        if self.masking is not None:
            image, label, weight = self._to_mask(batch, target_image, pseudo)
            image = self.mask_augmentation(image)
            with masked_input(self.masking, self.student.backbone, image) as seen:
                prediction = self.predict(seen)
            yield Term("masked", self.masked_weight * self.loss(prediction, label, weight))

    def _to_mask(
        self, batch: Batch, target_image: Tensor, pseudo: Pseudo
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Images, labels and weights of the masked term."""
        if self.masked_images == "target":
            return target_image, pseudo.label_bhw, pseudo.weight_bhw
        half, rest = divmod(len(target_image), 2)
        if rest:
            raise ValueError(
                "masked_images='separate' masks half of each domain's images and needs an even "
                f"number of them, got {len(target_image)}"
            )
        label = batch.source_label[:half]
        weight = torch.ones_like(label, dtype=pseudo.weight.dtype)
        return (
            torch.cat([batch.source_image[:half], target_image[:half]]),
            torch.cat([label, pseudo.label_bhw[:half]]),
            torch.cat([weight, pseudo.weight_bhw[:half]]),
        )
