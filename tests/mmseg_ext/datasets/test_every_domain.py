"""Every domain of the benchmark, from MiniDrive through its files and back: the same labels.

The expected labels come from MiniDrive itself; what is read comes from the configuration that a
training or a test of the domain has.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmark import registry
from benchmark.corruptions import is_corrupted
from benchmark.data_roots import DataRoots
from benchmark.domains import FILES, dataset_of, scored, trained
from benchmark.evaluation_rules import EvaluationRules
from benchmark.minidrive_export import Exported, export
from mmseg_ext.datasets.decoders import DECODERS, Context
from mmseg_ext.datasets.file_domain import FileDomainDataset
from mmseg_ext.datasets.mapped_label import ReadMappedLabel
from mmseg_ext.datasets.minidrive import World
from mmseg_ext.datasets.reading import ReadImage
from mmseg_ext.errors import EmptyDomainError

SIZE = (128, 64)
IMAGES = 2
FORMS = ("folder", "zip", "unpacked")
DOMAINS = [
    name
    for name in registry.names("domain")
    if registry.find("domain", name).values.get("reader") == FILES
    and not is_corrupted(registry.find("domain", name))  # of the files of another domain
]
RULES = EvaluationRules(
    name=None,
    inference={"mode": "whole"},
    batch_size=1,
    scale=None,
    scales={},
    ground_truth="native",
    ground_truths={},
    mean="pooled",
)
PROTOCOL = registry.find("protocol", "daformer")
# Labelled images of a split where they are not IMAGES: several conditions or splits are read
# together, or only some images have labels.
COUNTS = {
    ("acdc", "train"): 4 * IMAGES,
    ("acdc", "test"): 4 * IMAGES,
    ("acdc-reference", "train"): 1,
    ("acdc-reference", "test"): 1,
    ("foggy-driving", "test"): 2 * IMAGES,
    ("foggy-zurich", "train"): 2 * IMAGES,
    ("muses", "train"): 8 * IMAGES,
    ("muses", "test"): 8 * IMAGES,
}
# Classes that the files of a data set cannot express.
LOST = {"synthia": {"terrain", "truck", "train"}}

Place = Callable[[str, str, str], tuple[Path, Exported]]


def layouts(domain: str) -> list[str]:
    return [each["name"] for each in dataset_of(registry.find("domain", domain)).values["layouts"]]


CASES = [
    (domain, layout, form) for domain in DOMAINS for layout in layouts(domain) for form in FORMS
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The data root with a data set in a layout and form, and what was written; written once."""

    @cache
    def written(dataset: str, layout: str, form: str) -> tuple[Path, Exported]:
        root = tmp_path_factory.mktemp("data")
        archives = form != "folder"
        made = export(dataset, root, images=IMAGES, size=SIZE, variant=layout, archives=archives)
        if form == "unpacked":
            unpack(made.folder)
        return root, made

    return written


def unpack(folder: Path) -> None:
    """Each archive into a folder of its name, as many programs do."""
    for path in folder.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder / path.stem)
        path.unlink()


def configured(domain: str, split: str, *, labelled: bool = True) -> dict[str, Any]:
    fragment = registry.find("domain", domain)
    if split == "test":
        return scored(fragment, RULES)
    return trained(fragment, PROTOCOL, [], labelled=labelled)


def splits(domain: str) -> list[str]:
    values = registry.find("domain", domain).values
    return [split for split in ("train", "test") if values[split] is not None]


def labelled_splits(domain: str) -> list[str]:
    hidden = registry.find("domain", domain).values.get("unlabelled_splits", ())
    return [split for split in splits(domain) if split not in hidden]


def opened(domain: str, split: str, root: Path, *, labelled: bool = True) -> FileDomainDataset:
    """The domain's data set as configured, without what changes the size of the images."""
    config = configured(domain, split, labelled=labelled)
    assert config.pop("type") == "FileDomainDataset"
    config["pipeline"] = [
        {**each, "_scope_": "mmseg_ext"}
        for each in config["pipeline"]
        if each["type"] in ("ReadImage", "ReadMappedLabel")
    ]
    config["data_root"] = str(DataRoots(root).of(dataset_of(registry.find("domain", domain))))
    return FileDomainDataset(**config)


@cache
def scene(domain: str, split: str, index: int) -> tuple[np.ndarray, np.ndarray]:
    """MiniDrive's own image (BGR) and label."""
    shown = World(height=SIZE[1], width=SIZE[0]).render(domain, split, index)
    return shown.image_rgb[:, :, ::-1], shown.label


def resized(label: np.ndarray, width: int, height: int) -> np.ndarray:
    """The nearest pixel above and to the left."""
    rows = np.arange(height) * label.shape[0] // height
    columns = np.arange(width) * label.shape[1] // width
    return label[rows[:, None], columns]


def expected_label(domain: str, layout: str, label: np.ndarray) -> np.ndarray:
    """MiniDrive's label, without the classes that the files or the domain's table do not have."""
    if (domain, layout) == ("synscapes", "upscaled"):  # labels are 1440x720 for 2048x1024
        label = resized(resized(label, 90, 45), *SIZE)
    fragment = registry.find("domain", domain)
    dataset = dataset_of(fragment)
    known = {*dataset.values["label_maps"][fragment.values["label_map"]].values()}
    names = FileDomainDataset.METAINFO["classes"]
    lost = {names.index(name) for name in LOST.get(dataset.name, ())}
    return np.where(np.isin(label, sorted(known - lost)), label, 255)


@pytest.mark.parametrize(("domain", "layout", "form"), CASES)
def test_labels_read_are_those_that_minidrive_drew(
    domain: str, layout: str, form: str, place: Place
) -> None:
    root, made = place(registry.find("domain", domain).values["dataset"], layout, form)
    scenes = {image.image.rpartition("/")[2]: image.address for image in made.images}
    for split in labelled_splits(domain):
        if layout == "flattened" and "condition" in registry.find("domain", domain).values[split]:
            with pytest.raises(EmptyDomainError, match=r"does not tell .*condition.* apart"):
                opened(domain, split, root)
            continue
        found = opened(domain, split, root)
        assert found.describe()["layout"] == layout
        assert len(found) == COUNTS.get((domain, split), IMAGES)
        for index in range(len(found)):
            sample = found[index]
            address = scenes[sample["img_path"].rpartition("/")[2]]
            image, label = scene(address.domain, address.split, address.index)
            assert np.array_equal(sample["gt_seg_map"], expected_label(domain, layout, label))
            if sample["img_path"].endswith(".jpg"):
                assert np.abs(sample["img"].astype(int) - image).mean() < 8
            else:
                assert np.array_equal(sample["img"], image)


@pytest.mark.parametrize("domain", [name for name in DOMAINS if "train" in splits(name)])
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_an_unlabelled_target_knows_no_label(domain: str, form: str, place: Place) -> None:
    dataset = registry.find("domain", domain).values["dataset"]
    root, made = place(dataset, layouts(domain)[0], form)
    found = opened(domain, "train", root, labelled=False)
    images = COUNTS.get((domain, "train"), IMAGES)
    assert len(found) == (2 if domain == "acdc-reference" else images)
    assert not any("seg_map_path" in entry or "segments" in entry for entry in found.data_list)
    told = repr(found.data_list) + repr(configured(domain, "train", labelled=False))
    assert not [image.label for image in made.images if image.label and image.label in told]
    assert "gt_seg_map" not in found[0]


@pytest.mark.parametrize("dataset", registry.names("dataset"))
def test_a_class_without_an_id_is_named_and_void(dataset: str, place: Place) -> None:
    layout = registry.find("dataset", dataset).values["layouts"][0]["name"]
    _, made = place(dataset, layout, "folder")
    names = FileDomainDataset.METAINFO["classes"]
    assert {names[train_id] for train_id in made.lost} == LOST.get(dataset, set())


def test_the_lost_classes_of_synthia_do_occur_in_minidrive(tmp_path: Path) -> None:
    made = export("synthia", tmp_path, images=24, size=SIZE)
    found = opened("synthia", "train", tmp_path)
    labels = [found[index]["gt_seg_map"] for index in range(len(found))]
    own = [scene(i.address.domain, i.address.split, i.address.index)[1] for i in made.images]
    lost = np.isin(own, made.lost)
    assert {*np.unique(np.array(own)[lost])} == {9, 14, 16}
    assert np.array_equal(np.array(labels) == 255, lost)


@pytest.mark.parametrize("domain", DOMAINS)
def test_several_ids_of_a_class_are_used(domain: str, place: Place) -> None:
    """Otherwise most of a label map's table would go untested."""
    fragment = registry.find("domain", domain)
    dataset = dataset_of(fragment)
    root, _ = place(dataset.name, layouts(domain)[0], "folder")
    decode, names = DECODERS[dataset.values["decoder"]], dataset.values.get("label_names", {})
    ids: set[int] = set()
    for split in labelled_splits(domain):
        for entry in opened(domain, split, root).data_list:
            path = entry["seg_map_path"]
            context = Context(path, entry.get("segments"), names)
            ids |= {*np.unique(decode(Path(path).read_bytes(), context)).tolist()}
    maps = {
        registry.find("domain", name).values["label_map"]
        for name in DOMAINS
        if registry.find("domain", name).values["dataset"] == dataset.name
    }
    tables = [dataset.values["label_maps"][each] for each in maps]
    assert ids <= {*dataset.values["values"]}
    for train_id in (0, 2, 13):  # in every scene
        of_class = {v for v in tables[0] if all(each.get(v) == train_id for each in tables)}
        assert len(ids & of_class) >= min(2, len(of_class)), train_id


def seen(root: Path) -> list[tuple[Path, int, int]]:
    """Name, size and time of change of everything; time of change of folders tells of removals."""
    everything = sorted([root, *root.rglob("*")])
    return [(path, path.stat().st_size, path.stat().st_mtime_ns) for path in everything]


@pytest.mark.parametrize("domain", DOMAINS)
def test_nothing_is_written_into_the_data(domain: str, place: Place, tmp_path: Path) -> None:
    dataset = registry.find("domain", domain).values["dataset"]
    root = tmp_path / "data"
    shutil.copytree(place(dataset, layouts(domain)[0], "zip")[0], root)
    everything = [root, *root.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = seen(root)
    try:
        for split in labelled_splits(domain):
            opened(domain, split, root)[0]
        assert seen(root) == before
    finally:
        for path in everything:
            path.chmod(0o755)


def test_gta5_at_its_true_size(tmp_path: Path) -> None:
    made = export("gta5", tmp_path, images=1)
    assert made.size == (1914, 1052)
    found = opened("gta5", "train", tmp_path)[0]
    own = World(height=560, width=1024).render("synthetic", "train", 0)
    assert np.array_equal(found["gt_seg_map"], resized(own.label, 1914, 1052))
    assert found["img"].shape == (1052, 1914, 3)
    smaller = cv2.resize(found["img"], (1024, 560), interpolation=cv2.INTER_AREA)
    assert np.abs(smaller[:, :, ::-1].astype(int) - own.image_rgb).mean() < 3


def test_labels_of_upscaled_synscapes_images_are_brought_to_their_size(tmp_path: Path) -> None:
    export("synscapes", tmp_path, images=1, variant="upscaled", size=(256, 128))
    (path,) = (tmp_path / "synscapes/img/class").glob("*.png")
    assert ReadMappedLabel("id_png", {}, range(256)).read(str(path)).shape == (90, 180)
    found = opened("synscapes", "train", tmp_path)[0]
    own = World(height=128, width=256).render("synthetic", "train", 0).label
    assert np.array_equal(found["gt_seg_map"], resized(resized(own, 180, 90), 256, 128))
    assert ReadImage()({"img_path": found["img_path"]})["img"].shape == (128, 256, 3)
