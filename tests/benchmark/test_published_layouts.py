"""Exported data sets against names and ids that are written down here, not in the fragments.

The exporter and the readers both follow the fragments, so an error in one of those would go
unnoticed between them. Sources: the data sets' own descriptions, as in the fragments.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmark import registry
from benchmark.minidrive_export import export
from mmseg_ext.datasets.decoders import DECODERS, Context
from mmseg_ext.datasets.minidrive import World

GOPRO = r"(GOPR|GP01)\d{4}/(GOPR|GP01)\d{4}_frame_\d{6}"
KEY = r"[A-Za-z0-9_-]{22}"
CLIP = r"[0-9a-f]{8}-[0-9a-f]{8}"

# Image and label of each data set and layout, below the data set's folder.
PATHS = {
    ("gta5", "official"): (r"images/\d{5}\.png", r"labels/\d{5}\.png"),
    ("gta5", "split folders"): (
        r"images/(train|valid|val|test)/\d{5}\.png",
        r"labels/(train|valid|val|test)/\d{5}\.png",
    ),
    ("synthia", "official"): (r"RGB/\d{7}\.png", r"GT/LABELS/\d{7}\.png"),
    ("cityscapes", "official"): (
        r"leftImg8bit/(train|val|test)/(\w+)/\2_\d{6}_\d{6}_leftImg8bit\.png",
        r"gtFine/(train|val)/(\w+)/\2_\d{6}_\d{6}_gtFine_labelIds\.png",
    ),
    ("acdc", "official"): (
        rf"rgb_anon/(fog|night|rain|snow)/(train|val|test)/{GOPRO}_rgb_anon\.png",
        rf"gt/(fog|night|rain|snow)/(train|val)/{GOPRO}_gt_labelTrainIds\.png",
    ),
    ("acdc", "flattened"): (
        r"rgb_anon/(train|val|test)/G\w+_frame_\d{6}_rgb_anon\.png",
        r"gt/(train|val)/G\w+_frame_\d{6}_gt_labelTrainIds\.png",
    ),
    ("acdc-reference", "official"): (
        rf"rgb_anon/(fog|night|rain|snow)/(train|val|test)_ref/{GOPRO}_rgb_ref_anon\.png",
        rf"gt/(fog|night|rain|snow)/(train|val)_ref/{GOPRO}_gt_ref_labelTrainIds\.png",
    ),
    ("bdd100k", "official"): (
        rf"images/10k/(train|val|test)/{CLIP}\.jpg",
        rf"labels/sem_seg/masks/(train|val)/{CLIP}\.png",
    ),
    ("bdd100k", "legacy 2018"): (
        rf"seg/images/(train|val|test)/{CLIP}\.jpg",
        rf"seg/labels/(train|val)/{CLIP}_train_id\.png",
    ),
    ("mapillary-v1.2", "version 1.2"): (
        rf"(training|validation|testing)/images/{KEY}\.jpg",
        rf"(training|validation)/labels/{KEY}\.png",
    ),
    ("mapillary-v1.2", "version 2.0"): (
        rf"(training|validation|testing)/images/{KEY}\.jpg",
        rf"(training|validation)/v1\.2/labels/{KEY}\.png",
    ),
    ("mapillary-v2.0", "official"): (
        rf"(training|validation|testing)/images/{KEY}\.jpg",
        rf"(training|validation)/v2\.0/labels/{KEY}\.png",
    ),
    ("dark-zurich", "official"): (
        rf"rgb_anon/(train|val|val_ref|test|test_ref)/night/{GOPRO}_rgb_anon\.png",
        rf"gt/val/night/{GOPRO}_gt_labelTrainIds\.png",
    ),
    ("nighttime-driving", "official"): (
        r"leftImg8bit/test/night/\d\d_frame_\d{4}_leftImg8bit\.png",
        r"gtCoarse_daytime_trainvaltest/test/night/\d\d_frame_\d{4}_gtCoarse_labelTrainIds\.png",
    ),
    ("foggy-zurich", "official"): (rf"RGB/{GOPRO}\.png", rf"gt_labelTrainIds/{GOPRO}\.png"),
    ("foggy-driving", "official"): (
        r"leftImg8bit/(test|test_extra)/(pedestrian|public|web)/\w+_leftImg8bit\.png",
        r"gtFine/test/\w+/\w+_gtFine_labelTrainIds\.png"
        r"|gtCoarse/test_extra/\w+/\w+_gtCoarse_labelTrainIds\.png",
    ),
    ("wilddash2", "official"): (r"images/\w+\.jpg", r"panoptic/\w+\.png"),
    ("wilddash2-02", "official"): (r"images/\w+\.jpg", r"labels/\w+\.png"),
    ("idd", "official"): (
        r"leftImg8bit/(train|val|test)/\d+/\w+_leftImg8bit\.png",
        r"gtFine/(train|val)/\d+/\w+_gtFine_polygons\.json",
    ),
    ("urbansyn", "official"): (r"rgb/rgb_\d{4}\.png", r"ss/ss_\d{4}\.png"),
    ("synscapes", "official"): (r"img/rgb/\d+\.png", r"img/class/\d+\.png"),
    ("synscapes", "upscaled"): (r"img/rgb-2k/\d+\.png", r"img/class/\d+\.png"),
    ("muses", "official"): (
        r"frame_camera/(train|val|test)/(clear|fog|rain|snow)/(day|night)"
        r"/REC\d{4}_frame_\d{6}_frame_camera\.png",
        r"gt_semantic/(train|val)/(clear|fog|rain|snow)/(day|night)"
        r"/REC\d{4}_frame_\d{6}_gt_labelTrainIds\.png",
    ),
}

CITYSCAPES = ({7}, {23}, {26})
TRAIN_IDS = ({0}, {10}, {13})
# Ids that stand for road, sky and car.
ROAD_SKY_CAR = {
    "gta5": CITYSCAPES,
    "synthia": ({3}, {1}, {8}),
    "cityscapes": CITYSCAPES,
    "synscapes": CITYSCAPES,
    "mapillary-v1.2": ({13, 24}, {27}, {55}),
    "mapillary-v2.0": ({21, *range(35, 45), *range(46, 56), 57, 58, 74}, {61}, {108}),
    "wilddash2": ({7, 38, 41, 43, 61, 64, 70, 74, 75, 76, 79}, {23}, {26, 35}),
    "wilddash2-02": ({7}, {23}, {26}),
    "idd": ({0}, {33}, {12}),
    **dict.fromkeys(
        (
            *("acdc", "acdc-reference", "bdd100k", "dark-zurich", "nighttime-driving"),
            *("foggy-zurich", "foggy-driving", "urbansyn", "muses"),
        ),
        TRAIN_IDS,
    ),
}


@pytest.mark.parametrize(("name", "layout"), sorted(PATHS))
def test_paths_are_the_published_ones(name: str, layout: str, tmp_path: Path) -> None:
    made = export(name, tmp_path, images=1, size=(64, 32), variant=layout)
    image, label = PATHS[name, layout]
    for each in made.images:
        assert re.fullmatch(image, each.image)
        assert (made.folder / each.image).is_file()
        if each.label:
            assert re.fullmatch(label, each.label)
            assert (made.folder / each.label).is_file()
    assert any(each.label for each in made.images)


def test_no_layout_is_left_out() -> None:
    written = {
        (name, layout["name"])
        for name in registry.names("dataset")
        for layout in registry.find("dataset", name).values["layouts"]
    }
    assert written == {*PATHS}
    assert {*ROAD_SKY_CAR} == {name for name, _ in written}


def segments_of(folder: Path) -> dict[str, dict[int, int]]:
    """Categories of segments by label file, from the panoptic file where there is one."""
    path = folder / "panoptic.json"
    document = json.loads(path.read_text()) if path.is_file() else {"annotations": []}
    return {
        each["file_name"]: {info["id"]: info["category_id"] for info in each["segments_info"]}
        for each in document["annotations"]
    }


@pytest.mark.parametrize("name", sorted(ROAD_SKY_CAR))
def test_ids_are_the_published_ones(name: str, tmp_path: Path) -> None:
    made = export(name, tmp_path, images=2, size=(128, 64))
    values = registry.find("dataset", name).values
    segments = segments_of(made.folder)
    for each in made.images:
        if each.label is None:
            continue
        content = (made.folder / each.label).read_bytes()
        context = Context(
            each.label, segments.get(Path(each.label).name), values.get("label_names", {})
        )
        raw = DECODERS[values["decoder"]](content, context)
        address = each.address
        world = World(height=64, width=128)
        own = world.render(address.domain, address.split, address.index).label
        for train_id, ids in zip((0, 10, 13), ROAD_SKY_CAR[name], strict=True):
            assert {*np.unique(raw[own == train_id]).tolist()} <= ids


ARCHIVES = {
    "cityscapes": {
        "leftImg8bit_trainvaltest.zip": "leftImg8bit/val/",
        "gtFine_trainvaltest.zip": "gtFine/val/",
    },
    "synthia": {"SYNTHIA_RAND_CITYSCAPES.zip": "RAND_CITYSCAPES/GT/LABELS/"},
    "acdc": {
        "rgb_anon_trainvaltest.zip": "rgb_anon/fog/val/",
        "gt_trainval.zip": "gt/night/train/",
    },
    "bdd100k": {
        "bdd100k_images_10k.zip": "bdd100k/images/10k/test/",
        "bdd100k_sem_seg_labels_trainval.zip": "bdd100k/labels/sem_seg/masks/val/",
    },
    "dark-zurich": {
        "Dark_Zurich_train_anon.zip": "rgb_anon/train/night/",
        "Dark_Zurich_val_anon.zip": "gt/val/night/",
        "Dark_Zurich_test_anon_withoutGt.zip": "rgb_anon/test/night/",
    },
    "wilddash2": {"wd_public_v2p0.zip": "panoptic.json"},
    "muses": {
        "RGB_Frame_Camera_trainvaltest.zip": "muses/frame_camera/val/rain/day/",
        "Semantic_Annotations_trainval.zip": "muses/gt_semantic/train/snow/night/",
    },
}


@pytest.mark.parametrize("name", sorted(ARCHIVES))
def test_archives_and_their_inner_paths_are_the_published_ones(name: str, tmp_path: Path) -> None:
    made = export(name, tmp_path, images=1, size=(64, 32), archives=True)
    assert {path.name for path in made.folder.glob("*.zip")} == {*ARCHIVES[name]}
    for archive, start in ARCHIVES[name].items():
        with zipfile.ZipFile(made.folder / archive) as opened:
            assert any(member.startswith(start) for member in opened.namelist())
