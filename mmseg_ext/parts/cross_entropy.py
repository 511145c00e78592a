"""Pixel-weighted cross-entropy with the denominator of the DAFormer family, or its ancestors'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmseg_ext.datasets.classes import IGNORE_LABEL

Denominator = Literal["all_pixels", "valid_pixels"]


class PixelCrossEntropy(nn.Module):
    """Sum of weighted cross-entropies divided by the number of ALL pixels, ignored ones included.

    DAFormer, HRDA and MIC normalise every term this way (lhoyer/DAFormer,
    mmseg/models/losses/cross_entropy_loss.py); DACS does so for its mixed term. Dividing by the
    valid pixels only, as AdaptSegNet (wasidennis/AdaptSegNet, utils/loss.py) and ADVENT do, raises
    the weight of images with large ignored areas.

    Args:
        class_weight: one factor a class on the loss of its pixels, or ``None`` for 1.
        denominator: ``all_pixels``, or ``valid_pixels`` for those whose label is not 255.
    """

    class_weight: Tensor | None

    def __init__(
        self,
        class_weight: Sequence[float] | None = None,
        denominator: Denominator = "all_pixels",
    ) -> None:
        super().__init__()
        if denominator not in get_args(Denominator):
            raise ValueError(
                f"denominator of the cross-entropy is {denominator!r}, expected one of "
                f"{', '.join(get_args(Denominator))}"
            )
        self.denominator = denominator
        weight = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float32)
        self.register_buffer("class_weight", weight, persistent=False)

    def forward(
        self, logits_bchw: Tensor, label_bhw: Tensor, weight_bhw: Tensor | None = None
    ) -> Tensor:
        """Return the scalar loss.

        Args:
            logits_bchw: float logits.
            label_bhw: int64 train ids, 255 where there is no label.
            weight_bhw: factor for each pixel, e.g. the trust in a pseudo label.
        """
        # One row a pixel: on the CPU the kernels of this form take half the time of the 2D ones and
        # logits in channels-last layout lie in memory like this already.
        loss_bhw = functional.cross_entropy(
            logits_bchw.float().permute(0, 2, 3, 1).flatten(0, 2),
            label_bhw.flatten(),
            weight=self.class_weight,
            ignore_index=IGNORE_LABEL,
            reduction="none",
        ).view(label_bhw.shape)
        if weight_bhw is not None:
            loss_bhw = loss_bhw * weight_bhw
        if self.denominator == "valid_pixels":
            valid = (label_bhw != IGNORE_LABEL).sum()
            return loss_bhw.sum() / valid.clamp(min=1)
        return loss_bhw.mean()
