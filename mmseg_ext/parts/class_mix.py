"""ClassMix across domains: source classes pasted onto target images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mmseg_ext.parts.pseudo_labels import Pseudo


@dataclass(frozen=True)
class Mixed:
    """A mixed batch: image (B,3,H,W), label (B,H,W) int64 and the weight of each pixel (B,H,W)."""

    image_bchw: Tensor
    label_bhw: Tensor
    weight_bhw: Tensor


@dataclass(frozen=True)
class ClassMix:
    """Pastes the pixels of half of the source classes onto the target image of the same index.

    Olsson et al., "ClassMix", WACV 2021, in the cross-domain form of DACS: from K candidate classes
    (255 counts as one) ceil(K/2) are drawn for each image. ``scope`` says where the candidates
    come from: ``image`` takes each image's own classes (vikolss/DACS), ``batch`` all classes in the
    source batch (lhoyer/DAFormer, mmseg/models/utils/dacs_transforms.py), so that fewer pixels are
    pasted where the drawn classes are absent.
    """

    scope: Literal["batch", "image"] = "batch"

    def __post_init__(self) -> None:
        if self.scope not in ("batch", "image"):
            raise ValueError(f"scope of ClassMix must be 'batch' or 'image', got {self.scope!r}")

    @torch.no_grad()
    def mask(self, label_bhw: Tensor) -> Tensor:
        """Boolean (B,H,W), true where the source pixel is pasted. Draws from torch's generator."""
        shared = torch.unique(label_bhw) if self.scope == "batch" else None
        masks = []
        for label_hw in label_bhw:
            candidates = torch.unique(label_hw) if shared is None else shared
            order = torch.randperm(len(candidates), device=label_bhw.device)
            chosen = candidates[order[: (len(candidates) + 1) // 2]]
            masks.append(torch.isin(label_hw, chosen))
        return torch.stack(masks)

    @torch.no_grad()
    def __call__(
        self, source_image: Tensor, source_label: Tensor, target_image: Tensor, pseudo: Pseudo
    ) -> Mixed:
        """Mix equally many images of both; pasted pixels weigh 1, others ``pseudo.weight``."""
        mask = self.mask(source_label)
        return Mixed(
            image_bchw=torch.where(mask[:, None], source_image, target_image),
            label_bhw=torch.where(mask, source_label, pseudo.label_bhw),
            weight_bhw=torch.where(mask, torch.ones_like(pseudo.weight), pseudo.weight),
        )
