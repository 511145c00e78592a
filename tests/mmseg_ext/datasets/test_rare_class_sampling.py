"""Class probabilities from their formula, which images qualify, and when a crop is drawn anew."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import small_world
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.utils.data import DataLoader

from mmseg_ext.datasets.paired import PairedDataset
from mmseg_ext.datasets.position_sampler import PositionSampler
from mmseg_ext.datasets.rare_class_sampling import (
    RareClassRule,
    RareClassSampler,
    class_probabilities,
)
from mmseg_ext.errors import StatisticsError


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


def counts(**images):
    """An (N,19) array from ``name=(class, pixels, class, pixels, ...)``."""
    table = np.zeros((len(images), 19), np.int64)
    for row, pairs in zip(table, images.values(), strict=True):
        for c, pixels in zip(pairs[::2], pairs[1::2], strict=True):
            row[c] = pixels
    return table


@settings(max_examples=50, deadline=None)
@given(
    pixels=st.lists(st.integers(0, 10**7), min_size=19, max_size=19).filter(any),
    temperature=st.sampled_from([0.005, 0.01, 0.05, 1.0, 100.0]),
)
def test_probabilities_are_the_softmax_over_the_classes_that_occur(pixels, temperature):
    result = class_probabilities(np.array(pixels, np.int64), temperature)
    total = sum(pixels)
    logits = [(1 - n / total) / temperature if n else None for n in pixels]
    top = max(x for x in logits if x is not None)
    weights = [0.0 if x is None else math.exp(x - top) for x in logits]
    assert result == pytest.approx([w / sum(weights) for w in weights], rel=1e-9, abs=1e-300)


def test_the_limits_of_the_temperature():
    pixels = np.array([100, 50, 1, 0, *[0] * 15], np.int64)
    assert class_probabilities(pixels, math.inf).tolist() == pytest.approx([1 / 3] * 3 + [0] * 16)
    assert class_probabilities(pixels, 1e-6)[2] == pytest.approx(1.0)
    assert class_probabilities(pixels, 1e-6)[3] == 0.0  # absent, not rare
    with pytest.raises(ValueError, match="above 0"):
        class_probabilities(pixels, 0.0)
    with pytest.raises(StatisticsError, match="no label map"):
        class_probabilities(np.zeros(19, np.int64), 0.01)


def test_the_papers_example_of_two_classes():
    # f = 0.9 and 0.1, T = 0.1: the odds are e^((0.9 - 0.1) / 0.1)
    odds = class_probabilities(np.array([90, 10, *[0] * 17], np.int64), 0.1)
    assert odds[1] / odds[0] == pytest.approx(math.exp(8.0))


def test_an_image_qualifies_with_more_than_the_minimum():
    table = counts(a=(0, 5000, 6, 3000), b=(0, 5000, 6, 3001), c=(0, 3001))
    sampler = RareClassSampler(table, RareClassRule(min_pixels=3000))
    assert {c: images.tolist() for c, images in sampler.images.items()} == {0: [0, 1, 2], 6: [1]}
    drawn = {sampler.draw(np.random.default_rng(k)) for k in range(50)}
    assert {image for c, image in drawn if c == 6} == {1}


def test_a_class_that_no_image_shows_enough_of_is_named():
    table = counts(a=(0, 5000, 6, 3000))
    with pytest.raises(StatisticsError, match=r"more than 3000 pixels of traffic light.*3000"):
        RareClassSampler(table, RareClassRule(min_pixels=3000))


def test_classes_are_drawn_by_probability_and_images_uniformly():
    table = counts(a=(0, 90, 1, 5), b=(0, 90), c=(1, 5))
    sampler = RareClassSampler(table, RareClassRule(temperature=1.0, min_pixels=1))
    draws = Counter(sampler.draw(np.random.default_rng([3, k])) for k in range(4000))
    expected = class_probabilities(table.sum(0), 1.0)
    for c, images in ((0, (0, 1)), (1, (0, 2))):
        for image in images:
            assert draws[c, image] / 4000 == pytest.approx(expected[c] / 2, abs=0.03)
    assert sum(draws[c, i] for c, i in ((0, 2), (1, 1))) == 0


def sample(pixels):
    label = torch.zeros(1, 10, 10, dtype=torch.uint8)
    label.view(-1)[:pixels] = 6
    return {"data_samples": SegDataSample(gt_sem_seg=PixelData(data=label))}


@pytest.mark.parametrize(
    ("ratio", "shown", "loads"),
    [
        (0.5, [21], 1),  # more than 40 * 0.5 at once
        (0.5, [20, 20, 21, 99], 3),  # exactly the minimum is too little
        (0.5, [0, 0, 0, 0, 0], 4),  # the last redraw is taken whatever it shows
        (2.0, [80, 81], 2),
        (0.0, [0], 1),  # without a ratio no crop is looked at
    ],
)
def test_crops_are_drawn_anew_until_one_shows_enough(ratio, shown, loads):
    table = counts(a=(6, 100))
    rule = RareClassRule(min_pixels=40, min_crop_ratio=ratio, max_redraws=3)
    seen = []

    def load():
        seen.append(shown[len(seen)])
        return sample(seen[-1])

    taken = RareClassSampler(table, rule).crop(load, wanted=6)
    assert len(seen) == loads
    assert int((taken["data_samples"].gt_sem_seg.data == 6).sum()) == seen[-1]


RULE = {"temperature": 0.05, "min_pixels": 100, "min_crop_ratio": 0.5, "max_redraws": 10}


def pairs(root, seed=0, **changes):
    source = small_world.dataset(root, "source", flip=True)
    crop = {"type": "RandomCrop", "crop_size": (24, 24)}
    source["pipeline"].insert(2, crop)
    target = small_world.dataset(root, "target", labelled=False, flip=True)
    return PairedDataset(source, target, seed, rare_class_sampling={**RULE, **changes})


def test_a_position_gives_the_same_pair_in_any_order_and_any_process(domains):
    in_order = [pairs(domains)[k] for k in range(12)]
    dataset = pairs(domains)
    for k in (11, 2, 7, 0):
        again = dataset[k]
        for side in ("source", "target"):
            assert torch.equal(again[side]["inputs"], in_order[k][side]["inputs"])
    sampler = PositionSampler(dataset)
    sampler.start_after(4)
    loader = DataLoader(
        dataset, batch_size=2, sampler=sampler, num_workers=2, collate_fn=pseudo_collate
    )
    batch = next(iter(loader))
    for offset in range(2):
        assert torch.equal(
            batch["source"]["inputs"][offset], in_order[4 + offset]["source"]["inputs"]
        )


def test_the_requested_class_is_in_the_crop_and_travels_with_the_sample(domains):
    dataset = pairs(domains, min_crop_ratio=0.2, max_redraws=50)
    requested = Counter()
    for k in range(40):
        found = dataset[k]["source"]["data_samples"]
        requested[found.rare_class] += 1
        assert int((found.gt_sem_seg.data == found.rare_class).sum()) > 20
        name = Path(found.img_path).stem
        label = cv2.imread(str(domains / f"source/train/labels/{name}.png"), cv2.IMREAD_UNCHANGED)
        assert (label == found.rare_class).sum() > 100
    assert len(requested) > 5


def test_the_target_is_what_it_would_be_without_it(domains):
    plain = PairedDataset(
        small_world.dataset(domains, "source"),
        small_world.dataset(domains, "target", labelled=False, flip=True),
    )
    sampled = pairs(domains)
    for k in range(9):
        assert torch.equal(plain[k]["target"]["inputs"], sampled[k]["target"]["inputs"])


def test_an_unlabelled_source_is_refused(domains):
    with pytest.raises(StatisticsError, match="without labels"):
        PairedDataset(
            small_world.dataset(domains, "target", labelled=False), rare_class_sampling=RULE
        )
