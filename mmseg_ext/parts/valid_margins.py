"""Margins of target images whose pseudo labels deserve no trust.

Cityscapes frames show the car's own hood at the bottom and artefacts of rectification at the top
and at the sides. A mask of valid pixels multiplies the weight of the pseudo labels, AFTER the share
of confident pixels has been taken over the whole image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.nn import functional

from mmseg_ext.parts.pseudo_labels import Pseudo


@dataclass(frozen=True)
class IgnoredRows:
    """Rows at the top and at the bottom of a crop whose pseudo labels weigh nothing.

    lhoyer/DAFormer (mmseg/models/uda/dacs.py) ignores 15 and 120 of 512 rows. That is right only
    where a crop is as high as the resized image, so that a row always shows the same part of it;
    otherwise the margins belong to the image and must be cropped with it (`valid_pixels`).
    """

    top: int = 15
    bottom: int = 120

    def __call__(self, pseudo: Pseudo) -> Pseudo:
        """Return the pseudo labels with a weight map (B,H,W)."""
        height = pseudo.label_bhw.shape[1]
        if self.top + self.bottom >= height:
            raise ValueError(
                f"the ignored rows ({self.top} at the top, {self.bottom} at the bottom) leave "
                f"nothing of {height} rows; scale them to the crop or leave them out"
            )
        valid = torch.zeros_like(pseudo.label_bhw, dtype=torch.bool)
        valid[:, self.top : height - self.bottom] = True
        return restrict(pseudo, valid)


def restrict(pseudo: Pseudo, valid_bhw: Tensor) -> Pseudo:
    """Pseudo labels that weigh nothing outside of the valid pixels (B,H,W bool)."""
    return replace(pseudo, weight=pseudo.weight * valid_bhw.to(pseudo.weight.dtype))


def valid_pixels(samples: Sequence[SegDataSample], size: Sequence[int]) -> Tensor | None:
    """The masks that `AttachValidPixels` sent along, (B,H,W) bool, or ``None`` without any.

    Args:
        samples: of the target images.
        size: height and width that images are padded to at the right and at the bottom; padding
            is not valid.
    """
    if not samples or "valid_pixels" not in samples[0]:
        return None
    masks = (sample.valid_pixels.data.squeeze(0) for sample in samples)
    return torch.stack([padded(mask, size, 0) for mask in masks]).bool()


def padded(map_hw: Tensor, size: Sequence[int], value: int) -> Tensor:
    """A map padded at the right and at the bottom to a size (height, width)."""
    height, width = map_hw.shape
    return functional.pad(map_hw, (0, size[1] - width, 0, size[0] - height), value=value)
