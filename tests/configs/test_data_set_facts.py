"""Label tables of the data sets against numbers typed from the publications and code bases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmark import registry

VOID = 255
CITYSCAPES_IDS = {
    "road": 7, "sidewalk": 8, "building": 11, "wall": 12, "fence": 13, "pole": 17,
    "traffic light": 19, "traffic sign": 20, "vegetation": 21, "terrain": 22, "sky": 23,
    "person": 24, "rider": 25, "car": 26, "truck": 27, "bus": 28, "train": 31, "motorcycle": 32,
    "bicycle": 33,
}  # fmt: skip
CLASSES = list(CITYSCAPES_IDS)
IDENTITY = ("acdc", "acdc-reference", "bdd100k", "dark-zurich", "nighttime-driving",
            "foggy-zurich", "foggy-driving", "muses", "urbansyn")  # fmt: skip


def table(dataset: str, variant: str = "default") -> dict[int, int]:
    label_map: dict[int, int] = registry.find("dataset", dataset).require("label_maps")[variant]
    return label_map


def by_name(dataset: str, variant: str = "default") -> dict[str, str]:
    """Class that each of the data set's own names becomes, where it becomes one."""
    names = registry.find("dataset", dataset).require("id_names")
    return {names[raw]: CLASSES[train_id] for raw, train_id in table(dataset, variant).items()}


@pytest.mark.parametrize("name", ["cityscapes", "gta5", "synscapes"])
def test_data_sets_with_cityscapes_ids(name: str) -> None:
    assert table(name) == {raw: CLASSES.index(each) for each, raw in CITYSCAPES_IDS.items()}


@pytest.mark.parametrize("name", IDENTITY)
def test_data_sets_that_ship_train_ids(name: str) -> None:
    assert table(name) == {train_id: train_id for train_id in range(19)}


def test_void_of_urbansyn_is_19() -> None:
    assert 19 in registry.find("dataset", "urbansyn").require("values")


def test_synthia() -> None:
    same = set(CLASSES) - {"person"}
    names = by_name("synthia")
    assert names == {**{each: each for each in same}, "pedestrian": "person"}
    # Numbers of the package's own README.
    raw = {train_id: raw for raw, train_id in table("synthia").items()}
    assert [raw[i] for i in range(19)] == [
        3, 4, 2, 21, 5, 7, 15, 9, 6, 16, 1, 10, 17, 8, 18, 19, 20, 12, 11,
    ]  # fmt: skip


MAPILLARY_CORE = {
    13: 0, 24: 0, 15: 1, 17: 2, 6: 3, 3: 4, 47: 5, 48: 6, 50: 7, 30: 8, 29: 9, 27: 10, 19: 11,
    20: 12, 21: 12, 22: 12, 55: 13, 61: 14, 54: 15, 58: 16, 57: 17, 52: 18,
}  # fmt: skip
VARIANTS = ("robustnet", "openseg", "rba_bravo", "mcgill_bravo", "wilddash")
# Where they differ, in the order above; None: the policy allows two answers, void here.
MAPILLARY_ROWS: dict[int, tuple[int | None, ...]] = {
    2: (1, 1, 1, 255, None),
    5: (255, 255, 255, 4, 3),
    7: (255, 0, 255, 0, None),
    8: (255, 0, 255, 0, 0),
    9: (255, 1, 255, 1, 1),
    10: (255, 0, 255, 0, 255),
    11: (255, 1, 255, 1, 0),
    14: (255, 0, 255, 255, 0),
    23: (255, 0, 0, 0, 0),
    26: (255, 255, 255, 9, 255),
    28: (255, 255, 255, 9, 255),
    36: (255, 255, 255, 255, 0),
    43: (255, 255, 255, 255, 0),
    41: (0, 255, 255, 255, None),
    44: (255, 5, 255, 255, 255),
    45: (5, 5, 5, 5, None),
    46: (255, 7, 255, 7, 5),
    49: (255, 7, 255, 255, 255),
}


@pytest.mark.parametrize("column", range(len(VARIANTS)), ids=VARIANTS)
def test_mapillary_variants(column: int) -> None:
    rows = {raw: row[column] for raw, row in MAPILLARY_ROWS.items()}
    expected = MAPILLARY_CORE | {raw: t for raw, t in rows.items() if t not in (None, VOID)}
    assert table("mapillary-v1.2", VARIANTS[column]) == expected


def test_mapillary_names_and_numbers() -> None:
    old, new = (registry.find("dataset", f"mapillary-v{v}").require for v in ("1.2", "2.0"))
    assert (len(old("id_names")), len(new("id_names"))) == (66, 124)
    assert list(registry.find("dataset", "mapillary-v1.2").require("label_maps")) == list(VARIANTS)
    assert [len(table("mapillary-v1.2", v)) for v in ("robustnet", "openseg")] == [25, 34]
    assert len(table("mapillary-v2.0", "robustnet_like")) == 54


def test_version_2_agrees_with_version_1_on_names_that_both_have() -> None:
    """Lane markings and other divided classes aside, a name means the same in both."""
    old, new = by_name("mapillary-v1.2", "robustnet"), by_name("mapillary-v2.0", "robustnet_like")
    shared = set(registry.find("dataset", "mapillary-v1.2").require("id_names"))
    shared &= set(registry.find("dataset", "mapillary-v2.0").require("id_names"))
    assert len(shared) > 50
    assert {n: old.get(n) for n in shared} == {n: new.get(n) for n in shared}
    assert {c for n, c in new.items() if n.startswith("Traffic Light")} == {"traffic light"}
    assert {c for n, c in new.items() if n.startswith("Lane Marking")} == {"road"}
    assert "Parking Meter" not in new


BEYOND_CITYSCAPES = {
    34: 14, 35: 13, 38: 0, 41: 0, 43: 0, 61: 0, 64: 0, 70: 0, 74: 0, 75: 0, 76: 0, 79: 0, 52: 1,
    65: 1, 77: 1, 80: 1, 45: 5, 46: 5, 47: 12, 48: 12, 49: 12, 56: 3, 58: 17, 78: 9,
}  # fmt: skip


@pytest.mark.parametrize("name", ["wilddash2", "wilddash2-02"])
def test_wilddash_beyond_the_ids_of_cityscapes(name: str) -> None:
    assert table(name) == table("cityscapes") | BEYOND_CITYSCAPES
    assert table(name, "cityscapes_ids") == table("cityscapes")
    assert len(registry.find("dataset", name).require("id_names")) == 81


def test_idd() -> None:
    names = by_name("idd")
    assert names.pop("non-drivable fallback") == "terrain"
    # All else goes by its own name, and auto rickshaws, parking and the fallbacks are void.
    assert names == {each: each for each in CLASSES if each != "terrain"}
    assert by_name("idd", "wilddash") == names | {"autorickshaw": "motorcycle"}
    assert registry.find("dataset", "idd").require("label_names")["sky"] == 33


FILES = {
    "cityscapes": "cityscapes", "gta5": "gta5", "synthia": "synthia", "bdd100k": "bdd100k",
    "acdc": "acdc", "acdc-reference": "acdc", "dark-zurich": "dark_zurich",
    "nighttime-driving": "nighttime_driving", "foggy-zurich": "foggy_zurich",
    "foggy-driving": "foggy_driving", "muses": "muses", "wilddash2": "wilddash2", "idd": "idd",
    "urbansyn": "urbansyn", "synscapes": "synscapes",
}  # fmt: skip
OTHER_TABLES = {
    **{("mapillary-v1.2", v): ("mapillary_v1.2", "variants", v) for v in VARIANTS},
    ("mapillary-v1.2", "openseg"): ("mapillary_v1.2", "variants", "openseg_name_rule"),
    ("mapillary-v1.2", "wilddash"): ("mapillary_v1.2", "variants", "wilddash_unified_policy"),
    ("mapillary-v2.0", "robustnet_like"): ("mapillary_v2.0", "variants", "robustnet_like"),
    ("idd", "wilddash"): ("idd", "alternatives", "wilddash_unified_policy"),
    ("wilddash2", "cityscapes_ids"): ("wilddash2", "alternatives", "wd_public_02_labels"),
    ("wilddash2-02", "default"): ("wilddash2",),
    ("wilddash2-02", "cityscapes_ids"): ("wilddash2", "alternatives", "wd_public_02_labels"),
    **{(name, "default"): (key,) for name, key in FILES.items()},
}


@pytest.fixture(scope="module")
def collected(real_samples: Path) -> Mapping[str, Any]:
    """All tables as collected from the repositories that published them."""
    path = real_samples.parent / "label_maps.json"
    if not path.is_file():
        pytest.skip("the collected label maps are not at hand")
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_every_table_equals_the_collected_one(collected: Mapping[str, Any]) -> None:
    tables = {
        (name, variant): registry.find("dataset", name).require("label_maps")[variant]
        for name in registry.names("dataset")
        for variant in registry.find("dataset", name).require("label_maps")
    }
    assert set(tables) == set(OTHER_TABLES)
    for key, label_map in tables.items():
        found: Any = collected
        for step in OTHER_TABLES[key]:
            found = found[step]
        expected = {int(raw): t for raw, t in found["map"].items() if t != VOID}
        assert label_map == expected, key


def test_names_equal_the_collected_ones(collected: Mapping[str, Any]) -> None:
    for key in ("mapillary_v1.2", "mapillary_v2.0", "synthia", "wilddash2", "idd"):
        found = collected[key]["names"]
        expected = found if isinstance(found, list) else [found[str(i)] for i in range(len(found))]
        dataset = registry.find("dataset", key.replace("_", "-"))
        assert list(dataset.require("id_names")) == expected, key
