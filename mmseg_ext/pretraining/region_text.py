"""Contrastive pre-training of a tower on regions and their phrases (the stand-in for CLIP).

From whole captions a prototype learnt the condition of a scene and little about objects. Here each
pair is one object: the patch tokens under its box, averaged, and a phrase that names it, as in
RegionCLIP (Zhong et al., "RegionCLIP: Region-based Language-Image Pretraining", CVPR 2022), with
the true boxes of the generator in place of proposals. So this is more supervision than CLIP has.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from open_clip import ClipLoss
from torch import Tensor, nn

from mmseg_ext.datasets.minidrive.web import web_scene
from mmseg_ext.encoders.timm_tower import timm_tower
from mmseg_ext.errors import EncoderError
from mmseg_ext.pretraining.categories import CATEGORIES, CATEGORY_OF
from mmseg_ext.pretraining.phrases import TEMPLATES, colour_name, phrase
from mmseg_ext.pretraining.recipe import PRETRAININGS, Pretrained, Progress, normalized, warm_cosine
from mmseg_ext.pretraining.regions import Box, find_regions
from mmseg_ext.pretraining.text_tower import TextTower

_SCENE = (64, 128)
_LEAST_PIXELS, _LARGEST_SIDE = 12, 24
_LARGEST_SCALE = math.log(100.0)


@dataclass(frozen=True)
class Pair:
    """One object of a photograph: its box, category, and phrase."""

    box: Box
    category: int
    phrase: str


@dataclass(frozen=True)
class Photographs:
    """Images (N, H, W, 3) RGB, and the pairs of each."""

    images: npt.NDArray[np.uint8]
    pairs: Sequence[Sequence[Pair]]


@PRETRAININGS.register_module()
@dataclass(frozen=True)
class RegionTextContrast:
    """open_clip's ``ClipLoss`` over regions of photographs and their phrases.

    Attributes:
        scenes: photographs (`web_scene`, 64x128) to train on.
        held_out: further photographs, for the scores.
        iterations, images: steps, and photographs in each.
        pairs: most pairs in a step; no phrase occurs twice among them.
        embedding: length of the shared features.
        text_layers: blocks of the text tower, which is as wide as the image tower.
        learning_rate, weight_decay, warmup: of AdamW, with half a cosine after the warm-up.
        seed: of scenes, phrases, initial weights and order.
    """

    scenes: int
    held_out: int
    iterations: int
    images: int
    pairs: int = 64
    embedding: int = 96
    text_layers: int = 2
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup: int = 40
    seed: int = 0

    def train(self, backbone: Mapping[str, Any], progress: Progress) -> Pretrained:
        """Train the tower of a ``TimmEncoder`` configuration from random weights.

        Draws from torch's generator after seeding it; `progress` counts scenes and iterations.

        Raises:
            EncoderError: ``backbone`` is no plain transformer of timm.
        """
        if backbone.get("type") != "TimmEncoder":
            raise EncoderError(
                f"RegionTextContrast pre-trains a TimmEncoder, not {backbone.get('type')!r}"
            )
        total = self.scenes + self.held_out + self.iterations
        photographs = self.photographs(0, self.scenes, lambda done: progress(done, total))
        held_out = self.photographs(
            self.scenes, self.held_out, lambda done: progress(self.scenes + done, total)
        )
        torch.manual_seed(self.seed)
        tower = timm_tower(backbone["model"], backbone.get("model_args")).network
        model = _ImageAndText(tower, self.embedding, self.text_layers).train()
        optimizer = torch.optim.AdamW(
            _groups(model, self.weight_decay), lr=self.learning_rate, betas=(0.9, 0.98), fused=True
        )
        schedule = warm_cosine(optimizer, self.warmup, self.iterations)
        criterion = ClipLoss()
        rng = np.random.default_rng((self.seed, 5))
        for step in range(self.iterations):
            numbers = rng.choice(self.scenes, self.images, replace=False)
            flip = bool(rng.random() < 0.5)
            chosen = _distinct(photographs, numbers, self.pairs, rng)
            regions = model.regions(photographs.images[numbers], chosen, flip)
            texts = F.normalize(model.text([pair.phrase for _, pair in chosen]), dim=1)
            loss = criterion(regions, texts, model.scale.exp())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                model.scale.clamp_(0.0, _LARGEST_SCALE)
            progress(total - self.iterations + step + 1, total)
        model.eval()
        return Pretrained(
            _state(tower),
            _measured(model, held_out, self.pairs),
            {"text": _state(model.text), "projection": _state(model.projection)},
        )

    def photographs(self, first: int, count: int, done: Any = lambda _: None) -> Photographs:
        """``count`` scenes from number ``first`` on with a pair for each visible category."""
        images, pairs = [], []
        for index in range(first, first + count):
            scene = web_scene(self.seed, index, *_SCENE)
            rng = np.random.default_rng((self.seed, 6, index))
            categories = CATEGORY_OF[scene.roles]
            found = []
            for category, box in find_regions(categories, rng, _LEAST_PIXELS, _LARGEST_SIDE):
                place = np.s_[box.top : box.bottom, box.left : box.right]
                colour = colour_name(scene.image_rgb[place][categories[place] == category])
                found.append(Pair(box, category, phrase(CATEGORIES[category], colour, rng)))
            images.append(scene.image_rgb)
            pairs.append(found)
            done(index - first + 1)
        return Photographs(np.stack(images), pairs)


class _ImageAndText(nn.Module):
    """Image tower with a projection of its tokens, text tower, and CLIP's learnt scale."""

    def __init__(self, tower: Any, embedding: int, text_layers: int) -> None:
        super().__init__()
        self.tower = tower
        self.projection = nn.Linear(tower.embed_dim, embedding, bias=False)
        self.text = TextTower(tower.embed_dim, text_layers, embedding)
        self.scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def regions(
        self,
        images_nhwc: npt.NDArray[np.uint8],
        chosen: Sequence[tuple[int, Pair]],
        flip: bool = False,
    ) -> Tensor:
        """Unit features (P, embedding) of regions, each given with the number of its image."""
        images = normalized(torch.from_numpy(images_nhwc).permute(0, 3, 1, 2))
        tokens = self.tower.forward_features(images.flip(3) if flip else images)
        patches = self.projection(tokens[:, self.tower.num_prefix_tokens :])
        height, width = images.shape[2:]
        rows, columns = (side // self.tower.patch_embed.patch_size[0] for side in (height, width))
        weights = torch.stack([
            box_weights(pair.box, height, width, rows, columns) for _, pair in chosen
        ])  # fmt: skip
        if flip:
            weights = weights.flip(2)
        owners = torch.tensor([number for number, _ in chosen])
        pooled = torch.einsum("pn,pnc->pc", weights.flatten(1), patches[owners])
        return F.normalize(pooled, dim=1)


def box_weights(box: Box, height: int, width: int, rows: int, columns: int) -> Tensor:
    """Share of a box's area in each of ``rows`` x ``columns`` cells of an image; sums to 1."""

    def overlap(low: int, high: int, length: int, cells: int) -> Tensor:
        edges = torch.linspace(0.0, length, cells + 1)
        return (edges[1:].clamp(max=high) - edges[:-1].clamp(min=low)).clamp(min=0.0)

    area = torch.outer(
        overlap(box.top, box.bottom, height, rows), overlap(box.left, box.right, width, columns)
    )
    return area / area.sum()


def _distinct(
    photographs: Photographs, numbers: Iterable[int], most: int, rng: np.random.Generator
) -> list[tuple[int, Pair]]:
    """Pairs of some images in random order, without a phrase that came before.

    ``ClipLoss`` takes every other text as wrong, which an equal phrase is not.
    """
    every = [(k, pair) for k, number in enumerate(numbers) for pair in photographs.pairs[number]]
    chosen: dict[str, tuple[int, Pair]] = {}
    for place in rng.permutation(len(every)):
        chosen.setdefault(every[place][1].phrase, every[place])
    return list(chosen.values())[:most]


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """As CLIP: gains, biases and the scale are not decayed."""
    matrices = [each for each in model.parameters() if each.ndim > 1]
    others = [each for each in model.parameters() if each.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def _state(module: nn.Module) -> dict[str, Tensor]:
    return {name: v.detach().contiguous().clone() for name, v in module.state_dict().items()}


@torch.no_grad()
def _measured(model: _ImageAndText, photographs: Photographs, most: int) -> dict[str, Any]:
    """Naming of held-out regions from prompts, and retrieval among distinct phrases."""
    rng = np.random.default_rng(0)
    names = model.text.prompts(CATEGORIES, TEMPLATES)
    right: dict[int, list[bool]] = {}
    hits, asked, chance = 0, 0, 0.0
    for first in range(0, len(photographs.images), 16):
        numbers = range(first, min(first + 16, len(photographs.images)))
        images = photographs.images[first : first + 16]
        every = [(k, pair) for k, n in enumerate(numbers) for pair in photographs.pairs[n]]
        found = (model.regions(images, every) @ names.T).argmax(1)
        for (_, pair), name in zip(every, found.tolist(), strict=True):
            right.setdefault(pair.category, []).append(name == pair.category)
        chosen = _distinct(photographs, numbers, most, rng)
        texts = F.normalize(model.text([pair.phrase for _, pair in chosen]), dim=1)
        best = (model.regions(images, chosen) @ texts.T).argmax(1)
        hits += int((best == torch.arange(len(chosen))).sum())
        asked += len(chosen)
        chance += 1.0
    named = {CATEGORIES[k]: round(float(np.mean(v)), 4) for k, v in sorted(right.items())}
    return {
        "what": "held-out regions: the name from prompts, mean of the categories; and the phrase "
        f"among the distinct ones of 16 photographs (R@1, at most {most})",
        "accuracy": round(float(np.mean([np.mean(v) for v in right.values()])), 4),
        "chance": round(1.0 / len(CATEGORIES), 4),
        "recall_at_1": round(hits / asked, 4),
        "recall_chance": round(chance / asked, 4),
        "regions": sum(map(len, right.values())),
        "categories": named,
    }
