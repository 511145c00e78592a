"""Which image belongs to which label, in all the ways that people unpack things."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from encodings_of import tree
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_ext.datasets.files import Listing, scan
from mmseg_ext.datasets.layouts import Layout, find, match
from mmseg_ext.datasets.panoptic import segments_of
from mmseg_ext.errors import EmptyDomainError, UnreadableFileError

CITYSCAPES = Layout(
    "official",
    "leftImg8bit/{split}/{city}/{frame}_leftImg8bit.png",
    "gtFine/{split}/{city}/{frame}_gtFine_labelIds.png",
)
SPLITS = {"split": ("train", "val", "test")}


def listing(*files):
    return Listing(Path("/data"), tuple(sorted(files)))


def pair(split, frame, city="ulm", suffix="png", before=""):
    return (
        f"{before}leftImg8bit/{split}/{city}/{frame}_leftImg8bit.{suffix}",
        f"{before}gtFine/{split}/{city}/{frame}_gtFine_labelIds.png",
    )


@pytest.mark.parametrize("before", ["", "x/", "leftImg8bit_trainvaltest/", "all.zip/", "a b/[c]#/"])
def test_anything_may_stand_before_a_layout(before):
    image, label = pair("train", "1", before=before)
    found = find(listing(image, label), [CITYSCAPES], SPLITS, {"split": "train"})
    assert [(s.image, s.label) for s in found.samples] == [(image, label)]


def test_image_and_label_may_be_in_different_archives():
    image, label = pair("train", "1")
    files = (f"a.zip/{image}", f"down/b.zip/{label}")
    found = find(listing(*files), [CITYSCAPES], SPLITS, {"split": "train"})
    assert (found.samples[0].image, found.samples[0].label) == files


def test_only_the_wanted_split_and_several_at_once():
    files = [path for split in SPLITS["split"] for path in pair(split, f"f_{split}")]
    for where, expected in (
        ({"split": "val"}, ["f_val"]),
        ({"split": ("test", "train")}, ["f_test", "f_train"]),
        ({}, ["f_test", "f_train", "f_val"]),
    ):
        found = find(listing(*files), [CITYSCAPES], SPLITS, where)
        assert [s.values["frame"] for s in found.samples] == expected


def test_values_are_whole_names_not_expressions():
    layout = Layout("a", "{split}/{frame}.jpg")
    files = listing("train/1.jpg", "train_ref/2.jpg", "trainx/3.jpg", "train/sub/4.jpg")
    assert [s.image for s in match(files, layout, {}, {"split": "train"}).samples] == [
        "train/1.jpg"
    ]
    frames = match(files, layout, {"frame": r"\d"}, {"split": "train_ref"})
    assert [s.image for s in frames.samples] == ["train_ref/2.jpg"]


def test_the_case_of_a_suffix_does_not_matter():
    image, label = pair("train", "1", suffix="PNG")
    found = find(listing(image, label), [CITYSCAPES], SPLITS, {"split": "train"})
    assert found.samples[0].label == label
    # But the rest of a name does.
    assert not match(listing(image.replace("left", "LEFT")), CITYSCAPES, SPLITS, {}).samples


@pytest.mark.parametrize("frame", ["a b", "a[1]", "a#1", "a+b", "ä", "a\nb", "a.b", "{frame}"])
def test_unusual_names(frame):
    files = pair("train", frame, city="[x] y")
    found = find(listing(*files), [CITYSCAPES], SPLITS, {"split": "train"})
    assert (found.samples[0].image, found.samples[0].label) == files


def test_a_dot_is_a_dot_and_needs_no_suffix_after_it():
    layout = Layout("a", "v1.2/images/{frame}.jpg", "v1.2/{frame}")
    found = match(listing("v1.2/images/7.jpg", "v1.2/7", "v1x2/images/8.jpg"), layout, {}, {})
    assert [(s.image, s.label) for s in found.samples] == [("v1.2/images/7.jpg", "v1.2/7")]


def test_layouts_are_tried_in_order_until_one_has_labels():
    flat = Layout("flat", "{frame}_leftImg8bit.png", "{frame}_gtFine_labelIds.png")
    image, label = pair("train", "1")
    both = [CITYSCAPES, flat]
    assert find(listing(image, label), both, SPLITS, {"split": "train"}).layout is CITYSCAPES
    assert find(listing("1_leftImg8bit.png", label), both, SPLITS, {}).layout is flat
    # A flattened layout cannot tell the splits apart, so it must not be taken for one.
    with pytest.raises(EmptyDomainError, match="layout flat does not tell split apart"):
        find(listing("1_leftImg8bit.png", label), both, SPLITS, {"split": "train"})


def test_missing_orphaned_and_repeated_files_are_told():
    first, second, third = pair("train", "1"), pair("train", "2"), pair("train", "3")
    twice = f"copy.zip/{first[0]}", f"copy/{first[1]}"
    files = listing(*first, second[0], third[1], *twice)
    found = find(files, [CITYSCAPES], SPLITS, {"split": "train"})
    assert found.unlabelled == (second[0],)
    assert found.orphans == (third[1],)
    assert sorted(found.duplicates) in ([twice[0], twice[1]], [twice[0], first[1]])
    assert found.samples[0].image == first[0]  # the folder goes before the archive
    assert len(found.samples) == 2


def test_a_label_that_two_images_could_have_is_given_to_one():
    layout = Layout("a", "images/{place}/{frame}.jpg", "labels/{frame}.png")
    files = listing("images/x/1.jpg", "images/y/1.jpg", "labels/1.png")
    found = match(files, layout, {}, {})
    assert len(found.samples) == 1
    assert len(found.duplicates) == 1
    # Without labels nothing is ambiguous.
    assert len(match(files, Layout("a", layout.images), {}, {}).samples) == 2


def test_two_labels_for_one_image_are_told():
    layout = Layout("a", "images/{frame}.jpg", "{kind}/{frame}.png")
    files = listing("images/1.jpg", "coarse/1.png", "fine/1.png")
    found = match(files, layout, {}, {})
    assert (found.samples[0].label, found.duplicates) == ("coarse/1.png", ("fine/1.png",))


LISTED = Layout("lists", "RGB/{seq}/{frame}.png", "gt/{seq}/{frame}.png", None, {"light": "l.txt"})


def test_lists_with_equal_base_names(tmp_path):
    names = [f"{kind}/{seq}/1.png" for kind in ("RGB", "gt") for seq in ("a", "b", "c")]
    text = "\ufeffRGB/a/1.png\r\n\n ./RGB\\c\\1.png \nRGB/gone/1.png\n"
    tree(tmp_path, {**dict.fromkeys(names, b""), "l.txt": text.encode()})
    found = find(scan(tmp_path), [LISTED], {}, {"split": "light"})
    assert [s.image for s in found.samples] == ["RGB/a/1.png", "RGB/c/1.png"]
    assert found.absent == ("RGB/gone/1.png",)
    assert found.orphans == ()


def test_a_missing_list_is_named(tmp_path):
    tree(tmp_path, {"RGB/a/1.png": b"", "gt/a/1.png": b""})
    with pytest.raises(EmptyDomainError, match=r"lists of the splits name.*l\.txt"):
        find(scan(tmp_path), [LISTED], {}, {"split": "light"})


def test_nothing_found_says_what_was_tried_and_what_is_there(tmp_path):
    tree(tmp_path, {"other/1.png": b"", "RGB.rar": b""})
    (tmp_path / "half.zip").write_bytes(b"PK\x03\x04 not all of it")
    with pytest.raises(EmptyDomainError) as caught:
        find(scan(tmp_path), [CITYSCAPES], SPLITS, {"split": "train"})
    for part in (CITYSCAPES.images, "other/1.png", "RGB.rar must be unpacked", "half.zip", "train"):
        assert part in str(caught.value)
    tree(tmp_path, {pair("train", "1")[1]: b""})
    with pytest.raises(EmptyDomainError, match="1 labels are there, but none of their images"):
        find(scan(tmp_path), [CITYSCAPES], SPLITS, {"split": "train"})
    (tmp_path / pair("train", "1")[1]).unlink()
    tree(tmp_path, {pair("train", "1")[0]: b""})
    with pytest.raises(EmptyDomainError, match="1 images are there, but none of their labels"):
        find(scan(tmp_path), [CITYSCAPES], SPLITS, {"split": "train"})


PANOPTIC = Layout("p", "images/{frame}.jpg", "panoptic/{frame}.png", "panoptic.json")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"annotations": 3}',
        b'{"annotations": [{"file_name": "1.png"}]}',
        b'{"annotations": [{"file_name": "1.png", "segments_info": [{"id": 1e999}]}]}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_another_file_instead_of_a_panoptic_one_is_named(tmp_path, content):
    tree(tmp_path, {"images/1.jpg": b"", "panoptic/1.png": b"", "panoptic.json": content})
    listing = scan(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"panoptic\.json"):
        segments_of(listing, find(listing, [PANOPTIC], {}, {}))


def test_the_segments_of_a_panoptic_file(tmp_path):
    info = [{"id": 70000, "category_id": 26}, {"id": 3, "category_id": 7}]
    document = {"annotations": [{"file_name": "1.png", "segments_info": info}]}
    content = json.dumps(document).encode()
    tree(tmp_path, {"images/1.jpg": b"", "panoptic/1.png": b"", "panoptic.json": content})
    listing = scan(tmp_path)
    found = find(listing, [PANOPTIC], {}, {})
    assert segments_of(listing, found) == {"1.png": {70000: 26, 3: 7}}
    (tmp_path / "panoptic.json").unlink()
    with pytest.raises(UnreadableFileError, match=r"panoptic\.json is missing"):
        segments_of(scan(tmp_path), find(scan(tmp_path), [PANOPTIC], {}, {}))


name = st.text("ab_-. 1é", min_size=1, max_size=6).filter(lambda text: text.strip(". ") == text)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    frames=st.sets(st.tuples(st.sampled_from(SPLITS["split"]), name, name), max_size=8),
    split=st.sampled_from(SPLITS["split"]),
    before=st.sampled_from(["", "x/", "z.zip/y/"]),
)
def test_each_image_gets_its_own_label(frames, split, before):
    files = [
        path for at, city, frame in frames for path in pair(at, frame, city=city, before=before)
    ]
    found = match(listing(*files), CITYSCAPES, SPLITS, {"split": split})
    expected = {pair(at, f, city=city, before=before) for at, city, f in frames if at == split}
    assert {(s.image, s.label) for s in found.samples} == expected
    assert found.unlabelled == found.orphans == found.duplicates == ()


def test_a_whole_data_set_is_matched_in_a_second():
    files = [
        path
        for split, frames in (("train", 2975), ("val", 500), ("test", 1525))
        for frame in range(frames)
        for path in (
            *pair(split, f"ulm_{frame:06}_000019"),
            f"gtFine/{split}/ulm/ulm_{frame:06}_000019_gtFine_color.png",
            f"gtFine/{split}/ulm/ulm_{frame:06}_000019_gtFine_polygons.json",
        )
    ]
    begun = time.process_time()
    found = find(listing(*files), [CITYSCAPES], SPLITS, {"split": "train"})
    assert time.process_time() - begun < 1.0
    assert len(files) == 20_000
    assert len(found.samples) == 2975
