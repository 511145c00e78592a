"""Random images and labels in memory, in the form in which a data loader hands them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL

_BLOCK = 64  # pixels; a block fills whole cells of every encoder's last level
_KEPT = 8  # images of each domain; enough that none stays in a cache


class RandomPairs(Dataset[dict[str, Any]]):
    """Pairs of uint8 images (3,H,W), the source's with labels of random blocks.

    The labels hold every class and the ignore label, so that mixing and the feature distance have
    as much to do as with real ones.

    Args:
        size: height and width.
        target: whether there is a target image.
        seed: of everything drawn.
    """

    def __init__(self, size: tuple[int, int], target: bool, seed: int = 0) -> None:
        random = torch.Generator().manual_seed(seed)
        shape = (_KEPT, 3, *size)
        self._source = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)
        self._target = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)
        self._labels = _blocks(size, random)
        self._has_target = target

    def __len__(self) -> int:
        """Far more positions than steps are ever taken."""
        return 1_000_000_000

    def __getitem__(self, position: int) -> dict[str, Any]:
        index = position % _KEPT
        sample = SegDataSample(gt_sem_seg=PixelData(data=self._labels[index][None]))
        pair = {"source": {"inputs": self._source[index], "data_samples": sample}}
        if self._has_target:
            unlabelled = SegDataSample()
            pair["target"] = {"inputs": self._target[index], "data_samples": unlabelled}
        return pair


def _blocks(size: tuple[int, int], random: torch.Generator) -> Tensor:
    """Label maps (_KEPT,H,W) int64 of square blocks."""
    height, width = size
    block = min(_BLOCK, height // 2, width // 2)
    rows, columns = -(-height // block), -(-width // block)
    drawn = torch.randint(0, len(CLASSES) + 1, (_KEPT, rows, columns), generator=random)
    drawn[drawn == len(CLASSES)] = IGNORE_LABEL
    large = drawn.repeat_interleave(block, 1).repeat_interleave(block, 2)
    return large[:, :height, :width].contiguous()


def batches(size: tuple[int, int], batch: int, target: bool, seed: int = 0) -> Iterator[Any]:
    """Collated batches without end, loaded in this process."""
    data = RandomPairs(size, target, seed)
    return iter(DataLoader(data, batch, shuffle=False, collate_fn=pseudo_collate))
