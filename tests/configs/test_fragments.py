"""Every data set and domain is complete, and finds its files where its owner puts them."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from benchmark import domains as composing
from benchmark import registry, shift_sources
from benchmark.data_roots import DataRoots
from benchmark.errors import FragmentError
from mmseg_ext.datasets.decoders import DECODERS
from mmseg_ext.datasets.files import scan
from mmseg_ext.datasets.layouts import Layout, find
from mmseg_ext.datasets.mapped_label import ReadMappedLabel
from mmseg_ext.errors import EmptyDomainError

DATASETS = registry.names("dataset")
DOMAINS = [
    name for name in registry.names("domain")
    if registry.find("domain", name).require("reader") == "files"
]  # fmt: skip
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_is_complete(name: str) -> None:
    dataset = registry.find("dataset", name)
    for key in ("title", "summary", "paper", "url", "licence", "access"):
        assert dataset.card[key], key
    assert dataset.card["url"].startswith("http")
    assert all(isinstance(package, str) for package in dataset.card["packages"])
    assert dataset.card["packages"]
    assert dataset.require("sources")
    assert isinstance(dataset.values.get("notes", ()), tuple)
    assert all(len(size) == 2 for size in dataset.values.get("sizes", ()))
    assert dataset.require("decoder") in DECODERS
    for reason in dataset.values.get("excluded", {}).values():
        assert reason


@pytest.mark.parametrize("name", DATASETS)
def test_tables_map_known_ids_to_train_ids(name: str) -> None:
    dataset = registry.find("dataset", name)
    values = set(dataset.require("values"))
    for variant, label_map in dataset.require("label_maps").items():
        assert set(label_map) <= values
        assert set(label_map.values()) <= {*range(19), 255}
        # WildDash's policy leaves open what would be IDD's terrain.
        lacking = {9} if (name, variant) == ("idd", "wilddash") else set()
        assert set(label_map.values()) - {255} == set(range(19)) - lacking
        ReadMappedLabel(dataset.require("decoder"), label_map, sorted(values))
    if "id_names" in dataset.values:
        assert set(range(len(dataset.require("id_names")))) == values - {255}


@pytest.mark.parametrize("name", DATASETS)
def test_layouts_use_the_declared_placeholders(name: str) -> None:
    dataset = registry.find("dataset", name)
    used = {"split"} if name == "foggy-zurich" else set()
    for layout in (Layout(**each) for each in dataset.require("layouts")):
        images, labels = (set(PLACEHOLDER.findall(p or "")) for p in (layout.images, layout.labels))
        assert images & labels, "nothing tells which label belongs to which image"
        used |= images | labels
    assert set(dataset.values.get("placeholders", {})) <= used


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_is_complete(name: str) -> None:
    domain = registry.find("domain", name)
    dataset = composing.dataset_of(domain)
    first = Layout(**dataset.require("layouts")[0])
    told = {*PLACEHOLDER.findall(first.images), *(("split",) if first.lists else ())}
    assert domain.card["short"]
    assert domain.require("label_map") in dataset.require("label_maps")
    assert domain.values.get("group") in {None, *told}
    splits = {split: domain.require(split) for split in ("train", "test")}
    assert set(domain.require("counts")) <= {s for s, where in splits.items() if where is not None}
    for where in splits.values():
        for key, wanted in (where or {}).items():
            assert key in told
            allowed = dataset.require("placeholders")[key]
            assert (
                {wanted} <= set(allowed) if isinstance(wanted, str) else set(wanted) <= {*allowed}
            )


def test_short_names_are_told_apart() -> None:
    """Two columns of a table must not have one heading."""
    shorts = [registry.find("domain", name).card["short"] for name in DOMAINS]
    assert len(set(shorts)) == len(shorts)


# Paths as the owners' documents show them: domain and split, image, label (or None), and others
# that must be left alone.
SHIPPED: dict[str, tuple[str, str, str | None, tuple[str, ...]]] = {
    "gta5 train": ("images/00001.png", "", "labels/00001.png", ("labels/00001_labelTrainIds.png",)),
    "synthia train": ("RGB/0000000.png", "RAND_CITYSCAPES", "GT/LABELS/0000000.png",
        ("GT/COLOR/0000000.png", "Depth/0000000.png", "GT/LABELS/0000000_labelTrainIds.png")),
    "cityscapes train": (
        "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png", "",
        "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png",
        ("gtFine/train/aachen/aachen_000000_000019_gtFine_instanceIds.png",
         "gtFine/train/aachen/aachen_000000_000019_gtFine_labelTrainIds.png",
         "leftImg8bit/val/lindau/lindau_000000_000019_leftImg8bit.png")),
    "acdc train": (
        "rgb_anon/fog/train/GOPR0475/GOPR0475_frame_000041_rgb_anon.png", "",
        "gt/fog/train/GOPR0475/GOPR0475_frame_000041_gt_labelTrainIds.png",
        ("gt/fog/train/GOPR0475/GOPR0475_frame_000041_gt_labelIds.png",
         "rgb_anon/fog/train_ref/GOPR0475/GOPR0475_frame_000041_rgb_ref_anon.png")),
    "acdc-fog test": (
        "rgb_anon/fog/val/GOPR0476/GOPR0476_frame_000854_rgb_anon.png", "",
        "gt/fog/val/GOPR0476/GOPR0476_frame_000854_gt_labelTrainIds.png",
        ("rgb_anon/night/val/GOPR0356/GOPR0356_frame_000320_rgb_anon.png",
         "gt/night/val/GOPR0356/GOPR0356_frame_000320_gt_labelTrainIds.png")),
    "acdc-reference train": (
        "rgb_anon/fog/train_ref/GOPR0475/GOPR0475_frame_000041_rgb_ref_anon.png", "",
        "gt/fog/train_ref/GOPR0475/GOPR0475_frame_000041_gt_ref_labelTrainIds.png",
        ("rgb_anon/fog/train/GOPR0475/GOPR0475_frame_000041_rgb_anon.png",
         "gt/fog/train/GOPR0475/GOPR0475_frame_000041_gt_labelTrainIds.png")),
    "bdd100k test": (
        "bdd100k/images/10k/val/7d06fefd-f7be05a6.jpg", "",
        "bdd100k/labels/sem_seg/masks/val/7d06fefd-f7be05a6.png",
        ("bdd100k/labels/sem_seg/colormaps/val/7d06fefd-f7be05a6.png",)),
    "mapillary test": (
        "validation/images/__CRyFzoDOXn6unQ6a3DnQ.jpg", "",
        "validation/v1.2/labels/__CRyFzoDOXn6unQ6a3DnQ.png",
        ("validation/v2.0/labels/__CRyFzoDOXn6unQ6a3DnQ.png",
         "validation/v1.2/instances/__CRyFzoDOXn6unQ6a3DnQ.png")),
    "mapillary-openseg train": (
        "training/images/__CRyFzoDOXn6unQ6a3DnQ.jpg", "",
        "training/labels/__CRyFzoDOXn6unQ6a3DnQ.png",
        ("training/labels/__CRyFzoDOXn6unQ6a3DnQ_labelTrainIds.png",)),
    "mapillary-v2 test": (
        "validation/images/__CRyFzoDOXn6unQ6a3DnQ.jpg", "",
        "validation/v2.0/labels/__CRyFzoDOXn6unQ6a3DnQ.png",
        ("validation/v1.2/labels/__CRyFzoDOXn6unQ6a3DnQ.png",)),
    "dark-zurich test": (
        "rgb_anon/val/night/GOPR0356/GOPR0356_frame_000324_rgb_anon.png", "",
        "gt/val/night/GOPR0356/GOPR0356_frame_000324_gt_labelTrainIds.png",
        ("rgb_anon/val_ref/day/GOPR0356_ref/GOPR0356_frame_000324_ref_rgb_anon.png",
         "gt/val/night/GOPR0356/GOPR0356_frame_000324_gt_invIds.png")),
    "dark-zurich train": (
        "rgb_anon/train/night/GOPR0351/GOPR0351_frame_000159_rgb_anon.png", "", None,
        ("rgb_anon/train/day/GOPR0345/GOPR0345_frame_000001_rgb_anon.png",)),
    "nighttime-driving test": (
        "leftImg8bit/test/night/01_frame_0555_leftImg8bit.png", "NighttimeDrivingTest",
        "gtCoarse_daytime_trainvaltest/test/night/01_frame_0555_gtCoarse_labelTrainIds.png", ()),
    "foggy-driving test": (
        "leftImg8bit/test_extra/public/a_leftImg8bit.png", "",
        "gtCoarse/test_extra/public/a_gtCoarse_labelTrainIds.png",
        ("gtCoarse/test_extra/public/a_gtCoarse_labelIds.png",)),
    "wilddash2 test": ("images/aa.jpg", "wd_public_v2p0", "panoptic/aa.png", ("panoptic.json",)),
    "wilddash2-02 test": ("images/aa.jpg", "wd_public_02", "labels/aa.png", ()),
    "idd test": (
        "leftImg8bit/val/119/903127_leftImg8bit.png", "IDD_Segmentation",
        "gtFine/val/119/903127_gtFine_polygons.json", ()),
    "urbansyn train": ("rgb/rgb_0001.png", "", "ss/ss_0001.png", ("ss_colour/ss_0001.png",)),
    "synscapes train": ("img/rgb-2k/25000.png", "", "img/class/25000.png",
        ("img/instance/25000.png", "meta/25000.json")),
    "muses test": (
        "frame_camera/val/rain/night/REC0037_frame_000184_frame_camera.png", "",
        "gt_semantic/val/rain/night/REC0037_frame_000184_gt_labelTrainIds.png",
        ("gt_semantic/val/rain/night/REC0037_frame_000184_gt_labelIds.png",)),
}  # fmt: skip
LEGACY = {
    "bdd100k train": (
        "seg/images/train/0004a4c0-d4dff0ad.jpg",
        "seg/labels/train/0004a4c0-d4dff0ad_train_id.png"),
    "gta5 train": ("images/train/00001.png", "labels/train/00001.png"),
    "synscapes train": ("img/rgb/1.png", "img/class/1.png"),
    "acdc train": (
        "rgb_anon/train/GOPR0475_frame_000041_rgb_anon.png",
        "gt/train/GOPR0475_frame_000041_gt_labelTrainIds.png"),
    "cityscapes test": (
        "leftImg8bit_trainvaltest/leftImg8bit/val/a/a_0_leftImg8bit.png",
        "gtFine_trainvaltest/gtFine/val/a/a_0_gtFine_labelIds.png"),
}  # fmt: skip


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def found_in(root: Path, address: str, *, labelled: bool = True) -> list[tuple[str, str | None]]:
    """Images and labels that a domain's data set finds for a split, as training would."""
    name, split = address.split()
    domain = registry.find("domain", name)
    source: dict[str, Any] = composing.source_of(domain, split, labelled=labelled)
    layouts = [Layout(**layout) for layout in source["layouts"]]
    found = find(scan(root), layouts, source["placeholders"], source["where"])
    # What lies beside the labels is not taken for labels whose images are missing.
    assert (found.orphans, found.duplicates) == ((), ())
    return [(sample.image, sample.label) for sample in found.samples]


@pytest.mark.parametrize("address", SHIPPED)
def test_files_are_found_where_their_owner_puts_them(address: str, tmp_path: Path) -> None:
    image, above, label, others = SHIPPED[address]
    folder = tmp_path / above
    touch(folder, image, *([label] if label else []), *others)
    prefix = f"{above}/" if above else ""
    expected = (prefix + image, prefix + label if label else None)
    assert found_in(tmp_path, address, labelled=label is not None) == [expected]
    # A target's data set looks for no label at all, whether there are labels or not.
    assert found_in(tmp_path, address, labelled=False) == [(prefix + image, None)]


@pytest.mark.parametrize("address", LEGACY)
def test_other_layouts_in_the_wild(address: str, tmp_path: Path) -> None:
    touch(tmp_path, *LEGACY[address])
    assert found_in(tmp_path, address) == [LEGACY[address]]


@pytest.mark.parametrize("address", SHIPPED)
def test_archives_in_place_of_folders(address: str, tmp_path: Path) -> None:
    image, above, label, others = SHIPPED[address]
    name = f"{above or 'package'}.zip"
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for path in (image, *([label] if label else []), *others):
            archive.writestr(path, b"")
    expected = (f"{name}/{image}", f"{name}/{label}" if label else None)
    assert found_in(tmp_path, address, labelled=label is not None) == [expected]


def test_every_domain_has_a_shipped_example() -> None:
    """So that a new domain gets one; the other conditions of ACDC go by the example of fog."""
    alike = {"acdc-night", "acdc-rain", "acdc-snow", "foggy-zurich", "cityscapes-c"}
    assert {address.split()[0] for address in SHIPPED} | alike == set(DOMAINS)


def test_foggy_zurich_goes_by_its_lists(tmp_path: Path) -> None:
    names = {
        "testv2": "RGB/GP010229/1508040913.0_frame_000955.png",
        "light": "RGB/GP010122/1508040913.0_frame_000955.png",  # the same name in another folder
        "medium": "RGB/GOPR0122/1508039852.0_frame_000021.png",
    }
    touch(tmp_path, *names.values(), "RGB/GOPR0122/unlisted.png")
    touch(tmp_path, names["testv2"].replace("RGB", "gt_labelTrainIds"))
    lists = tmp_path / "lists_file_names"
    lists.mkdir()
    for split, name in names.items():
        (lists / f"RGB_{split}_filenames.txt").write_text(f"{name}\n")
    label = "gt_labelTrainIds/GP010229/1508040913.0_frame_000955.png"
    assert found_in(tmp_path, "foggy-zurich test") == [(names["testv2"], label)]
    trained = found_in(tmp_path, "foggy-zurich train", labelled=False)
    assert sorted(trained) == sorted([(names["light"], None), (names["medium"], None)])


def test_extra_images_of_the_first_bdd100k_archive_are_left_out(tmp_path: Path) -> None:
    """They have no labels, which must not stop whoever has that archive."""
    from mmseg_ext.datasets.file_domain import FileDomainDataset, _scan

    good = "0004a4c0-d4dff0ad"
    extra = (
        "3d581db5-2564fb7e", "52e3fd10-c205dec2", "781756b0-61e0a182", "78ac84ba-07bd30c2",
        "80a9e37d-e4548ac1", "9342e334-33d167eb",
    )  # fmt: skip
    touch(tmp_path, *(f"images/10k/train/{frame}.jpg" for frame in (good, *extra)))
    touch(tmp_path, f"labels/sem_seg/masks/train/{good}.png")
    source = composing.source_of(registry.find("domain", "bdd100k"), "train", labelled=True)
    arguments = {key: value for key, value in source.items() if key != "type"}
    dataset = FileDomainDataset(**arguments, data_root=str(tmp_path), pipeline=[])
    assert [Path(entry["img_path"]).stem for entry in dataset.data_list] == [good]
    touch(tmp_path, "images/10k/train/00054602-3bf57337.jpg")
    _scan.cache_clear()
    with pytest.raises(EmptyDomainError, match=r"1 of 8 images .*/00054602-3bf57337"):
        FileDomainDataset(**arguments, data_root=str(tmp_path), pipeline=[])


def test_splits_without_labels_cannot_be_trained_on() -> None:
    protocol = registry.find("protocol", "daformer")
    for name in ("dark-zurich", "foggy-zurich"):
        domain = registry.find("domain", name)
        composing.trained(domain, protocol, [], labelled=False)
        with pytest.raises(FragmentError, match="no labels to train on"):
            composing.trained(domain, protocol, [], labelled=True)


def test_data_sets_of_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roots = DataRoots(tmp_path)
    shared = {
        "acdc-reference": "acdc",
        "mapillary-v1.2": "mapillary",
        "mapillary-v2.0": "mapillary",
    }
    for name in DATASETS:
        assert roots.of(registry.find("dataset", name)) == tmp_path / shared.get(name, name)
    monkeypatch.setenv("UDABENCH_DATA_ROOT_MAPILLARY", str(tmp_path / "elsewhere"))
    for version in ("1.2", "2.0"):
        dataset = registry.find("dataset", f"mapillary-v{version}")
        assert roots.of(dataset) == tmp_path / "elsewhere"


@pytest.mark.parametrize("name", registry.names("shift"))
def test_shifts_resolve(name: str) -> None:
    shift = registry.find("shift", name)
    names = [*shift_sources.names(shift), shift.require("target"), *shift.require("unseen")]
    assert len(set(names)) == len(names)
    for each in names:
        assert composing.facts(registry.find("domain", each))["reader"]
    assert composing.can_be_scored(registry.find("domain", shift.require("target")))
    for each in shift.require("unseen"):
        assert composing.can_be_scored(registry.find("domain", each))
