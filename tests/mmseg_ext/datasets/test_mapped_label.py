"""The table from a data set's ids to train ids, and what strict reading refuses."""

from __future__ import annotations

import encodings_of as write
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_ext.datasets.label_table import id_counts, table, train_ids_of
from mmseg_ext.datasets.mapped_label import ReadMappedLabel
from mmseg_ext.errors import InvalidLabelError

MAP = {7: 0, 8: 1, 26: 13, 33: 18}
IDS = np.random.default_rng(3).choice(np.array([0, 7, 8, 26, 33, 34], np.uint8), (12, 20))


def reader(**changes):
    arguments = {"decoder": "id_png", "label_map": MAP, "values": range(35), **changes}
    return ReadMappedLabel(**arguments)


def expected(ids):
    return np.array([[MAP.get(int(value), 255) for value in row] for row in ids], np.uint8)


def read(tmp_path, content, made=None, **results):
    path = write.tree(tmp_path, {"1.png": content}) / "1.png"
    return (made or reader()).transform({"seg_map_path": str(path), **results})


def test_ids_become_train_ids(tmp_path):
    results = read(tmp_path, write.grey(IDS), ori_shape=(12, 20))
    assert np.array_equal(results["gt_seg_map"], expected(IDS))
    assert results["gt_seg_map"].dtype == np.uint8
    assert results["seg_fields"] == ["gt_seg_map"]


def test_keys_may_be_text_as_in_json(tmp_path):
    made = reader(label_map={str(key): value for key, value in MAP.items()})
    assert np.array_equal(read(tmp_path, write.grey(IDS), made)["gt_seg_map"], expected(IDS))


def test_16_bit_ids(tmp_path):
    made = reader(decoder="png16_class_in_r")
    wide = IDS.astype(np.uint16)
    assert np.array_equal(read(tmp_path, write.rgb(wide), made)["gt_seg_map"], expected(IDS))
    wide[0, 0] = 7 + 256  # the same in its low byte
    with pytest.raises(InvalidLabelError, match=r"values \[263\] do not occur"):
        read(tmp_path, write.rgb(wide), made)


def test_files_that_were_converted_before_are_refused(tmp_path):
    with pytest.raises(InvalidLabelError, match=r"values \[255\].*converted before"):
        read(tmp_path, write.grey(expected(IDS)))


def test_of_many_unknown_ids_a_few_are_shown(tmp_path):
    with pytest.raises(InvalidLabelError, match=r"\[35, 36.*42\] and 213 more"):
        read(tmp_path, write.grey(np.arange(256, dtype=np.uint8).reshape(16, 16)))


@pytest.mark.parametrize("fit", ["exact", "resize"])
def test_a_label_of_another_size(tmp_path, fit):
    made = reader(fit=fit)
    if fit == "exact":
        with pytest.raises(InvalidLabelError, match=r"size \(12, 20\) differs.*\(24, 40\)"):
            read(tmp_path, write.grey(IDS), made, ori_shape=(24, 40))
    else:
        found = read(tmp_path, write.grey(IDS), made, ori_shape=(24, 40))["gt_seg_map"]
        assert np.array_equal(found, expected(IDS).repeat(2, 0).repeat(2, 1))
    with pytest.raises(InvalidLabelError, match="differs"):  # transposed is always wrong
        read(tmp_path, write.grey(IDS), made, ori_shape=(20, 12))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoder": "png"}, "expected one of id_png"),
        ({"fit": "crop"}, "expected 'exact' or 'resize'"),
        ({"values": [256]}, "256 is no 8-bit id"),
        ({"values": [7]}, "id 8 is not among"),
        ({"label_map": {7: 19}}, "7 -> 19 is no train id"),
        ({"label_map": {300: 1}}, "id 300 is not among"),
    ],
)
def test_arguments_that_do_not_fit_together(changes, message):
    with pytest.raises(ValueError, match=message):
        reader(**changes)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_the_table_against_a_dictionary(data):
    values = data.draw(st.sets(st.integers(0, 255), min_size=1))
    chosen = data.draw(st.sets(st.sampled_from(sorted(values))))
    label_map = {v: data.draw(st.sampled_from([*range(19), 255])) for v in sorted(chosen)}
    seen = data.draw(st.lists(st.integers(0, 300), min_size=1, max_size=12))
    raw = np.array([seen], np.uint16 if max(seen) > 255 else np.uint8)
    counts = id_counts(raw)
    assert counts[256] == sum(value > 255 for value in seen)
    assert all(counts[value] == seen.count(value) for value in range(256))
    if set(seen) <= values:
        found = train_ids_of(raw, *table(label_map, sorted(values)), "label.png")
        assert found.tolist() == [[label_map.get(value, 255) for value in seen]]
    else:
        with pytest.raises(InvalidLabelError, match=r"^label\.png: values "):
            train_ids_of(raw, *table(label_map, sorted(values)), "label.png")
