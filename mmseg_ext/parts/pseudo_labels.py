"""Pseudo labels with one confidence weight for the whole batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pseudo:
    """Labels a teacher proposes: ``label_bhw`` int64 and their ``weight`` in [0, 1].

    The weight is a scalar, or a map (B,H,W) where some pixels are not to be trusted at all.
    """

    label_bhw: Tensor
    weight: Tensor

    @property
    def weight_bhw(self) -> Tensor:
        """The weight of each pixel."""
        return self.weight.expand(self.label_bhw.shape)


@dataclass(frozen=True)
class PseudoLabels:
    """The arg max of the teacher, trusted by the share of confident pixels.

    DACS (Tranheden et al., WACV 2021; vikolss/DACS, trainUDA.py, ``threshold_uniform``) weighs
    every target pixel by the same number: the share of pixels in the WHOLE target batch whose
    largest probability reaches the threshold. It is no mask per pixel and no weight per image.
    """

    threshold: float = 0.968

    @torch.no_grad()
    def __call__(self, logits_bchw: Tensor) -> Pseudo:
        """Return labels and weight for teacher logits, computed in fp32."""
        confidence_bhw, label_bhw = torch.softmax(logits_bchw.float(), dim=1).max(dim=1)
        return Pseudo(label_bhw, (confidence_bhw >= self.threshold).float().mean())
