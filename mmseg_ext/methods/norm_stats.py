"""Norm-stats: the control that shows target images to the normalisation layers and to nothing else.

Every method that sends target images through a student with batch norm moves the running statistics
that the student is tested with. Adapting these statistics alone is a known method of its own (Li et
al., "Revisiting Batch Normalization for Practical Domain Adaptation", ICLR workshop 2017); what a
"UDA gain" owes to it is this control minus source-only.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from mmseg_ext.errors import MethodError
from mmseg_ext.methods.base import Batch, Term, UDAMethod
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class NormStats(UDAMethod):
    """L = CE(f(x_S), y_S), and after it a forward pass f(x_T) in training mode without a loss.

    With a student that keeps no statistics (group norm, layer norm) this is source-only.
    """

    def training_terms(self, batch: Batch) -> Iterator[Term]:
        if batch.target_image is None:
            raise MethodError(
                "NormStats needs target images; its data set was built without a target domain"
            )
        source_logits = self.segment(self.student, batch.source_image)
        yield Term("source", self.cross_entropy(source_logits, batch.source_label))

        with torch.no_grad():
            self.segment(self.student, batch.target_image)
