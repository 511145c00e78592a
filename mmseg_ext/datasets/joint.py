"""Several labelled sources at once: training draws from the union of their images.

The union is a plain concatenation: every image counts once, whichever source it is from, so that a
larger source is drawn from more often. So it is without rare-class sampling in ysj9909/SoMA
(configs/_base_/datasets/dg_gsu2cbm_512x512.py) and tue-mps/vfm-uda-plusplus
(datasets/uda_multitrain_multival_datamodule.py). With rare-class sampling the latter keeps
statistics and draws of each source apart; here they are those of the union, as in `PairedDataset`
for one source.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.dataset import ConcatDataset
from numpy.typing import NDArray

from mmseg_ext.datasets.class_statistics import class_pixels
from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL
from mmseg_ext.datasets.foreign_statistics import import_statistics
from mmseg_ext.datasets.paired import PairedDataset
from mmseg_ext.datasets.rare_class_sampling import RareClassRule, RareClassSampler
from mmseg_ext.errors import StatisticsError
from mmseg_ext.registry import DATASETS, TRANSFORMS


@TRANSFORMS.register_module()
class IgnoreOtherClasses(BaseTransform):
    """Sets the label of every pixel of another class to 255, which no loss counts.

    For sources of which only some label a class: the others show it under another name or none, and
    a network would be told both. It follows the transform that reads the label map
    (``results['gt_seg_map']``: uint8, HxW train ids).

    Args:
        classes: train ids of the classes that stay.

    Raises:
        ValueError: there is none, one is not a train id, or one stands twice.
    """

    def __init__(self, classes: Sequence[int]) -> None:
        known = range(len(CLASSES))
        if not classes or len(set(classes)) < len(classes) or not set(classes) <= set(known):
            raise ValueError(
                f"classes is {list(classes)}, expected different train ids (0-{len(CLASSES) - 1})"
            )
        self.classes = tuple(classes)
        self._table = np.full(256, IGNORE_LABEL, np.uint8)
        self._table[list(classes)] = classes

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        results["gt_seg_map"] = self._table[results["gt_seg_map"]]
        return results


@DATASETS.register_module()
class JointPairedDataset(PairedDataset):
    """`PairedDataset` whose source images are those of several data sets, in the order given.

    Image ``i`` of the source is image ``i`` of the first data set, or image ``i - n`` of the next
    where the first has ``n``, and so on. Each data set keeps its own pipeline, so its own sizes.

    Args:
        source: labelled data sets (configs or instances).
        target: as in `PairedDataset`.
        seed: seed of the run.
        rare_class_sampling: as in `PairedDataset`, over the label maps of all sources together.
            ``statistics`` is a list here: for each source a file to import, or ``None`` to count.

    Raises:
        ValueError: there is no source.
        TargetLabelsSeenError: a target sample carries a label map.
        StatisticsError: the class statistics are not to be had or do not fit a source.
    """

    source: ConcatDataset

    def __init__(
        self,
        source: Sequence[Any],
        target: Any | None = None,
        seed: int = 0,
        rare_class_sampling: dict[str, Any] | None = None,
    ) -> None:
        if not source:
            raise ValueError("source is empty, expected at least one labelled data set")
        parts = [DATASETS.build(each) if isinstance(each, dict) else each for each in source]
        super().__init__(ConcatDataset(parts), target, seed)
        if rare_class_sampling is not None:
            self._rare_classes = _sampler(parts, **rare_class_sampling)


def joint_class_pixels(
    parts: Sequence[Any],
    cache: Path | None = None,
    statistics: Sequence[Path | None] | None = None,
) -> NDArray[np.int64]:
    """Pixels of each class in each label map of several data sets, one after the other: (N,19).

    As training sees them: a class that a data set's pipeline ignores counts as absent there. Counts
    are kept for each data set by itself, so they serve it alone, too.

    Args:
        parts: labelled data sets whose pipelines read label maps before they change them.
        cache: folder that keeps counts, see `class_pixels`.
        statistics: for each data set a file to import instead of counting, or ``None``.

    Raises:
        StatisticsError: the statistics of a data set are not to be had or do not fit it.
    """
    files = [None] * len(parts) if statistics is None else list(statistics)
    if len(files) != len(parts):
        raise StatisticsError(
            f"statistics names {len(files)} files for {len(parts)} sources; give one for each, in "
            "their order, and None for one that is to be counted"
        )
    counted = []
    for part, file in zip(parts, files, strict=True):
        pixels_nc = class_pixels(part, cache) if file is None else import_statistics(file, part)
        counted.append(np.where(_is_trained_c(part), pixels_nc, 0))
    return np.concatenate(counted)


def _sampler(
    parts: Sequence[Any],
    statistics: Sequence[str | None] | str | None = None,
    cache: str | None = None,
    **rule: Any,
) -> RareClassSampler:
    if isinstance(statistics, str):
        raise StatisticsError(
            f"statistics is one file, {statistics}, but there are {len(parts)} sources; give a "
            "list with one for each, in their order, and None for one that is to be counted"
        )
    files = None if statistics is None else [None if f is None else Path(f) for f in statistics]
    pixels_nc = joint_class_pixels(parts, None if cache is None else Path(cache), files)
    return RareClassSampler(pixels_nc, RareClassRule(**rule))


def _is_trained_c(part: Any) -> NDArray[np.bool_]:
    """Which of the classes a data set's pipeline leaves in its label maps, (19,)."""
    trained_c = np.ones(len(CLASSES), bool)
    for transform in part.pipeline.transforms:
        if isinstance(transform, IgnoreOtherClasses):
            trained_c &= np.isin(np.arange(len(CLASSES)), transform.classes)
    return trained_c
