"""Every kind of broken file is a named error with the file's path, and nothing is read wrongly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmseg_ext.datasets.reading import ReadImage, ReadLabel
from mmseg_ext.errors import InvalidLabelError, UnreadableFileError


@pytest.fixture
def image_path(tmp_path):
    path = tmp_path / "image.png"
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (8, 16, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(small, (128, 64)))
    return path


def write_label(path, label):
    assert cv2.imwrite(str(path), label)
    return str(path)


def test_an_image_is_read_in_bgr_with_its_size(image_path):
    results = ReadImage()({"img_path": str(image_path)})
    assert np.array_equal(results["img"], cv2.imread(str(image_path)))
    assert results["ori_shape"] == results["img_shape"] == (64, 128)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_image_is_refused_by_name_or_read_unchanged(image_path, data):
    whole = image_path.read_bytes()
    pixels = cv2.imread(str(image_path))
    if data.draw(st.booleans(), label="truncate"):
        broken = whole[: data.draw(st.integers(0, len(whole) - 13), label="length")]
    else:
        position = data.draw(st.integers(0, len(whole) - 13), label="position")
        bit = data.draw(st.integers(0, 7), label="bit")
        broken = bytearray(whole)
        broken[position] ^= 1 << bit
    damaged = image_path.with_name("damaged.png")
    damaged.write_bytes(bytes(broken))
    message = str(damaged)
    try:
        results = ReadImage()({"img_path": str(damaged)})
    except UnreadableFileError as error:
        message = str(error)
        results = {"img": pixels}
    assert str(damaged) in message
    assert np.array_equal(results["img"], pixels)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused(tmp_path, content):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"x\.png: not a whole image"):
        ReadImage()({"img_path": str(path)})


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "nothing.png", tmp_path):
        with pytest.raises(UnreadableFileError, match="cannot read"):
            ReadImage()({"img_path": str(path)})


def test_a_label_keeps_its_ids(tmp_path):
    label = np.arange(19, dtype=np.uint8).reshape(1, 19).repeat(3, axis=0)
    label[0, 0] = 255
    results = ReadLabel()({"seg_map_path": write_label(tmp_path / "l.png", label)})
    assert np.array_equal(results["gt_seg_map"], label)
    assert results["seg_fields"] == ["gt_seg_map"]


def test_values_outside_the_vocabulary_are_named(tmp_path):
    label = np.full((4, 4), 3, np.uint8)
    label[1, 1], label[2, 2] = 19, 200
    with pytest.raises(InvalidLabelError, match=r"\[19, 200\] are not train ids"):
        ReadLabel()({"seg_map_path": write_label(tmp_path / "l.png", label)})


@pytest.mark.parametrize("label", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint16)])
def test_colour_and_16_bit_labels_are_refused(tmp_path, label):
    with pytest.raises(InvalidLabelError, match="one channel of 8-bit"):
        ReadLabel()({"seg_map_path": write_label(tmp_path / "l.png", label)})


def test_a_label_of_another_size_is_refused(tmp_path):
    path = write_label(tmp_path / "l.png", np.zeros((4, 6), np.uint8))
    with pytest.raises(InvalidLabelError, match="differs from its image"):
        ReadLabel()({"seg_map_path": path, "img_shape": (4, 4)})
