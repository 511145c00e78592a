"""DAFormer: DACS with rare-class sampling, a feature distance and a longer memory of the teacher.

Hoyer et al., "DAFormer: Improving Network Architectures and Training Strategies for
Domain-Adaptive Semantic Segmentation", CVPR 2022 (lhoyer/DAFormer, mmseg/models/uda/dacs.py). Its
rare-class sampling is the data set's matter (`PairedDataset`) and its warm-up the schedule's. On an
`HRDASegmentor` the same method is HRDA (Hoyer et al., ECCV 2022; lhoyer/HRDA).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from mmseg_ext.errors import MethodError
from mmseg_ext.methods.base import Batch, Term
from mmseg_ext.methods.dacs import DACS
from mmseg_ext.parts.feature_distance import FeatureDistance
from mmseg_ext.parts.pseudo_labels import Pseudo
from mmseg_ext.parts.valid_margins import IgnoredRows, restrict
from mmseg_ext.registry import MODELS
from mmseg_ext.segmentors.prediction import Prediction


@MODELS.register_module()
class DAFormer(DACS):
    """L = CE(f(x_S), y_S) + lambda FD(e(x_S), e*(x_S)) + CE_w(f(aug(x_M)), y_M).

    The first and the last term are those of DACS. FD compares the features of the student's encoder
    e with those of a frozen one, where the source shows things. Pseudo labels in margins of the
    target images weigh nothing; the share of confident pixels counts them all the same.

    Args:
        feature_distance: arguments of `FeatureDistance` but for the encoder and its statistics, or
            ``None`` to leave the term out.
        ignored_rows: arguments of `IgnoredRows`, or ``None`` to trust the whole target crop.
        **dacs: arguments of `DACS`; the paper's alpha is 0.999.
    """

    def __init__(
        self,
        feature_distance: dict[str, Any] | None,
        ignored_rows: dict[str, Any] | None = None,
        **dacs: Any,
    ) -> None:
        super().__init__(**dacs)
        self.feature_distance = (
            None
            if feature_distance is None
            else FeatureDistance(
                self.student.backbone, **self.image_statistics(), **feature_distance
            )
        )
        self.ignored_rows = None if ignored_rows is None else IgnoredRows(**ignored_rows)

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

    def source_terms(
        self, source: Prediction, label_bhw: Tensor, with_next: bool = False
    ) -> Iterator[Term]:
        """Cross-entropy and feature distance of the source; they share one backward pass."""
        has_distance = self.feature_distance is not None
        yield Term("source", self.loss(source, label_bhw), with_next=with_next or has_distance)
        if self.feature_distance is not None:
            loss = self.feature_distance(source, label_bhw, self.student.backbone)
            yield Term("feature_distance", loss, with_next=with_next)

    def without_margins(self, pseudo: Pseudo, valid_bhw: Tensor | None) -> Pseudo:
        """The pseudo labels, weighing nothing in ignored rows and where pixels are not valid."""
        if self.ignored_rows is not None and valid_bhw is not None:
            raise MethodError(
                "ignored_rows and valid_margins exclude each other: they are two ways to leave the "
                "same margins out; set ignored_rows=None"
            )
        if self.ignored_rows is not None:
            pseudo = self.ignored_rows(pseudo)
        return pseudo if valid_bhw is None else restrict(pseudo, valid_bhw)
