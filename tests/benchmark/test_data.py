"""Generated data: the splits that cells read are generated, and no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmark import data
from benchmark.cell import Cell
from benchmark.domains import GENERATED
from benchmark.errors import FragmentError, UdabenchError
from benchmark.plan import PlannedCell

SMALL = {"height": 32, "width": 64, "train_images": 2, "test_images": 1}


def planned(roles: dict[str, str], **world: Any) -> PlannedCell:
    domains = {
        name: {"reader": GENERATED, "domain": name, "world": {**SMALL, **world}} for name in roles
    }
    cell = Cell("m", "e", "s", 0)
    return PlannedCell(cell, None, {"roles": roles, "domains": domains}, "missing", "")


def test_trained_domains_need_both_splits_and_unseen_ones_the_test_split() -> None:
    roles = {"synthetic": "source", "real": "target", "fog": "unseen"}
    found = data.needs([planned(roles), planned(roles), planned({"snow": "unseen"})])
    assert found == {
        json.dumps(SMALL, sort_keys=True): [
            ("synthetic", "train"), ("synthetic", "test"), ("real", "train"), ("real", "test"),
            ("fog", "test"), ("snow", "test"),
        ]
    }  # fmt: skip


def test_different_worlds_are_kept_apart_and_other_readers_left_alone() -> None:
    other = planned({"city": "source"})
    other.config["domains"]["city"]["reader"] = "Cityscapes"
    cells = [planned({"fog": "unseen"}), planned({"fog": "unseen"}, gap=0.5), other]
    assert list(data.needs(cells).values()) == [[("fog", "test")], [("fog", "test")]]


def test_what_is_needed_is_generated_once_into_the_cache(
    configs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "cores", lambda: 1)
    calls: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        calls.append((done, total))

    cells = [planned({"synthetic": "source", "fog": "unseen"})]
    (folder,) = data.prepare(cells, progress)
    assert folder.parent == tmp_path / "cache" / "minidrive"
    images = sorted(str(path.relative_to(folder).parent) for path in folder.rglob("images/*.png"))
    train, test = "synthetic/train/images", "synthetic/test/images"
    assert images == ["fog/test/images", test, train, train]
    assert calls[-1] == (4, 4)
    assert [key for key, _ in data.cached_worlds()] == [folder.name]
    calls.clear()
    assert data.prepare(cells, progress) == [folder]
    assert calls == []


@pytest.mark.parametrize("world", [{"gap": 7.0}, {"colour": 1}])
def test_an_impossible_world_is_a_fault_of_the_fragment(world: dict[str, Any]) -> None:
    with pytest.raises(FragmentError, match="configs/domains: world = "):
        data.generate({**SMALL, **world})


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(UdabenchError, match=r"file.*UDABENCH_CACHE moves it"):
        data.generate(SMALL, [("fog", "test")])


def test_preview_writes_a_contact_sheet(udabench: Any, configs: Any, tmp_path: Path) -> None:
    world = f"reader = 'MiniDrive'\ndomain = 'real'\nworld = {SMALL | {'test_images': 5}}\n"
    configs.fragment("domain", "here", world)
    found = udabench("data", "preview", "minidrive", "--out", "new/sheet.png")
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "new" / "sheet.png").read_bytes().startswith(b"\x89PNG")
    wrong = udabench("data", "preview", "minidrive", "--out", "sheet.jpg")
    assert wrong.returncode == 1
    assert "expected a file that ends in .png" in wrong.stderr
