"""A domain straight from published files: order, labels, exclusions, and refusals by name."""

from __future__ import annotations

import json

import encodings_of as write
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmseg_ext.datasets import file_domain
from mmseg_ext.datasets.class_statistics import class_pixels
from mmseg_ext.errors import EmptyDomainError, ExtensionError, UnreadableFileError
from mmseg_ext.registry import DATASETS

LAYOUT = {"name": "official", "images": "images/{frame}.png", "labels": "labels/{frame}.png"}
LABELS = {f"{i}": np.full((8, 12), 7 + i, np.uint8) for i in (1, 2, 3)}
FILES = {
    **{f"images/{name}.png": write.photo(8, 12, seed=int(name)) for name in LABELS},
    **{f"labels/{name}.png": write.palette(ids) for name, ids in LABELS.items()},
}


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")
    file_domain._scan.cache_clear()


def build(root, labelled=True, **changes):
    layout = LAYOUT if labelled else {key: LAYOUT[key] for key in ("name", "images")}
    reader = {
        "type": "ReadMappedLabel",
        "decoder": "palette_index_png",
        "label_map": {8: 0, 9: 1},
        "values": list(range(35)),
    }
    return DATASETS.build(
        {
            "type": "FileDomainDataset",
            "domain": "made",
            "layouts": [layout],
            "data_root": str(root),
            "pipeline": [{"type": "ReadImage"}, *([reader] if labelled else [])],
            **changes,
        }
    )


@pytest.mark.parametrize("kind", ["folder", "zips", "one zip"])
def test_folders_and_archives_are_the_same_data(tmp_path, kind):
    if kind == "folder":
        write.tree(tmp_path, FILES)
    elif kind == "one zip":
        write.archive(tmp_path / "all.zip", {f"made/{k}": v for k, v in FILES.items()})
    else:
        for part in ("images", "labels"):
            files = {k: v for k, v in FILES.items() if k.startswith(part)}
            write.archive(tmp_path / f"01_{part}.zip", files)
    dataset = build(tmp_path)
    assert [dataset[i]["gt_seg_map"][0, 0] for i in range(3)] == [0, 1, 255]
    assert dataset[0]["img"].shape == (8, 12, 3)
    assert dataset.describe()["layout"] == "official"
    assert dataset.describe()["images"] == 3
    counts = class_pixels(dataset, tmp_path / "cache")
    assert counts[:, :2].tolist() == [[96, 0], [0, 96], [0, 0]]


def test_without_label_patterns_no_label_path_exists(tmp_path):
    dataset = build(write.tree(tmp_path, FILES), labelled=False)
    assert all("seg_map_path" not in dataset.get_data_info(i) for i in range(3))


def test_a_bad_file_is_left_out_even_if_its_label_is_missing(tmp_path):
    root = write.tree(tmp_path, {k: v for k, v in FILES.items() if k != "labels/2.png"})
    with pytest.raises(EmptyDomainError, match=r"1 of 3 images.*images/2\.png"):
        build(root)
    assert len(build(root, excluded=["2"])) == 2
    assert len(build(root, partly_labelled=True)) == 2
    with pytest.raises(EmptyDomainError, match="every image of made is excluded"):
        build(root, excluded=["1", "2", "3"])


def test_an_archive_that_is_not_whole_is_not_passed_over(tmp_path):
    write.tree(tmp_path, FILES)
    content = write.archive(tmp_path / "02_images.zip", FILES).read_bytes()
    (tmp_path / "02_images.zip").write_bytes(content[:-100])
    with pytest.raises(UnreadableFileError, match=r"02_images\.zip: not a whole zip archive"):
        build(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels/1.png", b""),
        ("labels/1.png", FILES["labels/1.png"][:-9]),
        ("labels/1.png", write.grey(np.full((8, 12), 99, np.uint8))),
        ("labels/1.png", write.rgb(LABELS["1"], LABELS["2"])),
        ("labels/1.png", write.palette(LABELS["1"].T.copy())),
        ("images/1.png", FILES["images/1.png"][:-9]),
        ("images/1.png", b"<html>"),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content):
    dataset = build(write.tree(tmp_path, {**FILES, name: content}))
    with pytest.raises(ExtensionError, match=name.replace(".", r"\.")):
        dataset[0]
    assert dataset[1]["gt_seg_map"][0, 0] == 1


def test_counts_follow_the_panoptic_file(tmp_path):
    """It says what the labels mean, though the label files themselves stay the same."""
    layout = {
        "name": "official",
        "images": "images/{frame}.png",
        "labels": "panoptic/{frame}.png",
        "segments": "panoptic.json",
    }
    reader = {
        "type": "ReadMappedLabel",
        "decoder": "coco_panoptic",
        "label_map": {8: 0, 9: 1},
        "values": list(range(35)),
    }
    write.tree(tmp_path, {"images/1.png": FILES["images/1.png"]})
    write.tree(tmp_path, {"panoptic/1.png": write.rgb(np.full((8, 12), 5, np.uint8))})
    for category, expected in ((8, [96, 0]), (9, [0, 96])):
        info = [{"id": 5, "category_id": category}]
        document = {"annotations": [{"file_name": "1.png", "segments_info": info}]}
        write.tree(tmp_path, {"panoptic.json": json.dumps(document).encode()})
        pipeline = [{"type": "ReadImage"}, reader]
        dataset = build(tmp_path, layouts=[layout], pipeline=pipeline)
        assert class_pixels(dataset, tmp_path / "cache")[0, :2].tolist() == expected
