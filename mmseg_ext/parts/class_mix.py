"""ClassMix across domains: source classes pasted onto target images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mmseg_ext.parts.pseudo_labels import Pseudo
from mmseg_ext.parts.transfer import to_device

_VALUES = 256  # of a label map: train ids and 255


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
    def mask(self, label_bhw: Tensor, on_host_bhw: Tensor | None = None) -> Tensor:
        """Boolean (B,H,W), true where the source pixel is pasted.

        Draws from torch's generator of the CPU.

        Args:
            label_bhw: source labels, values in [0, 255].
            on_host_bhw: the same labels on the CPU, where their classes are looked up; without
                them the host waits for the device to send its own.
        """
        present_bc = _classes_in(label_bhw if on_host_bhw is None else on_host_bhw)
        if self.scope == "batch":
            present_bc = np.broadcast_to(present_bc.any(axis=0), present_bc.shape)
        chosen_bc = np.zeros_like(present_bc, subok=False)
        for present_c, chosen_c in zip(present_bc, chosen_bc, strict=True):
            candidates = np.flatnonzero(present_c)
            order = torch.randperm(len(candidates)).numpy()
            chosen_c[candidates[order[: (len(candidates) + 1) // 2]]] = True
        table_bc = to_device(torch.from_numpy(chosen_bc), label_bhw.device)
        return table_bc.gather(1, label_bhw.flatten(1)).view(label_bhw.shape)

    @torch.no_grad()
    def __call__(
        self,
        source_image: Tensor,
        source_label: Tensor,
        target_image: Tensor,
        pseudo: Pseudo,
        source_label_on_host: Tensor | None = None,
    ) -> Mixed:
        """Mix equally many images of both; pasted pixels weigh 1, others ``pseudo.weight``."""
        mask = self.mask(source_label, source_label_on_host)
        return Mixed(
            image_bchw=torch.where(mask[:, None], source_image, target_image),
            label_bhw=torch.where(mask, source_label, pseudo.label_bhw),
            weight_bhw=torch.where(mask, torch.ones_like(pseudo.weight), pseudo.weight),
        )


def _classes_in(label_bhw: Tensor) -> np.ndarray:
    """Which values each label map holds: (B, 256) bool."""
    maps = label_bhw.cpu().flatten(1).numpy()
    return np.stack([np.bincount(each, minlength=_VALUES) > 0 for each in maps])
