"""Examples on disk: which images they are, and which of them may be shown."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark import examples
from benchmark.cell import Cell

CELL = Cell("dacs", "small", "there", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cell's two examples, as its worker leaves them."""
    digests = {}
    for name in ("far/1", "near/7"):
        place = tmp_path / "examples" / name
        place.mkdir(parents=True)
        for file in (examples.IMAGE, examples.TRUTH):
            (place / file).write_bytes(b"x")
        (place / f"{CELL.stem}.png").write_bytes(name.encode())
        digests[name] = hashlib.sha256(name.encode()).hexdigest()
    manifest = {"cell": CELL.stem, "identity": "abc", "predictions": digests}
    (tmp_path / f"examples/{CELL.stem}.json").write_text(json.dumps(manifest))
    return tmp_path


def shown(folder: Path, identity: str = "abc") -> list[tuple[str, str]]:
    return [(each.domain, each.image_id) for each in examples.read(folder, CELL, identity)]


@pytest.mark.parametrize(
    ("images", "expected"), [(160, [40, 120]), (500, [125, 375]), (3, [0, 2]), (1, [0]), (0, [])]
)
def test_places_are_spread_evenly(images: int, expected: list[int]) -> None:
    assert examples.places(images) == expected


def test_only_the_first_seed_is_kept() -> None:
    suite: Any = SimpleNamespace(seeds=(2, 5))
    assert examples.are_wanted(Cell("m", "e", "s", 2), suite)
    assert not examples.are_wanted(Cell("m", "e", "s", 5), suite)


def test_whole_examples_of_the_record_are_shown(folder: Path) -> None:
    assert shown(folder) == [("far", "1"), ("near", "7")]


def test_those_of_another_record_are_not(folder: Path) -> None:
    assert shown(folder, "abcd") == []
    assert examples.read(folder, Cell("mic", "small", "there", 0), "abc") == []


def test_what_is_damaged_is_left_out(folder: Path) -> None:
    (folder / f"examples/far/1/{CELL.stem}.png").write_bytes(b"of another run")
    assert shown(folder) == [("near", "7")]
    (folder / "examples/near/7" / examples.TRUTH).unlink()
    assert shown(folder) == []
    (folder / f"examples/{CELL.stem}.json").write_text('{"identity": "abc"')
    assert shown(folder) == []


def test_of_images_in_groups_the_middle_one_of_each_is_shown() -> None:
    assert examples.chosen(160, ()) == [(40, ""), (120, "")]
    assert examples.chosen(160, [None] * 160) == [(40, ""), (120, "")]
    groups = ["snow", "fog", None, "fog", "fog", "snow"]
    assert examples.chosen(6, groups) == [(3, "fog"), (5, "snow")]


def test_the_group_of_an_image_is_told(folder: Path) -> None:
    manifest = folder / f"examples/{CELL.stem}.json"
    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**document, "groups": {"near/7": "fog"}}))
    assert [each.group for each in examples.read(folder, CELL, "abc")] == ["", "fog"]
