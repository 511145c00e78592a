"""What every method shares: a student, one way to prepare both domains, one step an iteration."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn import functional

from mmseg_ext.datasets.classes import IGNORE_LABEL
from mmseg_ext.engine import gradient_clipping
from mmseg_ext.engine.data_parallel import (
    average_gradients,
    average_statistics,
    mean_over_processes,
)
from mmseg_ext.engine.finite_losses import FiniteLosses
from mmseg_ext.engine.micro_batches import mean_log, slices, teachers_held
from mmseg_ext.engine.part_optimizers import STUDENT, by_part
from mmseg_ext.errors import OptimizerError, TargetLabelsSeenError
from mmseg_ext.parts.cross_entropy import Denominator, PixelCrossEntropy
from mmseg_ext.parts.transfer import batch_to_device
from mmseg_ext.parts.valid_margins import padded, valid_pixels
from mmseg_ext.registry import MODELS
from mmseg_ext.segmentors.prediction import Prediction, TrainsOnDetail

_DOMAINS = ("source", "target")


@dataclass(frozen=True)
class Batch:
    """A prepared training batch: normalised images (B,3,H,W) and source labels (B,H,W) int64.

    ``target_valid`` (B,H,W) bool tells margins of the target images from the rest, where the data
    set sends such masks. ``source_label_on_host`` is ``source_label`` on the CPU, for what decides
    by the labels: on a GPU the host would wait for them. There is no field for target labels.
    """

    source_image: Tensor
    source_label: Tensor
    target_image: Tensor | None
    target_valid: Tensor | None = None
    source_label_on_host: Tensor | None = None


@dataclass(frozen=True)
class Term:
    """One term of a method's loss, with quantities worth watching beside it.

    ``optimizer`` is the part of the method whose optimizer the term belongs to; a method that
    trains nothing but the student leaves it alone. ``with_next`` puts back-propagation off until
    the next term is there, whose graph shares a forward pass with this one's.
    """

    name: str
    loss: Tensor
    observed: Mapping[str, Tensor] = field(default_factory=dict)
    optimizer: str = STUDENT
    with_next: bool = False


class UDAMethod(BaseModel):
    """Base of all methods: wraps a segmentor, the student, and trains it term by term.

    A method implements `training_terms`. Each term is back-propagated as soon as it is yielded, so
    its graph is freed before the next one is computed; one step of every optimizer follows the last
    term. Prediction always uses the student. ``iteration`` counts the steps taken. A batch that the
    device cannot hold is trained on in ``micro_batches`` equal slices, a run-time choice that is
    set on the built method (`mmseg_ext.engine.micro_batches` says what it changes).

    Args:
        segmentor: config of the student, e.g. an ``EncoderDecoder``.
        data_preprocessor: config of the preprocessor that normalises both domains alike. Without
            ``mean`` and ``std`` it takes those that the encoder's weights ask for.
        class_weight: factor of each class in every cross-entropy, or ``None``.
        loss_denominator: what each cross-entropy is divided by: the number of all pixels, as in
            the DAFormer family, or of labelled ones, as in the earlier methods.
        channels_last: keep images and weights in channels-last layout, which speeds up convolutions
            on the CPU and with tensor cores; the mathematics is the same.
    """

    iteration: Tensor
    micro_batches: int = 1

    def __init__(
        self,
        segmentor: dict[str, Any],
        data_preprocessor: dict[str, Any],
        class_weight: list[float] | None = None,
        loss_denominator: Denominator = "all_pixels",
        channels_last: bool = False,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        student = MODELS.build(segmentor)
        preprocessor = MODELS.build({**_statistics_of(student), **data_preprocessor})
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self._layout = torch.channels_last if channels_last else torch.contiguous_format
        self.student = student.to(memory_format=self._layout)
        self.cross_entropy = PixelCrossEntropy(class_weight, loss_denominator)
        # A buffer, so that a resumed run counts on.
        self.register_buffer("iteration", torch.zeros((), dtype=torch.int64))
        self._steps_taken = 0  # the same number on the host, which need not ask the device for it
        self.finite_losses = FiniteLosses()

    @abstractmethod
    def training_terms(self, batch: Batch) -> Iterator[Term]:
        """Yield the terms of the loss in order; what happens between them is the method.

        Which terms there are must not depend on the batch: several processes average their values.
        """

    def train_step(self, data: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Back-propagate every term, step each optimizer once, and return the terms for the log.

        ``optim_wrapper`` is the student's alone, or an ``OptimWrapperDict`` with one wrapper for
        each part that a term names. The value logged as ``loss`` is the student's. With several
        processes, gradients, logged values and running statistics are averaged over them. Where
        the student's gradients are clipped, ``grad_norm`` is their norm before it.

        Nothing in it waits for a GPU to finish what it was told.

        Raises:
            NonFiniteLossError: a term is NaN or infinite. On the CPU it is one of this step, and
                the weights are left as they were. On a GPU it is one of the step before, whose
                update the weights have taken (`FiniteLosses`): the method can no longer be
                trained, saved or tested in this process.
            OptimizerError: a term names a part that has no optimizer.
        """
        wrappers = by_part(optim_wrapper)
        optim_wrapper.zero_grad()
        logs = []
        for index, batch in enumerate(slices(self.prepare(data), self.micro_batches)):
            with teachers_held(self, hold=index > 0):
                logs.append(self._back_propagate(batch, wrappers))
        log = mean_over_processes(mean_log(logs))
        self.finite_losses.look(log, self._steps_taken + 1)
        for part, wrapper in wrappers.items():
            average_gradients(p for g in wrapper.optimizer.param_groups for p in g["params"])
            norm = gradient_clipping.step(wrapper)
            if norm is not None and part == STUDENT:
                log["grad_norm"] = norm.detach()
        average_statistics(self)
        self.iteration += 1
        self._steps_taken += 1
        return log

    def _back_propagate(
        self, batch: Batch, wrappers: Mapping[str, OptimWrapper]
    ) -> dict[str, Tensor]:
        """Back-propagate the terms of a batch, or of one of a step's micro-batches."""
        terms = self.training_terms(batch)
        total = torch.zeros((), device=next(self.student.parameters()).device)
        losses: dict[str, Tensor] = {}
        observed: dict[str, Tensor] = {}
        waiting: Tensor | None = None
        while True:
            with wrappers[STUDENT].optim_context(self):
                term = next(terms, None)
            if term is None:
                break
            if term.optimizer not in wrappers:
                raise OptimizerError(
                    f"loss term {term.name!r} trains {term.optimizer!r}, but there are optimizers "
                    f"for {', '.join(wrappers)} only; add one with PartOptimWrapperConstructor"
                )
            waiting = term.loss if waiting is None else waiting + term.loss
            if not term.with_next:
                wrappers[term.optimizer].backward(waiting / self.micro_batches)
                waiting = None
            losses[f"loss_{term.name}"] = term.loss.detach()
            if term.optimizer == STUDENT:
                total = total + term.loss.detach()
            observed.update({name: value.detach() for name, value in term.observed.items()})
        return {"loss": total, **losses, **observed}

    def image_statistics(self) -> dict[str, Any]:
        """Mean and standard deviation (RGB, 0-255) of the normalisation, for the augmentations."""
        return {
            "mean": self.data_preprocessor.mean.flatten().tolist(),
            "std": self.data_preprocessor.std.flatten().tolist(),
        }

    @property
    def layout(self) -> torch.memory_format:
        """The memory layout that the student takes images in."""
        return self._layout

    def prepare(self, data: dict[str, Any]) -> Batch:
        """Normalise both domains in the same way and stack the source labels.

        Raises:
            TargetLabelsSeenError: a target sample carries labels.
        """
        device = self.data_preprocessor.device
        moved = batch_to_device({name: data[name] for name in _DOMAINS if name in data}, device)
        source = self.data_preprocessor(moved["source"], training=True)
        label = _stacked_labels(source["data_samples"], source["inputs"].shape[2:])
        on_host = label
        if device.type != "cpu":
            on_host = _stacked_labels(data["source"]["data_samples"], label.shape[1:])
        target_image = target_valid = None
        if "target" in moved:
            target = self.data_preprocessor(moved["target"], training=True)
            if any("gt_sem_seg" in sample for sample in target["data_samples"]):
                raise TargetLabelsSeenError(
                    "a target sample carries labels; a method must never see them"
                )
            target_image = target["inputs"]
            target_valid = valid_pixels(target["data_samples"], target_image.shape[2:])
        return Batch(source["inputs"], label, target_image, target_valid, on_host)

    def segment(self, network: nn.Module, image_bchw: Tensor) -> Tensor:
        """Logits (B,C,H,W) of a segmentor in fp32, upsampled to the size of its input image."""
        return self._upsample(
            network(image_bchw.contiguous(memory_format=self._layout)), image_bchw
        )

    def predict(self, image_bchw: Tensor) -> Prediction:
        """The student's answer to training images: logits as `segment` gives them, and more."""
        image = image_bchw.contiguous(memory_format=self._layout)
        if isinstance(self.student, TrainsOnDetail):
            return self.student.observe(image)
        features = self.student.extract_feat(image)
        logits = self._upsample(self.student.decode_head(features), image)
        return Prediction(logits, features, image)

    def segment_levels(self, image_bchw: Tensor) -> list[Tensor]:
        """Logits of all the student's classifiers, as `segment` gives them.

        The decode head's come first; those of an ``auxiliary_head`` follow where there is one.
        """
        if not self.student.with_auxiliary_head:
            return [self.segment(self.student, image_bchw)]
        features = self.student.extract_feat(image_bchw.contiguous(memory_format=self._layout))
        heads = (self.student.decode_head, self.student.auxiliary_head)
        return [self._upsample(head(features), image_bchw) for head in heads]

    def _upsample(self, logits: Tensor, image_bchw: Tensor) -> Tensor:
        # In the head's own convention, and in fp32 whatever the precision of the network: losses,
        # entropies and pseudo labels are made of this.
        return functional.interpolate(
            logits.float(),
            image_bchw.shape[2:],
            mode="bilinear",
            align_corners=self.student.align_corners,
        )

    def train(self, mode: bool = True) -> UDAMethod:
        """Set the mode as usual; a method in evaluation mode has had finite losses so far.

        Raises:
            NonFiniteLossError: it has not.
        """
        if not mode:
            self.finite_losses.settle()
        super().train(mode)
        return self

    def _save_to_state_dict(self, *args: Any, **options: Any) -> None:
        self.finite_losses.settle()
        super()._save_to_state_dict(*args, **options)

    def _load_from_state_dict(self, *args: Any, **options: Any) -> None:
        super()._load_from_state_dict(*args, **options)
        self._steps_taken = int(self.iteration)

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


def _stacked_labels(samples: Sequence[SegDataSample], size: Sequence[int]) -> Tensor:
    """Labels (B,H,W) int64 of samples, 255 where images are padded to a size."""
    labels = (sample.gt_sem_seg.data.squeeze(0) for sample in samples)
    return torch.stack([padded(label, size, IGNORE_LABEL) for label in labels]).long()


def _statistics_of(student: nn.Module) -> dict[str, Any]:
    """The normalisation that the encoder's weights ask for, if the encoder says so."""
    statistics = getattr(student.backbone, "image_statistics", None)
    return {} if statistics is None else {"mean": statistics.mean, "std": statistics.std}
