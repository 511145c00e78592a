"""Inspecting a sample: whatever the files hold, the answer is a finding."""

from __future__ import annotations

import json

import encodings_of as write
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_ext.datasets import inspection
from mmseg_ext.datasets.inspection import Finding, Rules, Subject, inspect

IDS = np.random.default_rng(0).integers(0, 30, (10, 14), np.uint8)
NAMES = {"road": 7, "car": 26}
LABELS = {
    "id_png": write.grey(IDS),
    "palette_index_png": write.palette(IDS),
    "png16_class_in_r": write.rgb(IDS.astype(np.uint16)),
    "channel0_png": write.rgb(IDS),
    "coco_panoptic": write.rgb(IDS),
    "polygon_json": write.polygons(14, 10, ("road", [[0, 0], [13, 0], [13, 9], [0, 9]])),
}
IMAGES = {"image.png": write.photo(10, 14), "image.jpg": write.photo(10, 14, suffix=".jpg")}
SEGMENTS = {value: value for value in range(1, 30)}


def rules(decoder):
    return Rules(decoder, (*range(35), 255), names=NAMES)


def subject(image="image.png"):
    return Subject(image, "label", SEGMENTS)


@pytest.mark.parametrize("decoder", LABELS)
@pytest.mark.parametrize("image", IMAGES)
def test_a_whole_sample(tmp_path, decoder, image):
    write.tree(tmp_path, {**IMAGES, "label": LABELS[decoder]})
    found = inspect(str(tmp_path), subject(image), rules(decoder))
    assert found.problems == ()
    assert found.image_size == found.label_size == (14, 10)
    if decoder != "polygon_json":
        values, counts = np.unique(IDS, return_counts=True)
        assert found.ids == dict(zip(values.tolist(), counts.tolist(), strict=True))
    else:
        assert (found.ids, found.label_mode) == ({7: 140}, "JSON")
    assert Finding.from_plain(json.loads(json.dumps(found.to_plain()))) == found


def test_both_files_are_judged_even_if_one_is_missing(tmp_path):
    found = inspect(str(tmp_path), subject(), rules("id_png"))
    kinds = [kind for kind, _ in found.problems]
    assert kinds == [inspection.UNREADABLE_IMAGE, inspection.UNREADABLE_LABEL]
    assert str(tmp_path) not in str(found.problems)


@pytest.mark.parametrize("decoder", LABELS)
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_no_content_raises(tmp_path_factory, decoder, data):
    root = tmp_path_factory.mktemp("sample")
    files = {"label": LABELS[decoder], "image.png": data.draw(st.sampled_from([*IMAGES.values()]))}
    for name, content in files.items():
        damaged = bytearray(content)
        for _ in range(data.draw(st.integers(0, 2))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        if data.draw(st.booleans()):
            del damaged[data.draw(st.integers(0, len(damaged))) :]
        files[name] = data.draw(st.sampled_from([bytes(damaged), b"", b"{}", bytes(64)]))
    write.tree(root, files)
    found = inspect(str(root), subject(), rules(decoder))
    assert Finding.from_plain(json.loads(json.dumps(found.to_plain()))) == found
    label_is_bad = {k for k, _ in found.problems} & {
        inspection.UNREADABLE_LABEL,
        inspection.INVALID_LABEL,
    }
    if decoder != "polygon_json" and not label_is_bad:
        assert files["label"] == LABELS[decoder]
