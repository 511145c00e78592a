"""Confusion counts at the size of the ground truth, on the device and in bounded memory.

Logits of 19 classes in fp32 take 160 MB for a Cityscapes label and 1.8 GB for a large one of
Mapillary Vistas. They are therefore resized, compared and counted in bands of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from mmseg_ext.datasets.classes import IGNORE_LABEL

BAND = 2**24
"""Resized values held at a time: 64 MiB in fp32."""


def class_counts(
    logits_chw: Tensor, truth_hw: Tensor, *, align_corners: bool = False, band: int = BAND
) -> Tensor:
    """Counts (C, C) int64 of one image, rows truth and columns prediction, without 255.

    Logits of any size are brought to the size of the truth first (see `predictions`). Everything
    stays on the device of the logits, and nothing waits for it.
    """
    classes = logits_chw.shape[0]
    truth = truth_hw.to(logits_chw.device)
    # One more bin than needed, for the ignored pixels: selecting the others would have to wait.
    counts = torch.zeros(classes * classes + 1, dtype=torch.int64, device=logits_chw.device)
    size = (truth.shape[0], truth.shape[1])
    for rows, prediction in predictions(logits_chw, size, align_corners=align_corners, band=band):
        part = truth[rows].long()
        pairs = torch.where(
            part == IGNORE_LABEL, classes * classes, part * classes + prediction
        ).flatten()
        counts.scatter_add_(0, pairs, torch.ones_like(pairs))
    return counts[:-1].view(classes, classes)


def predictions(
    logits_chw: Tensor, size: tuple[int, int], *, align_corners: bool = False, band: int = BAND
) -> Iterator[tuple[slice, Tensor]]:
    """Bands of rows of a label map of ``size`` and their predicted classes (rows, W).

    The logits are resized bilinearly in fp32, as ``torch.nn.functional.interpolate`` does it up to
    rounding (about 1e-6 of the largest logit). The result does not depend on ``band``.
    """
    logits = logits_chw.float()
    classes, height, width = logits.shape
    step = max(1, band // (classes * size[1]))
    down = _between(height, size[0], align_corners, logits.device)
    for top in range(0, size[0], step):
        rows = slice(top, min(top + step, size[0]))
        part = logits[:, rows] if height == size[0] else down.rows(logits, rows)
        if width != size[1]:
            part = functional.interpolate(
                part[None], (part.shape[1], size[1]), mode="bilinear", align_corners=align_corners
            )[0]
        yield rows, part.argmax(dim=0)


@dataclass(frozen=True)
class _Rows:
    """Between which two rows each output row lies, and how far from the first."""

    first: Tensor
    second: Tensor
    share: Tensor

    def rows(self, map_chw: Tensor, where: slice) -> Tensor:
        """Some of the output rows of a map; the width is not touched."""
        near = map_chw.index_select(1, self.first[where])
        far = map_chw.index_select(1, self.second[where])
        return torch.lerp(near, far, self.share[where].view(-1, 1))


def _between(have: int, want: int, align_corners: bool, device: torch.device) -> _Rows:
    # In fp32, as interpolate() does it.
    pixels = torch.arange(want, dtype=torch.float32)
    if align_corners:
        place = pixels * ((have - 1) / max(want - 1, 1))
    else:
        place = ((pixels + 0.5) * torch.tensor(have / want, dtype=torch.float32) - 0.5).clamp_(0.0)
    first = place.long().clamp_(max=have - 1)
    second = (first + 1).clamp_(max=have - 1)
    return _Rows(first.to(device), second.to(device), (place - first).to(device))
