"""Supervised pre-training: which object is in the middle of a crop (the stand-in for ImageNet)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from mmseg_ext.datasets.minidrive.web import web_scene
from mmseg_ext.pretraining.categories import CATEGORIES, CATEGORY_OF
from mmseg_ext.pretraining.recipe import PRETRAININGS, Pretrained, Progress, normalized, warm_cosine
from mmseg_ext.pretraining.regions import Region, find_regions, square
from mmseg_ext.registry import MODELS

_SCENE = (96, 192)
_LEAST_PIXELS, _LARGEST_SIDE = 30, 48
_CROP_SIDES = (32, 80)
_CONTEXT = (1.2, 2.0)


@dataclass(frozen=True)
class Crops:
    """Object-centred crops: images (N, S, S, 3) RGB, category of each (N,)."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


@PRETRAININGS.register_module()
@dataclass(frozen=True)
class CropClassification:
    """Cross-entropy over the 29 categories of `CATEGORIES` on object-centred crops.

    The encoder's last map is averaged over its pixels and goes through one linear layer, which is
    thrown away. Crops come from `web_scene`: streets by day in no domain's colours. Categories are
    drawn equally often.

    Attributes:
        scenes: photographs that crops are cut from.
        held_out: further photographs, on whose crops the accuracy is measured.
        iterations, batch_size: steps, and crops in each.
        crop: height and width of a crop in pixels.
        learning_rate, weight_decay, warmup: of AdamW, with half a cosine after the warm-up.
        label_smoothing: of the cross-entropy (Szegedy et al., 2016).
        seed: of scenes, crops, initial weights and order.
    """

    scenes: int
    held_out: int
    iterations: int
    batch_size: int
    crop: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup: int = 40
    label_smoothing: float = 0.05
    seed: int = 0

    def train(self, backbone: Mapping[str, Any], progress: Progress) -> Pretrained:
        """Train the encoder of the configuration ``backbone`` from random weights.

        Draws from torch's generator after seeding it; `progress` counts scenes and iterations.
        """
        total = self.scenes + self.held_out + self.iterations
        torch.manual_seed(self.seed)
        encoder = MODELS.build(dict(backbone))
        encoder = encoder.to(memory_format=torch.channels_last).train()
        classifier = nn.Linear(encoder.channels[-1], len(CATEGORIES))
        crops = self.crops(0, self.scenes, lambda done: progress(done, total))
        held_out = self.crops(
            self.scenes, self.held_out, lambda done: progress(self.scenes + done, total)
        )
        parameters = [*encoder.parameters(), *classifier.parameters()]
        optimizer = torch.optim.AdamW(
            parameters, lr=self.learning_rate, weight_decay=self.weight_decay
        )
        schedule = warm_cosine(optimizer, self.warmup, self.iterations)
        rng = np.random.default_rng((self.seed, 3))
        members = [np.nonzero(crops.labels == k)[0] for k in range(len(CATEGORIES))]
        seen = [k for k, found in enumerate(members) if len(found)]
        for step in range(self.iterations):
            wanted = rng.choice(seen, self.batch_size)
            chosen = np.array([rng.choice(members[k]) for k in wanted])
            images = _tensor(crops.images[chosen])
            flipped = torch.from_numpy(rng.random(len(chosen)) < 0.5)
            images = torch.where(flipped.view(-1, 1, 1, 1), images.flip(3), images)
            logits = classifier(_pooled(encoder, images))
            labels = torch.from_numpy(crops.labels[chosen])
            loss = F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            progress(total - self.iterations + step + 1, total)
        state = {k: v.detach().contiguous().clone() for k, v in encoder.state_dict().items()}
        return Pretrained(state, _measured(encoder.eval(), classifier, held_out))

    def crops(self, first: int, count: int, done: Any = lambda _: None) -> Crops:
        """The crops of ``count`` scenes from number ``first`` on: one of each visible category."""
        images, labels = [], []
        for index in range(first, first + count):
            scene = web_scene(self.seed, index, *_SCENE)
            rng = np.random.default_rng((self.seed, 4, index))
            for region in find_regions(CATEGORY_OF[scene.roles], rng, _LEAST_PIXELS, _LARGEST_SIDE):
                images.append(self._cut(scene.image_rgb, region, rng))
                labels.append(region.category)
            done(index - first + 1)
        return Crops(np.stack(images), np.array(labels, np.int64))

    def _cut(
        self, image: npt.NDArray[np.uint8], region: Region, rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        top, left, bottom, right = region.box
        wanted = max(bottom - top, right - left) * float(rng.uniform(*_CONTEXT))
        side = int(np.clip(wanted, *_CROP_SIDES))
        box = square((top + bottom) // 2, (left + right) // 2, side, *image.shape[:2])
        cut = image[box.top : box.bottom, box.left : box.right]
        how = cv2.INTER_AREA if cut.shape[0] > self.crop else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(cut, (self.crop, self.crop), interpolation=how), np.uint8)


def _tensor(images_nhwc: npt.NDArray[np.uint8]) -> Tensor:
    images = torch.from_numpy(images_nhwc).permute(0, 3, 1, 2)
    return normalized(images).contiguous(memory_format=torch.channels_last)


def _pooled(encoder: nn.Module, images: Tensor) -> Tensor:
    last: Tensor = encoder(images)[-1]
    return last.mean((2, 3))


def _measured(encoder: nn.Module, classifier: nn.Module, crops: Crops) -> dict[str, Any]:
    """Mean of the categories' accuracies on held-out crops; chance is one of the categories."""
    with torch.no_grad():
        found = torch.cat([
            classifier(_pooled(encoder, _tensor(crops.images[k : k + 64]))).argmax(1)
            for k in range(0, len(crops.labels), 64)
        ])  # fmt: skip
    right = found.numpy() == crops.labels
    present = np.unique(crops.labels)
    accuracies = [float(right[crops.labels == category].mean()) for category in present]
    return {
        "what": "accuracy on held-out crops, mean of the categories",
        "accuracy": round(float(np.mean(accuracies)), 4),
        "chance": round(1.0 / len(present), 4),
        "crops": len(crops.labels),
        "categories": {
            CATEGORIES[k]: round(accuracy, 4)
            for k, accuracy in zip(present, accuracies, strict=True)
        },
    }
