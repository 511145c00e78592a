"""Several sources trained on as one: a concatenation, with the statistics of the union."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import file_data
import numpy as np
import pytest
import small_world
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from mmseg_ext.datasets import file_domain
from mmseg_ext.datasets.class_statistics import class_pixels
from mmseg_ext.datasets.image_cache_writing import build
from mmseg_ext.datasets.joint import IgnoreOtherClasses, JointPairedDataset, joint_class_pixels
from mmseg_ext.datasets.paired import PairedDataset
from mmseg_ext.datasets.position_sampler import PositionSampler
from mmseg_ext.datasets.reading import ReadImage
from mmseg_ext.errors import StatisticsError, TargetLabelsSeenError
from mmseg_ext.registry import DATASETS

KEPT = [c for c in range(19) if c not in (9, 14, 16)]
RULE = {"temperature": 0.05, "min_pixels": 100, "min_crop_ratio": 0.5, "max_redraws": 10}


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")
    file_domain._scan.cache_clear()


@pytest.fixture
def world(domains):
    """The domains ``source`` and ``target`` with seven training images, and ``other`` with four."""
    small_world.write_domain(domains / "other" / "train", 4, seed=3, shift=10)
    return domains


def labelled(root, name, *, kept=None, flip=False):
    config = small_world.dataset(root, name, flip=flip)
    if kept is not None:
        config["pipeline"].insert(2, {"type": "IgnoreOtherClasses", "classes": kept})
    return config


def joint(root, names=("source", "other"), *, seed=0, kept=None, rule=None):
    return JointPairedDataset(
        [labelled(root, name, kept=kept, flip=True) for name in names],
        small_world.dataset(root, "target", labelled=False, flip=True),
        seed,
        rule,
    )


def origin(sample):
    """Domain and file name of a sample's image."""
    path = Path(sample["data_samples"].img_path)
    return path.parents[2].name, path.name


def labels(root, *names):
    """The label maps of domains as their files hold them, in the order of the union."""
    files = [f for n in names for f in sorted((root / n / "train/labels").iterdir())]
    return [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in files]


def same(one, other):
    return all(
        torch.equal(one[side]["inputs"], other[side]["inputs"])
        and origin(one[side]) == origin(other[side])
        for side in ("source", "target")
    )


def test_images_are_numbered_source_after_source_in_the_order_given(world):
    for names, counts in ((("source", "other"), (7, 4)), (("other", "source"), (4, 7))):
        source = joint(world, names).source
        expected = [
            (name, f"{index:03d}.png")
            for name, count in zip(names, counts, strict=True)
            for index in range(count)
        ]
        assert [origin(source[index]) for index in range(len(source))] == expected


def test_each_pass_shows_every_image_of_every_source_once(world):
    dataset = joint(world)
    assert len(dataset) == 11
    passes = [[origin(dataset[k]["source"]) for k in range(a, a + 11)] for a in (0, 11)]
    whole = {("source", f"{i:03d}.png"): 1 for i in range(7)}
    whole |= {("other", f"{i:03d}.png"): 1 for i in range(4)}
    assert [Counter(each) for each in passes] == [whole, whole]
    assert passes[0] != passes[1]


@pytest.mark.parametrize("rule", [None, RULE])
def test_a_position_gives_the_same_pair_in_any_order_and_any_process(world, rule):
    in_order = [joint(world, rule=rule)[k] for k in range(14)]
    dataset = joint(world, rule=rule)
    assert all(same(dataset[k], in_order[k]) for k in (13, 2, 11, 0))
    other_seed = joint(world, seed=1, rule=rule)
    assert not all(same(other_seed[k], in_order[k]) for k in range(14))
    sampler = PositionSampler(dataset)
    sampler.start_after(4)
    loader = DataLoader(
        dataset, batch_size=2, sampler=sampler, num_workers=2, collate_fn=pseudo_collate
    )
    batch = next(iter(loader))
    for offset in range(2):
        for side in ("source", "target"):
            assert torch.equal(batch[side]["inputs"][offset], in_order[4 + offset][side]["inputs"])


@pytest.mark.parametrize("rule", [None, RULE])
def test_one_source_alone_gives_the_samples_of_a_paired_data_set(world, rule):
    alone = joint(world, ("source",), rule=rule)
    target = small_world.dataset(world, "target", labelled=False, flip=True)
    paired = PairedDataset(labelled(world, "source", flip=True), target, 0, rule)
    assert alone.metainfo == paired.metainfo
    for k in range(12):
        assert same(alone[k], paired[k])
        theirs = paired[k]["source"]["data_samples"]
        ours = alone[k]["source"]["data_samples"]
        assert torch.equal(ours.gt_sem_seg.data, theirs.gt_sem_seg.data)
        assert ours.get("rare_class") == theirs.get("rare_class")


def test_the_target_is_paired_as_with_one_source(world):
    target = small_world.dataset(world, "target", labelled=False, flip=True)
    paired = PairedDataset(labelled(world, "source"), target, 0)
    dataset = joint(world)
    for k in range(9):
        assert torch.equal(dataset[k]["target"]["inputs"], paired[k]["target"]["inputs"])
        assert "gt_sem_seg" not in dataset[k]["target"]["data_samples"]
    assert "seg_map_path" not in dataset.target.get_data_info(0)


def test_a_target_with_labels_is_refused(world):
    sources = [labelled(world, name) for name in ("source", "other")]
    with pytest.raises(TargetLabelsSeenError, match="labels=None"):
        JointPairedDataset(sources, small_world.dataset(world, "target"))[0]


def test_rare_classes_are_those_of_the_union(world):
    sampler = joint(world, rule=RULE)._rare_classes
    maps = labels(world, "source", "other")
    pixels = np.array([sum(int((each == c).sum()) for each in maps) for c in range(19)])
    weight = np.exp((1 - pixels / pixels.sum()) / RULE["temperature"])
    assert np.allclose(sampler.probabilities, weight / weight.sum())
    for c in range(19):
        expected = [i for i, each in enumerate(maps) if (each == c).sum() > RULE["min_pixels"]]
        assert sampler.images[c].tolist() == expected


def test_drawn_images_show_the_class_that_was_asked_for(world):
    dataset, seen = joint(world, rule=RULE), Counter()
    for k in range(60):
        sample = dataset[k]["source"]
        domain, name = origin(sample)
        label = cv2.imread(str(world / domain / "train/labels" / name), cv2.IMREAD_UNCHANGED)
        assert (label == sample["data_samples"].rare_class).sum() > RULE["min_pixels"]
        seen[domain] += 1
    assert set(seen) == {"source", "other"}


def test_classes_that_are_ignored_reach_no_sample_and_no_statistics(world):
    dataset = joint(world, kept=KEPT, rule=RULE)
    maps = labels(world, "source", "other")
    table = np.where(np.isin(np.arange(256), KEPT), np.arange(256), 255)
    assert any((each == 9).any() for each in maps)
    plain = JointPairedDataset([labelled(world, n, kept=KEPT) for n in ("source", "other")])
    for index, label in enumerate(maps):
        found = plain.source[index]["data_samples"].gt_sem_seg.data[0].numpy()
        assert np.array_equal(found, table[label])
    sampler = dataset._rare_classes
    assert set(sampler.classes) == set(KEPT)
    pixels = np.array([sum(int((each == c).sum()) for each in maps) for c in KEPT])
    weight = np.exp((1 - pixels / pixels.sum()) / RULE["temperature"])
    assert np.allclose(sampler.probabilities[KEPT], weight / weight.sum())
    assert {dataset[k]["source"]["data_samples"].rare_class for k in range(60)} <= set(KEPT)


def test_counts_are_kept_for_each_source_and_serve_it_alone(world, tmp_path):
    cache = tmp_path / "counts"
    parts = [DATASETS.build(labelled(world, name, kept=KEPT)) for name in ("source", "other")]
    found = joint_class_pixels(parts, cache)
    kept = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert sorted(path.name.split("-")[0] for path in kept) == ["other", "source"]
    for name, rows in (("source", found[:7]), ("other", found[7:])):
        alone = class_pixels(DATASETS.build(labelled(world, name)), cache)
        assert np.array_equal(alone[:, KEPT], rows[:, KEPT])
        assert alone[:, 9].any()
        assert not rows[:, 9].any()
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == kept


def test_statistics_may_be_imported_for_some_sources(world, tmp_path):
    rows = [
        {"file": f"x/{i:03d}.png"} | {str(c): int((each == c).sum()) for c in np.unique(each)}
        for i, each in enumerate(labels(world, "other"))
    ]
    file = tmp_path / "sample_class_stats.json"
    file.write_text(json.dumps(rows))
    parts = [DATASETS.build(labelled(world, name)) for name in ("source", "other")]
    counted = joint_class_pixels(parts)
    assert np.array_equal(joint_class_pixels(parts, statistics=[None, file]), counted)
    imported = joint(world, rule={**RULE, "statistics": [None, str(file)]})._rare_classes
    assert np.array_equal(
        imported.probabilities, joint(world, rule=RULE)._rare_classes.probabilities
    )
    with pytest.raises(StatisticsError, match=r"1 files for 2 sources; give one for each"):
        joint_class_pixels(parts, statistics=[file])
    with pytest.raises(StatisticsError, match=r"one file, .*stats\.json, but there are 2 sources"):
        joint(world, rule={**RULE, "statistics": str(file)})


def test_cached_images_are_those_of_the_files(tmp_path, monkeypatch):
    folder, sources = tmp_path / "cache", []
    for seed, name in enumerate(("game", "film")):
        config = file_data.config(file_data.write(tmp_path / name, count=3 + seed, seed=seed))
        config["domain"] = name
        build(DATASETS.build(config), folder)
        config["pipeline"].insert(3, {"type": "IgnoreOtherClasses", "classes": [0, 2, 13]})
        sources.append(config)
    read = JointPairedDataset(sources)
    cached = JointPairedDataset([{**each, "cache": str(folder)} for each in sources])
    expected = [read[k]["source"] for k in range(14)]
    monkeypatch.setattr(ReadImage, "transform", None)  # nobody reads the files any more
    for k, one in enumerate(expected):
        other = cached[k]["source"]
        assert torch.equal(one["inputs"], other["inputs"])
        label = one["data_samples"].gt_sem_seg.data
        assert torch.equal(label, other["data_samples"].gt_sem_seg.data)
        assert set(label.unique().tolist()) <= {0, 2, 13, 255}


def test_no_source_is_an_error():
    with pytest.raises(ValueError, match="source is empty, expected at least one labelled"):
        JointPairedDataset([])


@pytest.mark.parametrize("classes", [[], [3, 3], [19], [-1]])
def test_classes_that_are_no_train_ids_are_refused(classes):
    with pytest.raises(ValueError, match="expected different train ids"):
        IgnoreOtherClasses(classes)
