"""Pairs are a function of seed and position, and target labels have no way in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import small_world
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from mmseg_ext.datasets.paired import PairedDataset
from mmseg_ext.datasets.position_sampler import PositionSampler
from mmseg_ext.errors import EmptyDomainError, TargetLabelsSeenError
from mmseg_ext.registry import DATASETS


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


def pairs(root, seed=0):
    return PairedDataset(
        small_world.dataset(root, "source", flip=True),
        small_world.dataset(root, "target", labelled=False, flip=True),
        seed,
    )


def same(first, second):
    return all(
        torch.equal(first[side]["inputs"], second[side]["inputs"])
        and first[side]["data_samples"].img_path == second[side]["data_samples"].img_path
        for side in ("source", "target")
    )


def test_a_position_can_be_asked_for_in_any_order(domains):
    in_order = [pairs(domains)[k] for k in range(20)]
    dataset = pairs(domains)
    for k in (19, 3, 7, 0, 12):
        assert same(dataset[k], in_order[k])
    other_seed = pairs(domains, seed=1)
    assert not all(same(in_order[k], other_seed[k]) for k in range(20))


def test_each_pass_shows_every_image_once_and_pairs_them_anew(domains):
    dataset = pairs(domains)
    seen = [
        [tuple(Path(dataset[k][s]["data_samples"].img_path).name for s in ("source", "target"))
         for k in range(start, start + 7)]
        for start in (0, 7)
    ]  # fmt: skip
    for one_pass in seen:
        for side in (0, 1):
            assert Counter(pair[side] for pair in one_pass) == Counter(
                f"{i:03d}.png" for i in range(7)
            )
    assert set(seen[0]) != set(seen[1])


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_worker_processes_or_on_where_they_start(domains, workers):
    dataset = pairs(domains)
    sampler = PositionSampler(dataset)
    sampler.start_after(4)
    loader = DataLoader(
        dataset, batch_size=2, sampler=sampler, num_workers=workers, collate_fn=pseudo_collate
    )
    batch = next(iter(loader))
    for offset in range(2):
        expected = dataset[4 + offset]
        for side in ("source", "target"):
            assert torch.equal(batch[side]["inputs"][offset], expected[side]["inputs"])


def test_the_callers_random_state_is_left_alone(domains):
    dataset = pairs(domains)
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    dataset[0]
    assert np.array_equal(np.random.random(3), expected)


def test_the_target_has_no_label_path_at_all(domains):
    target = pairs(domains).target
    assert "seg_map_path" not in target.get_data_info(0)
    assert "gt_sem_seg" not in target[0]["data_samples"]


def test_a_target_with_labels_is_refused(domains):
    dataset = PairedDataset(
        small_world.dataset(domains, "source"), small_world.dataset(domains, "target")
    )
    with pytest.raises(TargetLabelsSeenError, match="labels=None"):
        dataset[0]


def test_flips_move_image_and_label_together(domains):
    dataset = DATASETS.build(small_world.dataset(domains, "source", flip=True))
    plain = DATASETS.build(small_world.dataset(domains, "source"))
    flipped = 0
    for k in range(7):
        one, other = dataset[k], plain[k]
        label, truth = (s["data_samples"].gt_sem_seg.data for s in (one, other))
        if not torch.equal(one["inputs"], other["inputs"]):
            flipped += 1
            assert torch.equal(one["inputs"], other["inputs"].flip(-1))
            truth = truth.flip(-1)
        assert torch.equal(label, truth)
    assert flipped


def test_an_empty_folder_and_a_missing_label_are_named(domains):
    with pytest.raises(EmptyDomainError, match="no images of domain nowhere"):
        DATASETS.build(small_world.dataset(domains, "nowhere"))
    (domains / "source/train/labels/003.png").unlink()
    with pytest.raises(EmptyDomainError, match=r"003\.png: missing"):
        DATASETS.build(small_world.dataset(domains, "source"))
