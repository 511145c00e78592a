"""Real files of the data sets, where they are at hand: they decode and map as published."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from PIL import Image

from benchmark import registry
from mmseg_ext.datasets.class_statistics import class_pixels
from mmseg_ext.datasets.classes import CLASSES
from mmseg_ext.datasets.decoders import DECODERS, Context
from mmseg_ext.datasets.file_domain import FileDomainDataset
from mmseg_ext.datasets.mapped_label import ReadMappedLabel
from mmseg_ext.datasets.reading import ReadImage

VOID = 255
CROP = "__CRyFzoDOXn6unQ6a3DnQ"


def reader(dataset: str, variant: str = "default") -> ReadMappedLabel:
    fragment = registry.find("dataset", dataset)
    return ReadMappedLabel(
        fragment.require("decoder"),
        fragment.require("label_maps")[variant],
        list(fragment.require("values")),
    )


def dataset_in(root: Path, name: str, variant: str = "default", **where: str) -> FileDomainDataset:
    """A data set as a training with its labels has it."""
    init_default_scope("mmseg_ext")
    fragment = registry.find("dataset", name)
    label_reader = {
        "type": "ReadMappedLabel",
        "decoder": fragment.require("decoder"),
        "label_map": fragment.require("label_maps")[variant],
        "values": list(fragment.require("values")),
    }
    return FileDomainDataset(
        domain=name,
        layouts=fragment.require("layouts"),
        placeholders=fragment.require("placeholders"),
        where=where,
        data_root=str(root),
        pipeline=[{"type": "ReadImage"}, label_reader, {"type": "PackSegInputs"}],
    )


def decoded(dataset: str, path: Path) -> np.ndarray[Any, Any]:
    decode = DECODERS[registry.find("dataset", dataset).require("decoder")]
    return decode(path.read_bytes(), Context(str(path)))


def values_of(array: np.ndarray[Any, Any]) -> set[int]:
    return set(np.unique(array).tolist())


@pytest.fixture(scope="module")
def expected_pixels(real_samples: Path) -> np.ndarray[Any, Any]:
    """Pixels of each class in the two frames, as tue-mps/vfm-uda-plusplus publishes them."""
    path = real_samples / "rcs_stats/cityscapes_sample_class_stats.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    assert [entry["file"] for entry in entries[:2]] == [0, 1]
    rows = [[entry.get(str(c), 0) for c in range(len(CLASSES))] for entry in entries[:2]]
    return np.array(rows, np.int64)


@pytest.mark.parametrize("above", ["", "zip-named"])
def test_cityscapes_in_linked_folders(
    above: str, real_samples: Path, tmp_path: Path, expected_pixels: np.ndarray[Any, Any]
) -> None:
    for part, package in (("leftImg8bit", "leftImg8bit_trainvaltest"), ("gtFine", "gtFine")):
        folder = tmp_path / package if above else tmp_path
        folder.mkdir(exist_ok=True)
        (folder / part).symlink_to(real_samples / "cityscapes" / part)
    dataset = dataset_in(tmp_path, "cityscapes", split="train")
    assert dataset.describe()["layout"] == "official"
    np.testing.assert_array_equal(class_pixels(dataset), expected_pixels)
    sample = dataset[0]
    assert sample["inputs"].shape == (3, 1024, 2048)
    assert sample["data_samples"].gt_sem_seg.data.shape == (1, 1024, 2048)


def test_cityscapes_in_archives(
    real_samples: Path, tmp_path: Path, expected_pixels: np.ndarray[Any, Any]
) -> None:
    source = real_samples / "cityscapes"
    for part, compression in (
        ("leftImg8bit", zipfile.ZIP_STORED),
        ("gtFine", zipfile.ZIP_DEFLATED),
    ):
        path = tmp_path / f"{part}_trainvaltest.zip"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for file in sorted((source / part).rglob("*.png")):
                archive.write(file, file.relative_to(source))
    dataset = dataset_in(tmp_path, "cityscapes", split="train")
    np.testing.assert_array_equal(class_pixels(dataset), expected_pixels)
    image = ReadImage().transform({"img_path": dataset.get_data_info(1)["img_path"]})["img"]
    name = "leftImg8bit/train/aachen/aachen_000001_000019_leftImg8bit.png"
    expected = np.asarray(Image.open(source / name).convert("RGB"))
    np.testing.assert_array_equal(image[:, :, ::-1], expected)


# Building, street light and pole: in the order of 17, 44 and 45.
MAPILLARY = {
    "robustnet": (2, VOID, 5),
    "openseg": (2, 5, 5),
    "rba_bravo": (2, VOID, 5),
    "mcgill_bravo": (2, VOID, 5),
    "wilddash": (2, VOID, VOID),
}


@pytest.mark.parametrize("variant", MAPILLARY)
def test_mapillary_crop_by_every_variant(variant: str, real_samples: Path) -> None:
    path = real_samples / f"mapillary/v1.2/{CROP}.png"
    raw = decoded("mapillary-v1.2", path)
    assert raw.shape == (100, 100)
    assert values_of(raw) == {17, 44, 45}
    label = reader("mapillary-v1.2", variant).read(str(path))
    for value, expected in zip((17, 44, 45), MAPILLARY[variant], strict=True):
        assert values_of(label[raw == value]) == {expected}


def test_mapillary_crop_with_labels_of_version_2(real_samples: Path) -> None:
    path = real_samples / f"mapillary/v2.0/{CROP}.png"
    raw = decoded("mapillary-v2.0", path)
    assert values_of(raw) == {27, 84, 85}
    label = reader("mapillary-v2.0", "robustnet_like").read(str(path))
    old = real_samples / f"mapillary/v1.2/{CROP}.png"
    np.testing.assert_array_equal(label, reader("mapillary-v1.2", "robustnet").read(str(old)))


def test_mapillary_package_of_version_2(real_samples: Path, tmp_path: Path) -> None:
    """Both versions of the labels are read from one folder, each by its own data set."""
    source = real_samples / "mapillary"
    folder = tmp_path / "validation"
    (folder / "v1.2").mkdir(parents=True)
    (folder / "v2.0").mkdir()
    (folder / "images").symlink_to(source / "images")
    (folder / "v1.2/labels").symlink_to(source / "v1.2")
    (folder / "v2.0/labels").symlink_to(source / "v2.0")
    pixels = [
        class_pixels(dataset_in(tmp_path, name, variant, split="validation"))
        for name, variant in (("mapillary-v1.2", "robustnet"), ("mapillary-v2.0", "robustnet_like"))
    ]
    np.testing.assert_array_equal(*pixels)
    assert pixels[0].sum() > 0


@pytest.mark.parametrize(("version", "file"), [("1.2", "v1p2"), ("2.0", "v2p0")])
def test_mapillary_names_and_palette(version: str, file: str, real_samples: Path) -> None:
    config = real_samples / f"mapillary/mapillary-config-{file}.json"
    labels = json.loads(config.read_text(encoding="utf-8"))["labels"]
    names = registry.find("dataset", f"mapillary-v{version}").require("id_names")
    assert list(names) == [label["readable"] for label in labels]
    assert len(names) == {"1.2": 66, "2.0": 124}[version]
    palette = Image.open(real_samples / f"mapillary/v{version}/{CROP}.png").getpalette()
    assert palette is not None
    colours = np.array(palette).reshape(-1, 3)[: len(labels)].tolist()
    assert colours == [label["color"] for label in labels]


@pytest.mark.parametrize(
    ("file", "expected"),
    [("semseg_mask.png", {13, VOID}), ("0.png", {0, 1, 2, 5, 6, 7, 8, 9, 10, 13, 14})],
)
def test_bdd100k_masks(file: str, expected: set[int], real_samples: Path) -> None:
    """The second is a palette PNG, whose indices are the ids."""
    path = real_samples / "bdd100k" / file
    raw = decoded("bdd100k", path)
    assert raw.shape == (720, 1280)
    assert values_of(raw) == expected
    np.testing.assert_array_equal(reader("bdd100k").read(str(path)), raw)
    with Image.open(path) as image:
        np.testing.assert_array_equal(raw, np.asarray(image))


def test_wilddash_table_is_the_published_policy(real_samples: Path) -> None:
    path = real_samples / "wilddash2/wd2_unified_label_policy.json"
    policy = json.loads(path.read_text(encoding="utf-8"))
    mapping = policy["mapping"]
    fragment = registry.find("dataset", "wilddash2")
    assert [row["wd2_name"] for row in mapping] == list(fragment.require("id_names"))
    assert [label["id"] for label in policy["per_ds"]["wd2"]] == list(range(81))
    label_map = fragment.require("label_maps")["default"]
    train_ids = {name: index for index, name in enumerate(CLASSES)} | {"on rails": 16}
    for raw, row in enumerate(mapping):
        assert label_map.get(raw, VOID) == train_ids.get(row["cs_name"], VOID), row["wd2_name"]


def test_rain_pair(real_samples: Path) -> None:
    """A photograph and a mask of train ids, as ACDC's are."""
    path = real_samples / "rain/train_000001_mask.png"
    results: dict[str, Any] = {"img_path": str(path.with_name("train_000001.jpg"))}
    results = ReadImage().transform({**results, "seg_map_path": str(path)})
    assert results["img"].shape == (768, 1024, 3)
    label = reader("acdc").transform(results)["gt_seg_map"]
    assert label.shape == (768, 1024)
    assert values_of(label) == {16, VOID}
