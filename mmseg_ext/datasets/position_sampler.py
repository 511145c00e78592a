"""Sampler of positions for `PairedDataset`: an endless count that can start anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from mmseg_ext.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class PositionSampler(Sampler[int]):
    """Yields rank, rank + world, rank + 2 world, ... starting after the positions already used.

    Args:
        dataset: the data set; only its length is read.
        seed: ignored, the data set owns all randomness (MMEngine passes it to every sampler).
    """

    def __init__(self, dataset: Any, seed: int | None = None) -> None:
        self._length = len(dataset)
        self._rank, self._world = get_dist_info()
        self._start = 0

    def start_after(self, samples_per_rank: int) -> None:
        """Skip what a resumed run has trained on already, without loading it."""
        self._start = samples_per_rank

    def __iter__(self) -> Iterator[int]:
        index = self._start
        while True:
            yield index * self._world + self._rank
            index += 1

    def __len__(self) -> int:
        return -(-self._length // self._world)
