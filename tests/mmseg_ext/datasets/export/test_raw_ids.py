"""Label maps turned round: every id is one that the table maps back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_ext.datasets.export import RawIds
from mmseg_ext.datasets.mapped_label import table

LABEL = np.arange(24 * 60).reshape(24, 60) % 20
LABEL[LABEL == 19] = 255
LABEL = LABEL.astype(np.uint8)


def expressed(label, *maps):
    known = set.intersection(*({*each.values()} for each in maps))
    return np.where(np.isin(label, sorted(known)), label, 255)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    label_map=st.dictionaries(st.integers(0, 254), st.integers(0, 18), max_size=60),
    turn=st.integers(0, 100),
)
def test_the_table_maps_raw_ids_back(label_map, turn):
    ids = RawIds.inverting([label_map], range(256))
    raw = ids.apply(LABEL, turn)
    assert np.array_equal(table(label_map, range(256))[0][raw], expressed(LABEL, label_map))
    assert np.array_equal(ids.kept(LABEL), expressed(LABEL, label_map))
    assert {*ids.missing} == {*range(19)} - {*label_map.values()}


def test_every_id_of_a_class_has_its_turn_and_place():
    ids = RawIds.inverting([{value: value // 4 for value in range(76)}], range(100))
    label = np.zeros((64, 128), np.uint8)
    assert {*np.unique(ids.apply(label))} == {0, 1, 2, 3}
    corners = [ids.apply(label, turn)[0, 0] for turn in range(4)]
    assert sorted(corners) == [0, 1, 2, 3]
    void = np.full((4, 4), 255, np.uint8)
    seen = {int(v) for turn in range(24) for v in np.unique(ids.apply(void, turn))}
    assert seen == {*range(76, 100)}


def test_ids_on_which_the_tables_agree_are_preferred():
    first, second = {1: 0, 2: 0, 3: 1, 4: 2}, {1: 0, 3: 1, 2: 5}
    ids = RawIds.inverting([first, second], range(8))
    assert ids.of_class[:3] == ((1,), (3,), (4,))  # class 2 only in the first
    assert ids.void == (0, 5, 6, 7)


def test_an_absent_class_is_void_and_its_ids_are_used_for_nothing():
    ids = RawIds.inverting([{1: 9, 2: 0}], range(4)).without([9])
    assert 9 in ids.missing
    raw = ids.apply(np.array([[9, 0, 255]] * 3, np.uint8))
    assert {*np.unique(raw)} == {0, 2, 3}
    assert ids.kept(np.array([9, 0], np.uint8)).tolist() == [255, 0]


def test_a_table_without_void_cannot_be_inverted():
    with pytest.raises(ValueError, match="every id of this data set stands for a class"):
        RawIds.inverting([{0: 0, 1: 1}], range(2))
