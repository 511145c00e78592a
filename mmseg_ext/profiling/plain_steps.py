"""Training steps written the plain way: the baseline that the real ones are compared with.

Source-only, DACS (Tranheden et al., WACV 2021) and DAFormer (Hoyer et al., CVPR 2022) as their
papers describe them, by us, in fp32 with nothing done for speed: one image at a time wherever
images are normalised, mixed or augmented, one backward pass a loss term, attention as softmax of a
product, one parameter at a time in the optimizer and in the teacher's mean. The networks are copies
of those of a method, so that with equal weights, images and draws the losses are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _BatchNorm

from mmseg_ext.errors import MethodError
from mmseg_ext.methods import DACS, DAFormer, Supervised
from mmseg_ext.profiling import plain_colours
from mmseg_ext.profiling.plain_adamw import plain_adamw
from mmseg_ext.profiling.plain_copies import plain_copy

CLASSES, IGNORED = 19, 255

Step = Callable[[Mapping[str, Any]], dict[str, float]]
"""Trains on a collated batch and returns the value of each loss term."""


def plain_step(method: nn.Module, optimizer: Any) -> Step:
    """The plain counterpart of a method, from the state it is in, and of its optimizer wrapper.

    The optimizer's own state is not copied.

    Raises:
        MethodError: there is none for this method or its settings.
    """
    kinds = {Supervised: SourceOnly, DACS: PlainDACS, DAFormer: PlainDAFormer}
    kind = kinds.get(type(method))  # type: ignore[call-overload]
    if kind is None or hasattr(method.student, "observe"):
        raise MethodError(
            f"there is no plain step of {type(method).__name__} on "
            f"{type(method.student).__name__}; expected source-only, dacs or daformer on a plain "
            "segmentor"
        )
    return kind(method, optimizer)  # type: ignore[no-any-return]


class SourceOnly:
    """One step of supervised training on source images."""

    def __init__(self, method: Any, optimizer: Any) -> None:
        self.student = plain_copy(method.student)
        self.optimizer, self.max_norm = plain_adamw(method, self.student, optimizer)
        preprocessor = method.data_preprocessor
        self.mean, self.std = preprocessor.mean.clone(), preprocessor.std.clone()  # (3,1,1)
        self.class_weight = method.cross_entropy.class_weight
        if method.cross_entropy.denominator != "all_pixels":
            raise MethodError("the plain steps divide losses by all pixels")
        if isinstance(method, Supervised) and method.strong_augmentation is not None:
            raise MethodError("the plain step of supervised training augments nothing")

    def __call__(self, data: Mapping[str, Any]) -> dict[str, float]:
        with sdpa_kernel(SDPBackend.MATH):
            self.optimizer.zero_grad()
            losses = self.back_propagated(data)
            if self.max_norm is not None:
                nn.utils.clip_grad_norm_(self.student.parameters(), self.max_norm, foreach=False)
            self.optimizer.step()
        return losses

    def back_propagated(self, data: Mapping[str, Any]) -> dict[str, float]:
        loss = self.cross_entropy(self.student, *self.labelled(data["source"]))
        loss.backward()
        return {"source": loss.item()}

    def labelled(self, source: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Normalised source images (B,3,H,W) and their labels (B,H,W)."""
        samples = source["data_samples"]
        labels = [sample.gt_sem_seg.data[0].to(self.mean.device).long() for sample in samples]
        return self.normalised(source["inputs"]), torch.stack(labels)

    def normalised(self, images: Any) -> Tensor:
        rgb = (image.to(self.mean.device)[[2, 1, 0]].float() for image in images)
        return torch.stack([(each - self.mean) / self.std for each in rgb])

    def logits(self, network: Any, image: Tensor) -> Tensor:
        """At the size of the images."""
        scores = network.decode_head(network.extract_feat(image))
        return _enlarged(scores, image, network.align_corners)

    def cross_entropy(
        self, network: Any, image: Tensor, label: Tensor, weight: Tensor | None = None
    ) -> Tensor:
        return self.loss(self.logits(network, image), label, weight)

    def loss(self, logits: Tensor, label: Tensor, weight: Tensor | None = None) -> Tensor:
        """Mean over all pixels, ignored ones included, of the weighted cross-entropy."""
        pixels = functional.cross_entropy(
            logits, label, self.class_weight, ignore_index=IGNORED, reduction="none"
        )
        return (pixels if weight is None else pixels * weight).mean()


class PlainDACS(SourceOnly):
    """One step of DACS."""

    def __init__(self, method: Any, optimizer: Any) -> None:
        super().__init__(method, optimizer)
        teacher, augmentation = method.teacher, method.strong_augmentation
        usual = (teacher.buffer_policy, teacher.normalization) == ("none", "batch")
        if not usual or not isinstance(augmentation, nn.Module) or augmentation.per != "batch":
            raise MethodError("the plain step of DACS knows the papers' settings only")
        self.teacher = plain_copy(teacher.network)
        for parameter in self.teacher.parameters():
            parameter.requires_grad_(False)
        for module in self.teacher.modules():
            module.training = isinstance(module, _BatchNorm)
        self.alpha, self.iteration = teacher.alpha, int(teacher.step)
        self.threshold = method.pseudo_labels.threshold
        self.scope = method.class_mix.scope
        self.augmentation: Any = augmentation
        self.rows: Any = None

    def back_propagated(self, data: Mapping[str, Any]) -> dict[str, float]:
        self.update_teacher()
        image, label = self.labelled(data["source"])
        losses = self.source_terms(image, label)
        mixed = self.mixed(image, label, self.normalised(data["target"]["inputs"]))
        loss = self.cross_entropy(self.student, *mixed)
        loss.backward()
        return {**losses, "mix": loss.item()}

    def source_terms(self, image: Tensor, label: Tensor) -> dict[str, float]:
        loss = self.cross_entropy(self.student, image, label)
        loss.backward()
        return {"source": loss.item()}

    def update_teacher(self) -> None:
        """A running mean of the student's weights, one parameter after the other."""
        alpha = min(1.0 - 1.0 / (self.iteration + 1), self.alpha)
        pairs = zip(self.teacher.parameters(), self.student.parameters(), strict=True)
        for mean, parameter in pairs:
            mean.data[:] = alpha * mean.data + (1.0 - alpha) * parameter.data
        if self.iteration == 0:
            buffers = zip(self.teacher.buffers(), self.student.buffers(), strict=True)
            for own, its in buffers:
                own.data.copy_(its.data)
        self.iteration += 1

    def mixed(self, image: Tensor, label: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Augmented mixed images, their labels and the weight of each pixel."""
        with torch.no_grad():
            probability = torch.softmax(self.logits(self.teacher, target), dim=1)
            confidence, pseudo = probability.max(dim=1)
            share = (confidence >= self.threshold).sum() / confidence.numel()
            trust = share * torch.ones_like(confidence)
            if self.rows is not None:
                trust[:, : self.rows.top] = 0.0
                trust[:, trust.shape[1] - self.rows.bottom :] = 0.0
            images, labels, weights = [], [], []
            for i in range(len(image)):
                mask = plain_colours.pasted(label[i], torch.unique(self.candidates(label, i)))
                images.append(mask * image[i] + ~mask * target[i])
                labels.append(mask * label[i] + ~mask * pseudo[i])
                weights.append(mask * torch.ones_like(trust[i]) + ~mask * trust[i])
            return torch.stack(self.augmented(images)), torch.stack(labels), torch.stack(weights)

    def candidates(self, label: Tensor, index: int) -> Tensor:
        return label if self.scope == "batch" else label[index]

    def augmented(self, images: list[Tensor]) -> list[Tensor]:
        how = self.augmentation
        return plain_colours.augmented(
            images,
            how.mean[0],
            how.std[0],
            how.strength,
            (how.jitter_probability, how.blur_probability),
            how.sigma,
            how.shared_order,
        )


class PlainDAFormer(PlainDACS):
    """One step of DAFormer; the feature distance has a backward pass of its own."""

    def __init__(self, method: Any, optimizer: Any) -> None:
        super().__init__(method, optimizer)
        self.rows = method.ignored_rows
        distance = method.feature_distance
        if distance is not None and not _is_papers(distance):
            raise MethodError("the plain step of DAFormer knows the paper's feature distance only")
        self.distance = distance
        self.initial: Any = None
        if distance is not None:
            known = distance.teacher if distance.remembered else self.student.backbone
            self.initial = plain_copy(known).eval()

    def source_terms(self, image: Tensor, label: Tensor) -> dict[str, float]:
        if self.initial is None:
            return super().source_terms(image, label)
        features = self.student.extract_feat(image)
        scores = self.student.decode_head(features)
        loss = self.loss(_enlarged(scores, image, self.student.align_corners), label)
        loss.backward(retain_graph=True)
        with torch.no_grad():
            frozen = self.initial(image)[-1]
        distance = self.feature_distance(features[-1], frozen, label)
        distance.backward()
        return {"source": loss.item(), "feature_distance": distance.item()}

    def feature_distance(self, own: Tensor, frozen: Tensor, label: Tensor) -> Tensor:
        """Mean distance over cells of which one class of things fills enough."""
        found = []
        for i in range(len(label)):
            cells = self.thing_cells(label[i], own.shape[2:])
            found.append(torch.norm(own[i] - frozen[i], dim=0)[cells])
        distances = torch.cat(found)
        if len(distances) == 0:
            return 0.0 * own.sum()
        return self.distance.weight * distances.mean()  # type: ignore[no-any-return]

    def thing_cells(self, label: Tensor, size: Any) -> Tensor:
        """(h,w) bool; a cell's class is that of most of its pixels, if they are enough."""
        known = torch.where(label == IGNORED, CLASSES, label)
        one_hot = functional.one_hot(known, CLASSES + 1).permute(2, 0, 1).float()
        side = label.shape[0] // size[0]
        share, winner = functional.avg_pool2d(one_hot[None], side)[0].max(dim=0)
        things = torch.nonzero(self.distance.counts)[:, 0]
        return (share >= self.distance.min_ratio) & torch.isin(winner, things)


def _is_papers(distance: Any) -> bool:
    """Whether a feature distance compares the last level with the encoder's initial weights."""
    plain = not distance.channel_norm and distance.features == "levels"
    return bool(plain and distance.level == -1 and distance.follows_student)


def _enlarged(logits: Tensor, image: Tensor, align_corners: bool) -> Tensor:
    return functional.interpolate(
        logits, image.shape[2:], mode="bilinear", align_corners=align_corners
    )
