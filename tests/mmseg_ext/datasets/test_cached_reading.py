"""Samples from a cache file against samples from the files themselves, and when it is not used."""

from __future__ import annotations

import copy
import os
import pickle
import shutil
from pathlib import Path

import cv2
import file_data
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from mmseg_ext.datasets import cached_reading, file_domain
from mmseg_ext.datasets.class_statistics import class_pixels
from mmseg_ext.datasets.image_cache import HEADER, INDEX, ImageCache
from mmseg_ext.datasets.image_cache_writing import build
from mmseg_ext.datasets.reading import ReadImage
from mmseg_ext.errors import ImageCacheError
from mmseg_ext.registry import DATASETS

MARGINS = {"type": "AttachValidPixels", "top": 100, "bottom": 240, "left": 30, "right": 60}


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")
    file_domain._scan.cache_clear()


@pytest.fixture
def root(tmp_path):
    return file_data.write(tmp_path / "game")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def make(config):
    return build(DATASETS.build({**config, "cache": None}), Path(config["cache"])).path


def is_used(dataset):
    return dataset._cached is not None


def with_margins(config):
    pipeline = copy.deepcopy(config["pipeline"])
    place = 2 if pipeline[1]["type"] == "ReadMappedLabel" else 1
    pipeline.insert(place, MARGINS)
    pipeline[-1] = {"type": "PackWithValidPixels"}
    return {**config, "pipeline": pipeline}


def assert_same(one, other):
    """Nested samples are equal in type, order of keys and every byte."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype
        assert one.stride() == other.stride()
        assert torch.equal(one, other)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.flags.writeable == other.flags.writeable
        assert np.array_equal(one, other)
    elif hasattr(one, "metainfo_items"):
        assert_same(dict(one.metainfo_items()), dict(other.metainfo_items()))
        assert_same(dict(one.items()), dict(other.items()))
    else:
        assert one == other


def drawn(dataset, times=3):
    np.random.seed(5)
    return [dataset[row] for _ in range(times) for row in range(len(dataset))]


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("margins", [True, False])
def test_samples_are_byte_for_byte_those_of_the_files(root, folder, labelled, margins, monkeypatch):
    config = file_data.config(root, folder, labelled=labelled)
    make(config)
    config = with_margins(config) if margins else config
    expected = drawn(DATASETS.build({**config, "cache": None}))
    dataset = DATASETS.build(config)
    monkeypatch.setattr(ReadImage, "transform", None)  # nobody reads the files any more
    for sample, other in zip(drawn(dataset), expected, strict=True):
        assert_same(sample, other)
        assert ("valid_pixels" in sample["data_samples"]) == margins
        assert ("gt_sem_seg" in sample["data_samples"]) == labelled


@pytest.mark.parametrize("length", [3, 4])
def test_the_results_are_those_of_the_replaced_transforms(root, folder, length):
    config = with_margins(file_data.config(root, folder))
    make(config)
    config["pipeline"] = config["pipeline"][:length]  # with the resize and without
    if length == 3:
        make(config)
    read = DATASETS.build({**config, "cache": None})
    cached = DATASETS.build(config)
    assert is_used(cached)
    for row in range(len(read)):
        one, other = read[row], cached[row]
        assert one["ori_shape"] == (100 + row % 3, 190 - 4 * (row % 2))
        assert type(other["ori_shape"][0]) is int
        assert_same(one, other)


@pytest.mark.parametrize("workers", [0, 2])
def test_pairs_with_rare_classes_are_the_same_in_loader_workers(root, folder, workers):
    source = file_data.config(root, folder)
    target = with_margins(file_data.config(root, folder, labelled=False))
    rule = {"temperature": 0.5, "min_pixels": 400, "min_crop_ratio": 0.5}
    samples = []
    make(source)
    make(target)
    for cache in (None, str(folder)):
        pair = {
            "type": "PairedDataset",
            "source": {**source, "cache": cache},
            "target": {**target, "cache": cache},
            "rare_class_sampling": rule,
        }
        dataset = DATASETS.build(pair)
        assert is_used(dataset.source) == is_used(dataset.target) == (cache is not None)
        loader = DataLoader(
            dataset,
            sampler=range(12),
            batch_size=None,
            num_workers=workers,
            multiprocessing_context="fork" if workers else None,
        )
        samples.append(list(loader))
    assert len({sample["source"]["data_samples"].rare_class for sample in samples[0]}) > 1
    assert_same(dict(enumerate(samples[0])), dict(enumerate(samples[1])))


def test_a_pickled_data_set_and_a_subset_read_the_right_samples(root, folder):
    config = file_data.config(root, folder)
    make(config)
    expected = drawn(DATASETS.build({**config, "cache": None}), 1)
    dataset = pickle.loads(pickle.dumps(DATASETS.build(config)))
    assert is_used(dataset)
    for sample, other in zip(drawn(dataset, 1), expected, strict=True):
        assert_same(sample, other)
    dataset.get_subset_([3, 1])
    assert dataset[0]["data_samples"].img_path.endswith("00003.png")
    np.random.seed(7)
    image = dataset[1]["inputs"]
    np.random.seed(7)
    assert torch.equal(image, DATASETS.build({**config, "cache": None})[1]["inputs"])


def test_class_statistics_still_count_labels_at_their_own_size(root, folder):
    config = file_data.config(root, folder)
    make(config)
    dataset = DATASETS.build(config)
    assert is_used(dataset)
    expected = class_pixels(DATASETS.build({**config, "cache": None}))
    assert expected[0].sum() > 96 * 54
    assert np.array_equal(class_pixels(dataset), expected)


def test_the_place_of_the_data_does_not_matter(root, folder, tmp_path):
    config = file_data.config(root, folder)
    make(config)
    root.rename(tmp_path / "moved")
    assert is_used(DATASETS.build({**config, "data_root": str(tmp_path / "moved")}))


def _rewrite(root):
    image = cv2.imread(str(root / "images/00001.png"))
    image[0, 0] ^= 1
    cv2.imwrite(str(root / "images/00001.png"), image)


def _touch_label(root):
    os.utime(root / "labels/00002.png", (1, 1))


def _remove_one(root):
    for kind in ("images", "labels"):
        (root / kind / "00004.png").unlink()


def _swap_names(root):
    for kind in ("images", "labels"):
        (root / kind / "00000.png").rename(root / kind / "hidden")
        (root / kind / "00003.png").rename(root / kind / "00000.png")
        (root / kind / "hidden").rename(root / kind / "00003.png")


@pytest.mark.parametrize("change", [_rewrite, _touch_label, _remove_one, _swap_names])
def test_a_cache_of_other_files_is_not_used(root, folder, change):
    config = file_data.config(root, folder)
    make(config)
    change(root)
    file_domain._scan.cache_clear()
    dataset = DATASETS.build(config)
    assert not is_used(dataset)
    assert_same(drawn(dataset)[1], drawn(DATASETS.build({**config, "cache": None}))[1])
    make(config)
    assert is_used(DATASETS.build(config))
    assert len(list(folder.iterdir())) == 1  # the new one replaced it


@pytest.mark.parametrize(
    ("place", "argument", "value"),
    [
        (1, "label_map", {7: 0}),
        (1, "fit", "resize"),
        (2, "keep_ratio", False),
        (2, "interpolation", "area"),
        (2, "scale", (97, 54)),
    ],
)
def test_a_cache_of_other_transforms_is_not_used(root, folder, place, argument, value):
    config = file_data.config(root, folder)
    make(config)
    config["pipeline"][place][argument] = value
    assert not is_used(DATASETS.build(config))


@pytest.mark.parametrize("library", ["cv2.__version__", "PIL.__version__"])
def test_a_cache_of_another_version_is_not_used(root, folder, library, monkeypatch):
    config = file_data.config(root, folder)
    make(config)
    monkeypatch.setattr(library, "0.0.1")
    assert not is_used(DATASETS.build(config))


def test_another_augmentation_and_margins_use_the_same_cache(root, folder):
    config = file_data.config(root, folder)
    make(config)
    config = with_margins(config)
    config["pipeline"].insert(-1, {"type": "PhotoMetricDistortion"})
    assert is_used(DATASETS.build(config))


def test_without_labels_no_file_with_labels_is_read(root, folder):
    labelled, unlabelled = (file_data.config(root, folder, labelled=each) for each in (True, False))
    path = make(labelled)
    assert not is_used(DATASETS.build(unlabelled))
    shutil.copy(path, folder / path.name.replace("-labelled", "-unlabelled"))
    assert not is_used(DATASETS.build(unlabelled))
    without = make(unlabelled)
    images = sum(stored.image.nbytes for stored in map(ImageCache(without).read, range(5)))
    assert without.stat().st_size == HEADER + 5 * INDEX.itemsize + images  # room for nothing else
    assert is_used(DATASETS.build(unlabelled))
    assert ImageCache(without).read(0).label is None


@pytest.mark.parametrize("length", [0, 1, 100, HEADER, HEADER + 50, -1])
def test_a_file_cut_short_is_not_used(root, folder, length):
    config = file_data.config(root, folder)
    path = make(config)
    os.truncate(path, length % path.stat().st_size)
    assert not is_used(DATASETS.build(config))
    make(config)
    assert is_used(DATASETS.build(config))


def test_a_flipped_bit_in_header_or_index_is_noticed(root, folder):
    config = file_data.config(root, folder)
    path = make(config)
    content = path.read_bytes()
    used = content[:HEADER].rstrip(b"\0")
    places = [*range(0, len(used), 7), *range(HEADER, HEADER + 5 * INDEX.itemsize, 5)]
    for number, place in enumerate(places):
        damaged = bytearray(content)
        damaged[place] ^= 1 << (number % 8)
        path.write_bytes(damaged)
        with pytest.raises(ImageCacheError, match="not a whole file"):
            ImageCache(path)


def test_a_flipped_bit_in_a_sample_is_found_by_its_checksum(root, folder):
    path = make(file_data.config(root, folder))
    assert ImageCache(path).damaged() == []
    content = bytearray(path.read_bytes())
    content[-1] ^= 16  # of the last label
    path.write_bytes(content)
    assert ImageCache(path).damaged() == [4]


def test_a_file_cut_short_while_open_is_an_error(root, folder):
    path = make(file_data.config(root, folder))
    cache = ImageCache(path)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(ImageCacheError, match="cut short"):
        cache.read(4)


def test_a_pipeline_that_begins_with_chance_has_nothing_to_cache(root, folder):
    config = file_data.config(root, folder)
    resize = config["pipeline"][2]
    for pipeline in (
        [config["pipeline"][0], resize, config["pipeline"][1]],  # label at its own size
        [{"type": "RandomFlip", "prob": 0.5}, *config["pipeline"]],
    ):
        dataset = DATASETS.build({**config, "pipeline": pipeline})
        assert cached_reading.fixed_part(dataset) == []
        with pytest.raises(ImageCacheError, match="nothing to cache"):
            build(dataset, folder)
