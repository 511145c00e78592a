"""A data set of one's own, described in plain values."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace

import pytest

from mmseg_ext.datasets.export import (
    Companion,
    Description,
    Legend,
    Part,
    RawIds,
    Store,
    hex8_hex8,
    key22,
    write_data_set,
)
from mmseg_ext.datasets.layouts import Layout

IDS = RawIds.inverting([{value + 1: value for value in range(19)}], range(25))
PLAIN = Description(
    "streets",
    Layout("official", "photos/{split}/{frame}.png", "ids/{split}/{frame}_id.png"),
    "id_png",
    Legend(IDS),
    (48, 32),
    (48, 32),
    {"split": ("train", "val"), "frame": r"\d{5}"},
)
PARTS = [Part({"split": "train"}, "real", 3), Part({"split": "val"}, "real", 2)]


def written(folder, description=PLAIN, parts=PARTS, archive=None, **options):
    folder.mkdir()
    with Store(folder, archive) as store:
        return write_data_set(description, parts, store, **options)


def files(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_names_follow_the_layout_and_no_scene_is_shown_twice(tmp_path):
    made = written(tmp_path / "out")
    assert [each.image for each in made] == [
        *(f"photos/train/0000{number}.png" for number in (1, 2, 3)),
        *(f"photos/val/0000{number}.png" for number in (4, 5)),
    ]
    assert made[4].label == "ids/val/00005_id.png"
    assert len({each.address for each in made}) == 5
    names = {each.image for each in made} | {each.label for each in made}
    assert {*files(tmp_path / "out")} == names | {"minidrive-streets.json"}


@pytest.mark.parametrize("archived", [False, True])
def test_equal_arguments_give_equal_bytes(tmp_path, archived):
    archive = (lambda path: (f"{path[0]}.zip", f"top/{path}")) if archived else None
    written(tmp_path / "a", archive=archive, seed=3)
    written(tmp_path / "b", archive=archive, seed=3)
    written(tmp_path / "c", archive=archive, seed=4)
    first, second, other = (files(tmp_path / name) for name in "abc")
    assert first == second
    assert {*first} == {*other}
    assert first != other


def test_archives_hold_the_inner_paths(tmp_path):
    def archive(path):
        return None if path.endswith(".json") else (f"{path.split('/')[0]}.zip", f"top/{path}")

    written(tmp_path / "out", archive=archive)
    assert {*files(tmp_path / "out")} == {"photos.zip", "ids.zip", "minidrive-streets.json"}
    with zipfile.ZipFile(tmp_path / "out/ids.zip") as opened:
        assert opened.testzip() is None
        assert opened.namelist()[0] == "top/ids/train/00001_id.png"
        assert len(opened.namelist()) == 5
        assert {each.date_time[0] for each in opened.infolist()} == {1980}  # not the clock's


def test_labels_can_be_missing_for_a_part_or_for_some_of_it(tmp_path):
    parts = [replace(PARTS[0], labels="some"), replace(PARTS[1], labels="none")]
    made = written(tmp_path / "out", parts=parts)
    assert [each.label is not None for each in made] == [True, False, True, False, False]


def test_the_marker_says_what_lies_there(tmp_path):
    written(tmp_path / "out", seed=2)
    marker = json.loads((tmp_path / "out/minidrive-streets.json").read_text())
    assert "Not the real data set" in marker["note"]
    assert marker["seed"] == 2
    assert marker["scenes"]["photos/val/00004.png"] == "real/train/3"


def test_excluded_names_are_never_used(tmp_path):
    made = written(tmp_path / "out", replace(PLAIN, excluded=frozenset({"00002", "00003"})))
    stems = [each.image[-9:-4] for each in made]
    assert stems == ["00001", "00004", "00005", "00006", "00007"]
    assert [each.address.index for each in made] == [0, 1, 2, 3, 4]


def test_rules_name_the_files_and_see_earlier_values(tmp_path):
    layout = Layout("deep", "photos/{split}/{city}/{frame}.png", "ids/{split}/{city}/{frame}.png")
    names = {
        "city": lambda number, values: f"{values['split']}-city",
        "frame": lambda number, values: f"{values['city']}_{number}",
    }
    description = replace(PLAIN, layout=layout, names=names, placeholders={})
    made = written(tmp_path / "out", description)
    assert made[3].image == "photos/val/val-city/val-city_3.png"


def test_a_rule_must_keep_to_what_the_placeholder_allows(tmp_path):
    with pytest.raises(ValueError, match=r"streets: frame may not be 'x', only '\\\\d\{5\}'"):
        written(tmp_path / "out", replace(PLAIN, names={"frame": lambda number, values: "x"}))
    odd = replace(PLAIN, placeholders={"frame": "[xyz]{3}"})
    with pytest.raises(ValueError, match="no usual name fits frame"):
        written(tmp_path / "other", odd)


def test_two_files_never_share_a_name(tmp_path):
    same = replace(PLAIN, names={"frame": lambda number, values: "00001"})
    with pytest.raises(ValueError, match=r"00001\.png: two files of this name"):
        written(tmp_path / "out", same)


def test_lists_name_the_images_of_each_split(tmp_path):
    layout = Layout(
        "lists", "all/{frame}.png", "ids/{frame}.png", lists={"train": "t.txt", "val": "v.txt"}
    )
    written(tmp_path / "out", replace(PLAIN, layout=layout))
    assert (tmp_path / "out/v.txt").read_text() == "all/00004.png\nall/00005.png\n"


def test_segments_of_all_labels_are_in_one_file(tmp_path):
    layout = Layout("coco", "i/{frame}.jpg", "p/{frame}.png", segments="panoptic.json")
    description = replace(PLAIN, layout=layout, decoder="coco_panoptic")
    made = written(tmp_path / "out", description)
    document = json.loads((tmp_path / "out/panoptic.json").read_text())
    labels = [each.label.removeprefix("p/") for each in made]
    assert [each["file_name"] for each in document["annotations"]] == labels
    assert document["images"][0] == {
        "id": "00001", "file_name": "00001.jpg", "width": 48, "height": 32,
    }  # fmt: skip
    categories = {each["id"] for each in document["categories"]}
    used = {s["category_id"] for a in document["annotations"] for s in a["segments_info"]}
    assert used <= categories == {*range(25)}


def test_companions_lie_beside_every_label_that_has_the_ending(tmp_path):
    companions = [Companion("colour", "_id.png", "_color.png"), Companion("colour", "no", "such")]
    description = replace(PLAIN, companions=companions, texts={"License.txt": "free\n"})
    written(tmp_path / "out", description, [replace(PARTS[0], labels="some")])
    found = {path.name for path in (tmp_path / "out").rglob("*") if "photos" not in str(path)}
    assert {"00001_id.png", "00001_color.png", "00003_color.png", "License.txt"} <= found
    assert "00002_color.png" not in found


def test_progress_counts_images(tmp_path):
    seen = []
    written(tmp_path / "out", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_keys_look_like_the_published_ones():
    keys = [key22(number) for number in range(2000)]
    assert len({*keys}) == 2000
    assert {len(key) for key in keys} == {22}
    assert not [key for key in keys if key.startswith((".", "-")) or "/" in key]
    assert hex8_hex8(0) != hex8_hex8(1)
