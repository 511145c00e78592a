"""Feature distance: where the source shows things, the encoder stays close to a frozen one.

Hoyer et al., "DAFormer", CVPR 2022, section 3.4; lhoyer/DAFormer, mmseg/models/uda/dacs.py
(``calc_feat_dist``) and mmseg/utils/utils.py (``downscale_label_ratio``).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL
from mmseg_ext.errors import FeatureDistanceError
from mmseg_ext.registry import MODELS
from mmseg_ext.segmentors.prediction import Prediction

THINGS = (6, 7, 11, 12, 13, 14, 15, 16, 17, 18)
"""Train ids of the countable classes: lights, signs, people and vehicles."""


class FeatureDistance(nn.Module):
    """Mean distance of student and frozen features over cells that show a thing.

    L = weight * mean over qualifying cells of ||F(i,j) - F*(i,j)||_2, the norm over the channels
    of one level. A cell qualifies if one class fills at least ``min_ratio`` of its pixels and is
    one of ``classes``. The student's features are those of its forward pass on the source.

    Args:
        encoder: the student's encoder.
        mean, std: image statistics (RGB, 0-255) the student's images are normalised with.
        teacher: ``initial`` for a frozen copy of the student's encoder as it is at the first
            iteration (with pre-trained weights: the ImageNet features of the paper), or any
            encoder as ``dict(encoder=<config>, mean=..., std=...)``; images are re-normalised to
            its statistics: those given, else those its weights ask for, else the student's.
        classes: train ids that count.
        min_ratio: least share of one class in a cell.
        level: index of the encoder's level; the last one in the paper.
        weight: lambda, 0.005 in the paper. It suits the layer-normalised features of MiT; features
            of another scale need another one.
        channel_norm: compare features after normalising each cell's channels to mean 0 and
            variance 1, for encoders whose levels have no norm of their own.
        features: ``levels`` compares what the encoder hands to the decoder, from the student's
            forward pass on the source. ``tower`` compares the maps of a transformer's blocks before
            a pyramid that starts from random weights, at the price of another forward pass.

    Raises:
        ValueError: on construction, if the teacher or the features are unknown.
        FeatureDistanceError: on the first batch, if the student's and the teacher's level differ in
            shape or the label map is no whole multiple of it.
    """

    scale: Tensor
    shift: Tensor
    counts: Tensor
    remembered: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        mean: Sequence[float],
        std: Sequence[float],
        teacher: Literal["initial"] | Mapping[str, Any] = "initial",
        classes: Sequence[int] = THINGS,
        min_ratio: float = 0.75,
        level: int = -1,
        weight: float = 0.005,
        channel_norm: bool = False,
        features: Literal["levels", "tower"] = "levels",
    ) -> None:
        super().__init__()
        self.min_ratio, self.level, self.weight = min_ratio, level, weight
        self.channel_norm = channel_norm
        self.follows_student = teacher == "initial"
        frozen, statistics = _frozen(teacher, encoder, (mean, std))
        for network in (encoder, frozen):
            if features == "tower" and not hasattr(network, "intermediates"):
                raise ValueError(
                    f"{type(network).__name__} has no tower below a pyramid; "
                    "compare its features='levels'"
                )
        self.features = features
        self.teacher = frozen.requires_grad_(False).eval()
        # x* = (x std + mean - mean*) / std*, as one scale and one shift.
        own, other = ([torch.tensor(s).view(1, 3, 1, 1) for s in pair]
                      for pair in ((mean, std), statistics))  # fmt: skip
        self.register_buffer("scale", own[1] / other[1], persistent=False)
        self.register_buffer("shift", (own[0] - other[0]) / other[1], persistent=False)
        self.register_buffer(
            "counts", torch.zeros(len(CLASSES), dtype=torch.bool), persistent=False
        )
        self.counts[list(classes)] = True
        # A buffer, so that a resumed run does not take the trained encoder for the initial one.
        self.register_buffer("remembered", torch.zeros((), dtype=torch.bool))
        self._has_remembered = False  # the same on the host, which need not ask the device for it

    def train(self, mode: bool = True) -> FeatureDistance:
        """Set the mode, but keep the frozen encoder in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    @torch.no_grad()
    def remember(self, encoder: nn.Module) -> None:
        """Before the first step: take the student's encoder, initialised by now, as the teacher."""
        if self._has_remembered:
            return
        if self.follows_student:
            self.teacher.load_state_dict(encoder.state_dict())
        self.remembered.fill_(True)
        self._has_remembered = True

    def _load_from_state_dict(self, *args: Any, **options: Any) -> None:
        super()._load_from_state_dict(*args, **options)
        self._has_remembered = bool(self.remembered)

    def forward(self, prediction: Prediction, label_bhw: Tensor, encoder: nn.Module) -> Tensor:
        """The weighted loss; without a qualifying cell 0, connected to the features all the same.

        Args:
            prediction: of the student on the source images.
            label_bhw: labels of these images, int64 train ids, 255 ignored.
            encoder: the student's, which made the prediction.
        """
        image, maps = prediction.encoded_bchw, prediction.features
        if self.features == "tower":
            maps = self._maps(encoder, image)
        student = maps[self.level]
        with torch.no_grad():
            teacher = self._maps(self.teacher, image * self.scale + self.shift)[self.level]
        if student.shape != teacher.shape:
            raise FeatureDistanceError(
                f"level {self.level} of the student has shape {tuple(student.shape)}, the frozen "
                f"encoder's {tuple(teacher.shape)}; both must have equal channels and strides"
            )
        cells = self.cells(label_bhw, student.shape[2:])
        # The mean over the chosen cells without picking them out: the host would have to wait for
        # their number.
        distance = torch.where(cells, self._distance(student, teacher), 0.0)
        return self.weight * (distance.sum() / cells.sum().clamp(min=1))

    def _maps(self, encoder: Any, image_bchw: Tensor) -> Sequence[Tensor]:
        look = encoder.intermediates if self.features == "tower" else encoder
        maps: Sequence[Tensor] = look(image_bchw)
        return maps

    def cells(self, label_bhw: Tensor, size: Sequence[int]) -> Tensor:
        """Which cells of a grid (h,w) over the label map qualify: (B,h,w) bool."""
        pooled = pooled_label(label_bhw, (size[0], size[1]), self.min_ratio)
        known = pooled != IGNORE_LABEL
        return known & self.counts[torch.where(known, pooled, torch.zeros_like(pooled))]

    def _distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        student, teacher = student.float(), teacher.float()
        if self.channel_norm:
            student, teacher = _normalized(student), _normalized(teacher)
        return torch.linalg.vector_norm(student - teacher, dim=1)


Statistics = tuple[Sequence[float], Sequence[float]]


def _frozen(
    teacher: str | Mapping[str, Any], encoder: nn.Module, student: Statistics
) -> tuple[nn.Module, Statistics]:
    """The teacher and the image statistics (mean, std) it wants, the student's being given."""
    if isinstance(teacher, str):
        if teacher != "initial":
            raise ValueError(
                f"teacher of FeatureDistance must be 'initial' or a config, got {teacher!r}"
            )
        return copy.deepcopy(encoder), student
    network = MODELS.build(dict(teacher["encoder"]))
    # The method's own init_weights() does not descend into this part.
    if hasattr(network, "init_weights"):
        network.init_weights()
    asked = getattr(network, "image_statistics", None)
    mean, std = student if asked is None else (asked.mean, asked.std)
    return network, (teacher.get("mean", mean), teacher.get("std", std))


def _normalized(features_bchw: Tensor) -> Tensor:
    variance, mean = torch.var_mean(features_bchw, dim=1, keepdim=True, correction=0)
    return (features_bchw - mean) * torch.rsqrt(variance + 1e-6)


def pooled_label(label_bhw: Tensor, size: tuple[int, int], min_ratio: float) -> Tensor:
    """The label of each cell of a grid: the commonest class if its share is large enough, else 255.

    The shares are exact: each class (ignore is one of its own) is averaged over whole cells.

    Raises:
        FeatureDistanceError: the grid does not divide the label map into square cells.
    """
    height, width = label_bhw.shape[1:]
    side = height // size[0]
    if side < 1 or (side * size[0], side * size[1]) != (height, width):
        raise FeatureDistanceError(
            f"labels of {height}x{width} are no whole multiple of features of "
            f"{size[0]}x{size[1]}; crop to a multiple of the encoder's stride, or use an encoder "
            "whose levels have exact strides"
        )
    values = (*range(len(CLASSES)), IGNORE_LABEL)
    shares = torch.stack(
        [functional.avg_pool2d((label_bhw == value).float(), side) for value in values], dim=1
    )
    share, commonest = shares.max(dim=1)
    unsure = (share < min_ratio) | (commonest == len(CLASSES))
    return torch.where(unsure, IGNORE_LABEL, commonest)
