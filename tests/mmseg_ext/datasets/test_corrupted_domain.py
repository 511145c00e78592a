"""Data sets of corrupted images: which there are, in which order, and their labels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmengine.registry import DefaultScope
from small_world import write_domain

import mmseg_ext.datasets.corrupted_domain  # noqa: F401  (registers)
from mmseg_ext.datasets.corruption import corrupted
from mmseg_ext.registry import DATASETS

CHOICE = {"corruptions": ["fog", "contrast"], "severities": [1, 4], "every": 2}
FOLDERS = {
    "type": "CorruptedDomainDataset",
    "images": "here/test/images",
    "labels": "here/test/labels",
}
FILES = {
    "type": "CorruptedFileDomainDataset",
    "layouts": [
        {
            "name": "own",
            "images": "here/{split}/images/{frame}.png",
            "labels": "here/{split}/labels/{frame}.png",
        }
    ],
    "where": {"split": "test"},
    "group": "split",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A domain of five test images."""
    folder = tmp_path_factory.mktemp("world")
    write_domain(folder / "here/test", 5, 0, 0)
    return folder


@pytest.fixture(scope="module", params=[FOLDERS, FILES], ids=["folders", "files"])
def dataset(request: pytest.FixtureRequest, root: Path) -> Any:
    steps = [{"type": "ReadImage"}, {"type": "ReadLabel"}, {"type": "CorruptImage"}]
    config = {**request.param, **CHOICE, "domain": "here", "data_root": str(root)}
    with DefaultScope.overwrite_default_scope("mmseg_ext"):
        return DATASETS.build({**config, "pipeline": steps})


def test_every_second_image_has_each_corruption_at_each_severity(dataset: Any) -> None:
    names = [Path(entry["img_path"]).stem for entry in dataset.data_list]
    assert names == 4 * ["000", "002", "004"]
    assert Counter(zip(dataset.groups, dataset.levels, strict=True)) == {
        ("fog", 1): 3, ("fog", 4): 3, ("contrast", 1): 3, ("contrast", 4): 3
    }  # fmt: skip


def test_pixels_are_corrupted_and_labels_are_not(dataset: Any, root: Path) -> None:
    for place in (11, 1, 4, 1):
        sample, entry = dataset[place], dataset.data_list[place]
        stem = Path(entry["img_path"]).stem
        plain = cv2.imread(str(root / f"here/test/images/{stem}.png"))
        label = cv2.imread(str(root / f"here/test/labels/{stem}.png"), cv2.IMREAD_UNCHANGED)
        expected = corrupted(plain, dataset.groups[place], dataset.levels[place], stem)
        assert np.array_equal(sample["img"], expected)
        assert not np.array_equal(sample["img"], plain)
        assert np.array_equal(sample["gt_seg_map"], label)
        assert sample["seg_fields"] == ["gt_seg_map"]
