"""What an encoder writes is what the decoder of the same name reads, and what the owners write."""

from __future__ import annotations

import io
import json
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mmseg_ext.datasets.decoders import DECODERS, Context
from mmseg_ext.datasets.export import Legend, RawIds
from mmseg_ext.datasets.export.companions import KINDS
from mmseg_ext.datasets.export.encoders import ENCODERS
from mmseg_ext.datasets.export.png import picture

IDS = range(40)
NAMES = {f"class {value}": value for value in IDS} | {"class 3group": 39, "license plate": -1}
LEGEND = Legend(RawIds(tuple((2 * t, 2 * t + 1) for t in range(19)), (38, 39)), NAMES)


@st.composite
def id_maps(draw):
    """Maps of ids: noise, large areas, single rows and columns, up to 40x40."""
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    ids = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=8, unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    block = draw(st.sampled_from([1, 2, 3, 9]))
    small = rng.integers(0, len(ids), (-(-height // block), -(-width // block)))
    large = np.kron(small, np.ones((block, block), int))[:height, :width]
    return np.array(ids, np.uint8)[large]


def decoded(kind, encoded):
    segments = {each["id"]: each["category_id"] for each in encoded.segments}
    context = Context("a file", segments, NAMES)
    return DECODERS[kind](encoded.content, context)


def test_every_decoder_has_an_encoder():
    assert {*ENCODERS} == {*DECODERS}


@pytest.mark.parametrize("kind", sorted(DECODERS))
@settings(max_examples=60, deadline=None, derandomize=True)
@given(raw=id_maps())
def test_ids_come_back_exactly(kind, raw):
    assert np.array_equal(decoded(kind, ENCODERS[kind](raw, LEGEND)), raw)


@pytest.fixture
def raw():
    """Four quarters and, in the middle, a car in a ring of another class."""
    made = np.zeros((48, 64), np.uint8)
    made[:24, 32:], made[24:, :32], made[24:, 32:] = 38, 2, 5
    made[12:36, 16:48] = 16
    made[18:30, 24:40] = 26  # car
    made[20:24, 2:6] = 26
    return made


def colour_type_and_depth(content):
    depth, kind = struct.unpack_from("BB", content, 24)
    return kind, depth


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("id_png", (0, 8)),
        ("palette_index_png", (3, 8)),
        ("png16_class_in_r", (2, 16)),
        ("channel0_png", (6, 8)),
        ("coco_panoptic", (2, 8)),
    ],
)
def test_files_are_of_the_type_that_the_owners_publish(kind, expected, raw):
    assert colour_type_and_depth(ENCODERS[kind](raw, LEGEND).content) == expected


def test_a_palette_file_looks_like_a_picture_to_opencv(raw):
    content = ENCODERS["palette_index_png"](raw, LEGEND).content
    assert Image.open(io.BytesIO(content)).mode == "P"
    seen = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    assert seen[0, 0].tolist() == [128, 64, 128]  # Cityscapes' road
    assert seen[20, 30].tolist() == [0, 0, 142]  # and car


def test_synthia_files_hold_things_beyond_eight_bits(raw):
    content = ENCODERS["png16_class_in_r"](raw, LEGEND).content
    blue, green, red = cv2.split(cv2.imdecode(np.frombuffer(content, np.uint8), -1))
    assert np.array_equal(red, raw)
    assert not blue.any()
    assert np.array_equal(green > 0, raw == 26)
    assert len(np.unique(green)) == 3  # two cars and nothing
    assert green[20, 30] != green[21, 3]
    high = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))[:, :, 0]
    assert not np.array_equal(high, raw)  # what Pillow makes of it


def test_panoptic_segments_are_areas_and_zero_is_none(raw):
    encoded = ENCODERS["coco_panoptic"](raw, LEGEND)
    cars = [each for each in encoded.segments if each["category_id"] == 26]
    assert sorted(each["area"] for each in cars) == [16, 192]
    assert sorted(each["bbox"] for each in cars) == [[2, 20, 4, 4], [24, 18, 16, 12]]
    assert 0 not in {each["category_id"] for each in encoded.segments}
    ids = [each["id"] for each in encoded.segments]
    assert len({*ids}) == len(ids)
    assert all(any(number >> shift & 255 for number in ids) for shift in (0, 8, 16))
    seen = cv2.imdecode(np.frombuffer(encoded.content, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal((seen == 0).all(axis=2), raw == 0)


def test_polygon_files_are_small_and_hold_what_must_not_be_painted(raw):
    document = json.loads(ENCODERS["polygon_json"](raw, LEGEND).content)
    assert (document["imgWidth"], document["imgHeight"]) == (64, 48)
    objects = document["objects"]
    assert len(objects) == 6 + 1 + 3  # areas, the second car, those not to be painted
    assert any(each["deleted"] for each in objects)
    assert any(len(each["polygon"]) < 3 for each in objects)
    assert any(each["label"] not in NAMES and "group" not in each["label"] for each in objects)
    assert any(each["label"].endswith("group") for each in objects)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(raw=id_maps())
def test_polygons_are_exact_for_another_painter(raw):
    """Painted here by Pillow without the reader's code."""
    objects = json.loads(ENCODERS["polygon_json"](raw, LEGEND).content)["objects"]
    canvas = Image.new("L", raw.shape[::-1], 255)
    painter = ImageDraw.Draw(canvas)
    for each in objects:
        value = NAMES.get(each["label"], NAMES.get(each["label"].removesuffix("group")))
        if not each["deleted"] and len(each["polygon"]) > 2 and value is not None:
            painter.polygon([tuple(point) for point in each["polygon"]], fill=value)
    assert np.array_equal(np.asarray(canvas), raw)


def test_polygons_need_names(raw):
    with pytest.raises(ValueError, match=r"ids \[0, .*have no label name"):
        ENCODERS["polygon_json"](raw, Legend(LEGEND.ids, {"class 2": 2}))


def read_back(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def test_companions_are_other_pictures_of_the_same_label(raw):
    made = {kind: read_back(write(raw, LEGEND)) for kind, write in KINDS.items()}
    assert made["colour"].shape == (48, 64, 3)
    instances = made["instances"]
    assert instances.dtype == np.uint16
    assert np.array_equal(np.where(instances > 1000, instances // 1000, instances), raw)
    assert np.array_equal(made["invalid"], raw == 38)
    assert made["label ids"][0, 0] == 7
    assert made["label ids"][20, 30] == 26  # cars are 26 in Cityscapes too
    assert made["label ids"][0, 40] == 0


def test_images_keep_their_colours():
    image = np.zeros((16, 16, 3), np.uint8)
    image[:] = 250, 120, 10
    assert np.array_equal(read_back(picture(image, "a.png"))[0, 0], [10, 120, 250])
    assert np.abs(read_back(picture(image, "a.jpg"))[0, 0].astype(int) - [10, 120, 250]).max() < 6
    with pytest.raises(ValueError, match=r"a\.gif: expected .* \.png or \.jpg"):
        picture(image, "a.gif")
