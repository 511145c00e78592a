"""Counts against numpy on the files themselves, the cache, and what other projects' files mean."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import small_world
from mmengine.registry import init_default_scope

from mmseg_ext.datasets import class_statistics
from mmseg_ext.datasets.class_statistics import class_pixels, count_label
from mmseg_ext.datasets.foreign_statistics import _by_name, import_statistics
from mmseg_ext.errors import InvalidLabelError, StatisticsError
from mmseg_ext.registry import DATASETS


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


@pytest.fixture
def source(domains):
    return DATASETS.build(small_world.dataset(domains, "source", flip=True))


@pytest.fixture
def expected(domains):
    rows = []
    for path in sorted((domains / "source/train/labels").iterdir()):
        label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        rows.append([int((label == c).sum()) for c in range(19)])
    return np.array(rows)


def test_every_label_map_is_counted_at_its_own_size(source, expected, domains):
    path = domains / "source/train/labels/002.png"
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    label[:10] = 255
    cv2.imwrite(str(path), label)
    expected[2] = [(label == c).sum() for c in range(19)]
    counted = class_pixels(source)
    assert np.array_equal(counted, expected)
    assert counted[2].sum() == 54 * 64


def test_counts_of_a_huge_label_map_are_exact():
    label = np.zeros((4200, 4000), np.uint8)  # more pixels of one class than fp32 can count
    label[17, 5], label[4100, 30:33] = 3, 255
    counted = count_label(label)
    assert counted.tolist() == [4200 * 4000 - 4, 0, 0, 1, *[0] * 15]


def test_the_label_reader_of_the_pipeline_is_used(domains):
    (domains / "source/train/labels/004.png").write_bytes(
        cv2.imencode(".png", np.full((64, 64), 200, np.uint8))[1].tobytes()
    )
    with pytest.raises(InvalidLabelError, match=r"004\.png: values \[200\]"):
        class_pixels(DATASETS.build(small_world.dataset(domains, "source")))


def test_a_pipeline_that_reads_no_labels_is_named(domains):
    config = small_world.dataset(domains, "source")
    config["pipeline"] = [{"type": "ReadImage"}]
    with pytest.raises(StatisticsError, match="never reads label maps"):
        class_pixels(DATASETS.build(config))


def counter(monkeypatch):
    calls = []
    original = class_statistics._count
    monkeypatch.setattr(
        class_statistics, "_count", lambda *given: calls.append(1) or original(*given)
    )
    return calls


def test_counts_are_kept_until_a_file_changes(source, expected, domains, tmp_path, monkeypatch):
    calls = counter(monkeypatch)
    cache = tmp_path / "cache" / "statistics"
    assert np.array_equal(class_pixels(source, cache), expected)
    assert np.array_equal(class_pixels(source, cache), expected)
    assert len(calls) == 1
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:40])  # a crash of the machine cut it short
    assert np.array_equal(class_pixels(source, cache), expected)
    assert len(calls) == 2

    path = domains / "source/train/labels/000.png"
    cv2.imwrite(str(path), np.zeros((64, 64), np.uint8))
    expected[0] = [64 * 64] + [0] * 18
    assert np.array_equal(class_pixels(source, cache), expected)
    assert len(calls) == 3
    assert not list((domains / "source").rglob("*.npy"))


def test_the_same_data_elsewhere_shares_its_counts(source, domains, tmp_path, monkeypatch):
    calls = counter(monkeypatch)
    cache = tmp_path / "cache"
    class_pixels(source, cache)
    os.rename(domains, tmp_path / "moved")
    class_pixels(DATASETS.build(small_world.dataset(tmp_path / "moved", "source")), cache)
    assert len(calls) == 1


def rows(expected):
    return [{str(c): int(n) for c, n in enumerate(row) if n} for row in expected]


def daformer_list(expected):
    names = [f"data/gta/labels/{i:03d}_labelTrainIds.png" for i in range(len(expected))]
    entries = [{**row, "file": name} for row, name in zip(rows(expected), names, strict=True)]
    return entries[::-1]  # the order in the file means nothing


def daformer_dict(expected):
    return {entry.pop("file"): entry for entry in daformer_list(expected)}


def daformer_by_class(expected):
    found = {}
    for entry in daformer_list(expected):
        file = entry.pop("file")
        for c, n in entry.items():
            found.setdefault(c, []).append([file, n])
    return found


def positions(expected):
    return [{**row, "file": i} for i, row in enumerate(rows(expected))]


@pytest.mark.parametrize(
    "form", [daformer_list, daformer_dict, daformer_by_class, positions], ids=lambda f: f.__name__
)
def test_files_of_other_projects_give_what_counting_gives(source, expected, tmp_path, form):
    path = tmp_path / "stats.json"
    path.write_text(json.dumps(form(expected)))
    assert np.array_equal(import_statistics(path, source), expected)


def test_windows_paths_and_surplus_entries_do_no_harm(source, expected, tmp_path):
    entries = [*daformer_list(expected), {"0": 7, "file": "another/split/900_labelTrainIds.png"}]
    for entry in entries:
        entry["file"] = entry["file"].replace("/", "\\")
    path = tmp_path / "stats.json"
    path.write_text(json.dumps(entries))
    assert np.array_equal(import_statistics(path, source), expected)


def test_equal_names_in_different_folders_are_told_apart():
    found = {"x/a/1_labelTrainIds.png": {0: 1}, "x/b/1_labelTrainIds.png": {0: 2}}
    assert _by_name(Path("f"), found, ["b/1.png", "a/1.png"]) == [{0: 2}, {0: 1}]
    with pytest.raises(StatisticsError, match="cannot be told apart"):
        _by_name(Path("f"), {"a/1.png": {}, "a/1_labelIds.png": {}}, ["1.png"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda e: daformer_list(e)[1:], r"no entry for 1 of 7 label maps, such as 006\.png"),
        (lambda e: positions(e)[1:], "describes 6 label maps by their position.* has 7"),
        (lambda e: positions(np.roll(e, 1, axis=0)), r"disagrees with label map 000\.png"),
        (lambda e: [{"33": 1, "file": "a.png"}], r"classes \[33\] are not train ids"),
        (lambda e: [], "is empty"),
        (lambda e: [{"0": 3}], "not class statistics.*KeyError"),
        (lambda e: 5, "not class statistics"),
    ],
)
def test_a_file_that_does_not_fit_is_named(source, expected, tmp_path, spoil, message):
    path = tmp_path / "stats.json"
    path.write_text(json.dumps(spoil(expected)))
    with pytest.raises(StatisticsError, match=message) as caught:
        import_statistics(path, source)
    assert "stats.json" in str(caught.value)


def test_a_missing_file_is_named(source, tmp_path):
    with pytest.raises(StatisticsError, match=r"nowhere\.json.*FileNotFoundError"):
        import_statistics(tmp_path / "nowhere.json", source)
