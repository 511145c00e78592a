"""Source and target images side by side, every random choice addressable by position.

Sample number ``k`` of a training run is a function of (seed, k) alone: which source image, which
target image, how each is augmented. It does not matter which worker process makes it, how many
there are, or whether the run was interrupted before. That is what makes resuming exact.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from mmseg_ext.datasets.class_statistics import class_pixels
from mmseg_ext.datasets.foreign_statistics import import_statistics
from mmseg_ext.datasets.rare_class_sampling import RareClassRule, RareClassSampler
from mmseg_ext.errors import TargetLabelsSeenError
from mmseg_ext.registry import DATASETS

# Streams of random numbers that must not coincide although they share seed and position.
_SOURCE, _TARGET, _RARE_CLASS = 0, 1, 2


@contextmanager
def _global_random_state(*key: int) -> Iterator[None]:
    """Seed the global generators, which MMCV's transforms draw from, and restore them after."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    np.random.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)


class _Shuffled:
    """Endless shuffled passes over ``size`` items; any position can be asked for directly."""

    def __init__(self, size: int, *key: int) -> None:
        self._size, self._key = size, key
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def __getitem__(self, position: int) -> int:
        epoch, offset = divmod(position, self._size)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._permutation(epoch)
        return int(self._order[offset])

    def _permutation(self, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng([*self._key, epoch]).permutation(self._size)


@DATASETS.register_module()
class PairedDataset(Dataset[dict[str, Any]]):
    """Yields ``{'source': sample, 'target': sample}``, or only ``source`` when there is no target.

    Source and target are shuffled independently, so a source image meets another target image
    in each pass. Samples are packed as MMSegmentation packs them (``inputs``, ``data_samples``).

    With rare-class sampling each position draws its source image by class instead; the class is
    the meta key ``rare_class`` of the source sample. The reference also draws the target image at
    random with replacement, here the target keeps its shuffled passes.

    Args:
        source: labelled data set (config or instance).
        target: unlabelled data set, or ``None`` for methods that never look at the target.
        seed: seed of the run.
        rare_class_sampling: fields of `RareClassRule` and two files: ``statistics``, a file to
            import instead of counting (see `import_statistics`), and ``cache``, the folder that
            keeps counts (see `class_pixels`); or ``None`` for shuffled passes.

    Raises:
        TargetLabelsSeenError: a target sample carries a label map.
        StatisticsError: the class statistics are not to be had or do not fit the source.
    """

    def __init__(
        self,
        source: Any,
        target: Any | None = None,
        seed: int = 0,
        rare_class_sampling: dict[str, Any] | None = None,
    ) -> None:
        self.source = DATASETS.build(source) if isinstance(source, dict) else source
        self.target = DATASETS.build(target) if isinstance(target, dict) else target
        self.metainfo = self.source.metainfo
        self._seed = seed
        self._source_order = _Shuffled(len(self.source), seed, _SOURCE)
        self._target_order = (
            None if self.target is None else _Shuffled(len(self.target), seed, _TARGET)
        )
        self._rare_classes = (
            None if rare_class_sampling is None else _sampler(self.source, **rare_class_sampling)
        )

    def __len__(self) -> int:
        """Positions in one pass over the larger domain; higher positions are valid too."""
        return max(len(self.source), 0 if self.target is None else len(self.target))

    def __getitem__(self, position: int) -> dict[str, Any]:
        pair = {"source": self._source_sample(position)}
        if self.target is not None and self._target_order is not None:
            with _global_random_state(self._seed, position, _TARGET):
                pair["target"] = self.target[self._target_order[position]]
            if "gt_sem_seg" in pair["target"]["data_samples"]:
                raise TargetLabelsSeenError(
                    "a target training sample carries labels; build the target with labels=None"
                )
        return pair

    def _source_sample(self, position: int) -> dict[str, Any]:
        if self._rare_classes is None:
            with _global_random_state(self._seed, position, _SOURCE):
                return self.source[self._source_order[position]]
        stream = np.random.default_rng([self._seed, position, _RARE_CLASS])
        wanted, index = self._rare_classes.draw(stream)
        with _global_random_state(self._seed, position, _SOURCE):
            sample = self._rare_classes.crop(lambda: self.source[index], wanted)
        sample["data_samples"].set_metainfo({"rare_class": wanted})
        return sample


def _sampler(
    source: Any, statistics: str | None = None, cache: str | None = None, **rule: Any
) -> RareClassSampler:
    if statistics is None:
        pixels_nc = class_pixels(source, None if cache is None else Path(cache))
    else:
        pixels_nc = import_statistics(Path(statistics), source)
    return RareClassSampler(pixels_nc, RareClassRule(**rule))
