"""What every method shares: a student, one way to prepare both domains, one optimiser step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn import functional

from mmseg_ext.errors import NonFiniteLossError, TargetLabelsSeenError
from mmseg_ext.parts.cross_entropy import PixelCrossEntropy
from mmseg_ext.parts.valid_margins import valid_pixels
from mmseg_ext.registry import MODELS


@dataclass(frozen=True)
class Batch:
    """A prepared training batch: normalised images (B,3,H,W) and source labels (B,H,W) int64.

    ``target_valid`` (B,H,W) bool tells margins of the target images from the rest, where the data
    set sends such masks. There is no field for target labels.
    """

    source_image: Tensor
    source_label: Tensor
    target_image: Tensor | None
    target_valid: Tensor | None = None


@dataclass(frozen=True)
class Term:
    """One term of a method's loss, with quantities worth watching beside it.

    ``with_next`` puts back-propagation off until the next term is there, whose graph shares a
    forward pass with this one's.
    """

    name: str
    loss: Tensor
    observed: Mapping[str, Tensor] = field(default_factory=dict)
    with_next: bool = False


class UDAMethod(BaseModel):
    """Base of all methods: wraps a segmentor, the student, and trains it term by term.

    A method implements `training_terms`. Each term is back-propagated as soon as it is yielded, so
    its graph is freed before the next one is computed; one optimiser step follows the last term.
    Prediction always uses the student.

    Args:
        segmentor: config of the student, e.g. an ``EncoderDecoder``.
        data_preprocessor: config of the preprocessor that normalises both domains alike.
        class_weight: factor of each class in every cross-entropy, or ``None``.
        channels_last: keep images and weights in channels-last layout, which speeds up convolutions
            on the CPU and with tensor cores; the mathematics is the same.
    """

    def __init__(
        self,
        segmentor: dict[str, Any],
        data_preprocessor: dict[str, Any],
        class_weight: list[float] | None = None,
        channels_last: bool = False,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=MODELS.build(data_preprocessor), init_cfg=init_cfg)
        self._layout = torch.channels_last if channels_last else torch.contiguous_format
        self.student = MODELS.build(segmentor).to(memory_format=self._layout)
        self.cross_entropy = PixelCrossEntropy(class_weight)

    @abstractmethod
    def training_terms(self, batch: Batch) -> Iterator[Term]:
        """Yield the terms of the loss in order; what happens between them is the method."""

    def train_step(self, data: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Back-propagate every term, step once, and return the terms for the log.

        Raises:
            NonFiniteLossError: a term is NaN or infinite; the weights are left as they were.
        """
        optim_wrapper.zero_grad()
        log: dict[str, Tensor] = {}
        total = torch.zeros((), device=next(self.student.parameters()).device)
        terms = self.training_terms(self.prepare(data))
        waiting: Tensor | None = None
        while True:
            with optim_wrapper.optim_context(self):
                term = next(terms, None)
            if term is None:
                break
            if not torch.isfinite(term.loss):
                raise NonFiniteLossError(f"loss term {term.name!r} became {float(term.loss)}")
            waiting = term.loss if waiting is None else waiting + term.loss
            if not term.with_next:
                optim_wrapper.backward(waiting)
                waiting = None
            total = total + term.loss.detach()
            log[f"loss_{term.name}"] = term.loss.detach()
            log.update({name: value.detach() for name, value in term.observed.items()})
        optim_wrapper.step()
        return {"loss": total, **log}

    def image_statistics(self) -> dict[str, Any]:
        """Mean and standard deviation (RGB, 0-255) of the normalisation, for the augmentations."""
        return {
            "mean": self.data_preprocessor.mean.flatten().tolist(),
            "std": self.data_preprocessor.std.flatten().tolist(),
        }

    def prepare(self, data: dict[str, Any]) -> Batch:
        """Normalise both domains in the same way and stack the source labels.

        Raises:
            TargetLabelsSeenError: a target sample carries labels.
        """
        source = self.data_preprocessor(data["source"], training=True)
        labels = [sample.gt_sem_seg.data.squeeze(0) for sample in source["data_samples"]]
        target_image = target_valid = None
        if "target" in data:
            target = self.data_preprocessor(data["target"], training=True)
            if any("gt_sem_seg" in sample for sample in target["data_samples"]):
                raise TargetLabelsSeenError(
                    "a target sample carries labels; a method must never see them"
                )
            target_image = target["inputs"]
            target_valid = valid_pixels(target["data_samples"], target_image.shape[2:])
        return Batch(source["inputs"], torch.stack(labels).long(), target_image, target_valid)

    def segment(self, network: nn.Module, image_bchw: Tensor) -> Tensor:
        """Logits (B,C,H,W) of a segmentor, upsampled to the size of its input image."""
        logits = network(image_bchw.contiguous(memory_format=self._layout))
        return functional.interpolate(
            logits, image_bchw.shape[2:], mode="bilinear", align_corners=False
        )

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[SegDataSample] | None = None,
        mode: str = "tensor",
    ) -> Any:
        """MMEngine's entry: ``predict`` gives samples with ``pred_sem_seg``, ``tensor`` raw logits.

        Raises:
            ValueError: for ``loss``; training goes through `train_step`, which needs both domains.
        """
        if mode == "loss":
            raise ValueError(
                f"{type(self).__name__} trains through train_step, which pairs two domains"
            )
        return self.student(inputs.contiguous(memory_format=self._layout), data_samples, mode=mode)
