"""Predicted label maps, by the same steps as the scores of `MultiDomainTestLoop`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from mmseg_ext.evaluation.counting import predictions
from mmseg_ext.evaluation.windows import infer

LabelMap = NDArray[np.uint8]
Size = tuple[int, int]


@dataclass(frozen=True)
class Student:
    """What predicts: the segmentor, in evaluation mode, and how images reach it."""

    segmentor: Any
    preprocessor: Any
    layout: torch.memory_format = torch.contiguous_format

    @classmethod
    def of(cls, method: Any) -> Student:
        """The student of a method, as the test loop takes it."""
        method.eval()
        return cls(method.student, method.data_preprocessor, method.layout)


def predicted(
    student: Student, dataset: Any, batches: Sequence[Sequence[int]], workers: int = 0
) -> Iterator[tuple[int, LabelMap, dict[str, Any]]]:
    """Predict images of a data set: their places, label maps and samples.

    A label map has train ids at the size of the sample's label, where it is scored. With the
    batches of the scoring it holds exactly the predictions that were counted.

    Args:
        batches: places of the images in the data set that are predicted at a time.
        workers: processes that read images.
    """
    loader = DataLoader(
        dataset,
        batch_sampler=[list(batch) for batch in batches],
        num_workers=workers,
        collate_fn=pseudo_collate,
    )
    for places, batch in zip(batches, loader, strict=True):
        maps = label_maps(student, batch)
        for index, place in enumerate(places):
            sample = {key: values[index] for key, values in batch.items()}
            yield place, maps[index], sample


@torch.no_grad()
def label_maps(student: Student, batch: Mapping[str, Any]) -> list[LabelMap]:
    """Train ids (H, W) uint8 of each image of a batch, at the size of its label."""
    found: dict[int, LabelMap] = {}
    for places in _of_equal_size(batch["inputs"]):
        part = {key: [values[place] for place in places] for key, values in batch.items()}
        data = student.preprocessor(part, training=False)
        images = data["inputs"].contiguous(memory_format=student.layout)
        logits_bchw = infer(student.segmentor, images)
        for place, logits_chw, sample in zip(
            places, logits_bchw, data["data_samples"], strict=True
        ):
            found[place] = _label_map(student, logits_chw, sample)
    return [found[place] for place in sorted(found)]


def _label_map(student: Student, logits_chw: Tensor, sample: Any) -> LabelMap:
    left, right, top, bottom = sample.metainfo.get("img_padding_size", (0, 0, 0, 0))
    height, width = logits_chw.shape[1:]
    rows, columns = sample.gt_sem_seg.shape[-2:]
    bands = predictions(
        logits_chw[:, top : height - bottom, left : width - right],
        (int(rows), int(columns)),
        align_corners=student.segmentor.align_corners,
    )
    train_ids: LabelMap = torch.cat([band for _, band in bands]).to(torch.uint8).cpu().numpy()
    return train_ids


def _of_equal_size(images: Sequence[Tensor]) -> list[list[int]]:
    """Places in a batch whose images can be stacked, as the test loop groups them."""
    places: dict[torch.Size, list[int]] = {}
    for place, image in enumerate(images):
        places.setdefault(image.shape, []).append(place)
    return list(places.values())
