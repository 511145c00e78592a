"""Supervised training on one labelled domain: `source-only`, `source-aug` and `oracle`.

Source-only is trained on source labels and never sees the target. The oracle is the same training
with the target's labels, an upper bound and no UDA method. Source-aug adds the strong
augmentation that self-training methods apply to their mixed images: what a "UDA gain" owes to
augmentation alone is this control minus source-only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmseg_ext.methods.base import Batch, Term, UDAMethod
from mmseg_ext.parts.strong_augmentation import StrongAugmentation
from mmseg_ext.registry import MODELS
from mmseg_ext.segmentors.prediction import segmentation_loss


@MODELS.register_module()
class Supervised(UDAMethod):
    """Cross-entropy on labelled images.

    Args:
        strong_augmentation: arguments of `StrongAugmentation` (without statistics), or ``None`` for
            none.
        **common: arguments of `UDAMethod`.
    """

    def __init__(self, strong_augmentation: dict[str, Any] | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.strong_augmentation = (
            None
            if strong_augmentation is None
            else StrongAugmentation(**self.image_statistics(), **strong_augmentation)
        )

    def training_terms(self, batch: Batch) -> Iterator[Term]:
        image = batch.source_image
        if self.strong_augmentation is not None:
            image = self.strong_augmentation(image)
        prediction = self.predict(image)
        yield Term("source", segmentation_loss(self.cross_entropy, prediction, batch.source_label))
