"""Missing data sets are named before anything runs, once each."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmark import domains, plan, registry
from benchmark.cli import EXIT_USAGE, main
from benchmark.data_roots import DataRoots
from benchmark.missing_data import missing_data
from benchmark.plan import PlannedCell

ONLY = {"method": ["dacs", "oracle"], "encoder": ["mit-b5"], "shift": ["gta5-cityscapes"]}
SETS = ("gta5", "cityscapes", "bdd100k", "mapillary-v1.2", "acdc")


@pytest.fixture(autouse=True)
def no_other_places(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("", "_GTA5", "_CITYSCAPES", "_BDD100K", "_MAPILLARY", "_ACDC"):
        monkeypatch.delenv(f"UDABENCH_DATA_ROOT{name}", raising=False)


@pytest.fixture
def cells(tmp_path: Path) -> list[PlannedCell]:
    return plan.load("paper", tmp_path / "results", seeds=1, only=ONLY).due()


def cityscapes(root: Path, *splits: str, labels: bool = True) -> None:
    for split in splits:
        for kind, ending in (("leftImg8bit", "leftImg8bit"), ("gtFine", "gtFine_labelIds")):
            if labels or kind == "leftImg8bit":
                path = root / "cityscapes" / kind / split / "a" / f"a_000000_000019_{ending}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"only its name is looked at")


def found(cells: list[PlannedCell], root: Path | None) -> dict[str, str]:
    return {text.split()[2]: text for text in missing_data(cells, DataRoots(root))}


def test_each_data_set_is_named_once_with_where_to_get_it(
    cells: list[PlannedCell], tmp_path: Path
) -> None:
    texts = missing_data(cells, DataRoots(tmp_path))
    assert [text.split()[2] for text in texts] == [*SETS[:4], "acdc"]
    text = found(cells, tmp_path)["cityscapes"]
    for part in (
        f"looked in {tmp_path / 'cityscapes'}",
        "https://www.cityscapes-dataset.com/downloads/ (account)",
        "leftImg8bit_trainvaltest.zip, gtFine_trainvaltest.zip",
        "--data-root DIR (a folder with cityscapes/ in it) or UDABENCH_DATA_ROOT_CITYSCAPES",
        "udabench data check cityscapes",
    ):
        assert part in text
    assert text.count("cityscapes (training)") == 1


def test_without_any_place_nothing_is_looked_for(cells: list[PlannedCell]) -> None:
    texts = found(cells, None)
    assert set(texts) == set(SETS)
    assert all("nobody said where it is" in text for text in texts.values())


def test_what_is_there_is_not_named(cells: list[PlannedCell], tmp_path: Path) -> None:
    cityscapes(tmp_path, "train", "val")
    assert set(found(cells, tmp_path)) == set(SETS) - {"cityscapes"}


def test_a_split_that_is_only_scored_on_is_missed_too(
    cells: list[PlannedCell], tmp_path: Path
) -> None:
    cityscapes(tmp_path, "train")
    text = found(cells, tmp_path)["cityscapes"]
    assert "cityscapes (scoring): no data here that fits a known layout" in text
    assert "split = val" in text
    assert "(training)" not in text


def test_labels_are_missed_where_they_are_read_and_only_there(
    cells: list[PlannedCell], tmp_path: Path
) -> None:
    cityscapes(tmp_path, "val")
    cityscapes(tmp_path, "train", labels=False)
    dacs = [each for each in cells if each.cell.method == "dacs"]
    oracle = [each for each in cells if each.cell.method == "oracle"]
    assert "cityscapes" not in found(dacs, tmp_path)
    assert "none of their labels" in found(oracle, tmp_path)["cityscapes"]


def test_images_that_are_left_out_need_no_label(cells: list[PlannedCell], tmp_path: Path) -> None:
    put = (
        "images/10k/val/00000000-00000000.jpg",
        "labels/sem_seg/masks/val/00000000-00000000.png",
        "images/10k/val/3d581db5-2564fb7e.jpg",  # of the first image archive, never labelled
    )
    for name in put:
        path = tmp_path / "bdd100k" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert "bdd100k" not in found(cells, tmp_path)
    (tmp_path / "bdd100k/images/10k/val/ffffffff-ffffffff.jpg").touch()
    assert "1 of 3 images have no label" in found(cells, tmp_path)["bdd100k"]


def test_a_damaged_archive_is_said_before_anything_runs(
    cells: list[PlannedCell], tmp_path: Path
) -> None:
    cityscapes(tmp_path, "train", "val")
    (tmp_path / "cityscapes/gtFine_trainvaltest.zip").write_bytes(b"the first half")
    assert "gtFine_trainvaltest.zip: not a whole zip" in found(cells, tmp_path)["cityscapes"]


def test_a_panoptic_file_is_missed_before_anything_runs(tmp_path: Path) -> None:
    domain = registry.find("domain", "wilddash2")
    reader = domains.as_published(domain, "test", labelled=True)
    config = {
        "domains": {"wilddash2": domains.facts(domain)},
        "train_dataloader": {"dataset": {"source": None, "target": None}},
        "test_dataloader": {"wilddash2": {"dataset": reader}},
    }
    cell: Any = SimpleNamespace(config=config)
    for name in ("images/a.jpg", "panoptic/a.png"):
        path = tmp_path / "wilddash2" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert "panoptic.json is missing" in found([cell], tmp_path)["wilddash2"]
    (tmp_path / "wilddash2/panoptic.json").write_text("{")
    assert "not a COCO panoptic file" in found([cell], tmp_path)["wilddash2"]
    (tmp_path / "wilddash2/panoptic.json").write_text('{"annotations": []}')
    assert found([cell], tmp_path) == {}


def test_its_own_variable_says_where_a_data_set_lies(
    cells: list[PlannedCell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cityscapes(tmp_path / "elsewhere", "train", "val")
    monkeypatch.setenv("UDABENCH_DATA_ROOT_CITYSCAPES", str(tmp_path / "elsewhere/cityscapes"))
    assert "cityscapes" not in found(cells, None)


def test_generated_worlds_are_never_missing(tmp_path: Path) -> None:
    assert missing_data(plan.load("demo", tmp_path).due(), DataRoots(None)) == []


def test_run_refuses_and_plan_lists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UDABENCH_WEIGHTS", raising=False)
    options = ["paper", "--only", "method=dacs,encoder=mit-b5,shift=gta5-cityscapes"]
    options += ["--seeds", "1", "--data-root", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(["run", *options]) == EXIT_USAGE
    error = capsys.readouterr().err
    assert "weights of mit-b5" in error
    assert "data set gta5" in error
    assert not (tmp_path / "out").exists()
    assert main(["plan", *options]) == 0
    assert "data set gta5" in capsys.readouterr().out
    assert main(["plan", *options, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [text.split()[2] for text in document["lacking"] if "data set" in text] == [*SETS]
    assert main(["status", *options]) == 3
    assert "data set acdc" in capsys.readouterr().out
