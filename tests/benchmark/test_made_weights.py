"""Weights that are made here: once, whole, and as the recipe says."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from benchmark import cli, made_weights, plan, registry, rehearsal
from benchmark import suite as suites
from benchmark.errors import UdabenchError
from benchmark.made_weights import MadeWeights
from benchmark.paths import CellPaths
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime
from benchmark.weights import WeightsFolder, missing_weights

NAMES = ("eva02-mini-clip", "resnet-mini-supervised")


def of(name: str, **constants: Any) -> MadeWeights:
    backbone = dict(registry.find("encoder", name).values["backbone"])
    return MadeWeights(name, {**backbone, "pretrained": {**backbone["pretrained"], **constants}})


def planned(name: str, out: Path) -> plan.PlannedCell:
    return plan.make(suites.load("demo").with_overrides(encoders=[name]), out).entries[0]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """The folders in which a stand-in for the data plane has made weights, each slowly."""
    places: list[Path] = []

    def make(asked: Path, place: Path, progress: Any) -> None:
        assert asked.is_file()
        time.sleep(0.3)
        (place / "weights.safetensors").write_bytes(b"x")
        (place / "facts.json").write_text(
            '{"what": "hits", "accuracy": 0.5, "chance": 0.1, "seconds": 1, "cpu_seconds": 1}'
        )
        places.append(place)

    monkeypatch.setattr(made_weights, "_run", make)
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    return places


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_and_its_modules_are_in_the_identity(name: str, tmp_path: Path) -> None:
    cell = planned(name, tmp_path)
    backbone = cell.config["model"]["segmentor"]["backbone"]
    assert backbone["pretrained"] == registry.find("encoder", name).values["backbone"]["pretrained"]
    assert cell.identity is not None
    assert "mmseg_ext/pretraining/regions.py" in cell.identity.modules
    assert "mmseg_ext/datasets/minidrive/web.py" in cell.identity.modules
    plain = planned("resnet-mini", tmp_path).identity
    assert plain is not None
    assert not any("pretraining" in module for module in plain.modules)
    assert missing_weights([cell], WeightsFolder(None)) == []


def test_the_key_depends_on_the_constants_and_not_on_who_asks() -> None:
    first = of(NAMES[0])
    assert first.key() == of(NAMES[0]).key() != of(NAMES[0], seed=1).key()
    asked_by_a_cell = MadeWeights(
        NAMES[0], {**first.backbone, "weights_of": NAMES[0]}, ["mmseg_ext"]
    )
    assert asked_by_a_cell.key() == first.key()


def test_a_cell_gets_the_file_which_is_made_once(made: list[Path], tmp_path: Path) -> None:
    cell, cache = planned(NAMES[1], tmp_path), tmp_path / "cache"
    runtime = Runtime("cpu", 1, 0, None, cache, WeightsFolder(None))
    runner = for_this_machine(cell.config, CellPaths(tmp_path, cell.cell), runtime)
    backbone = runner["model"]["segmentor"]["backbone"]
    assert backbone["pretrained"] is None
    assert "weights_of" not in backbone
    file = Path(backbone["checkpoint"])
    assert file == of(NAMES[1]).file(cache)
    assert file.read_bytes() == b"x"
    assert len(made) == 1


def test_two_that_ask_at_once_share_one_making(made: list[Path], tmp_path: Path) -> None:
    found: list[Path] = []
    askers = [
        threading.Thread(target=lambda: found.append(of(NAMES[0]).file(tmp_path))) for _ in range(3)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(set(found)) == 1
    assert len(found) == 3
    assert len(made) == 1


def test_what_cannot_be_made_leaves_nothing(
    made: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_weights, "_run", lambda *_: "TypeError: no such constant")
    with pytest.raises(UdabenchError, match=r"eva02-mini-clip cannot be made: .*no such constant"):
        of(NAMES[0]).file(tmp_path)
    assert not of(NAMES[0]).is_made(tmp_path)
    assert [path.suffix for path in (tmp_path / "pretrained").iterdir()] == [".lock"]


def test_leftovers_of_a_killed_process_are_replaced(made: list[Path], tmp_path: Path) -> None:
    folder = of(NAMES[0]).folder(tmp_path)
    leftover = folder.with_name(f".{folder.name}.abc.partial")
    leftover.mkdir(parents=True)
    folder.mkdir()  # damaged: without its files
    of(NAMES[0]).file(tmp_path)
    assert not leftover.exists()
    assert of(NAMES[0]).is_made(tmp_path)


def test_pretrain_tells_what_was_measured(made: list[Path], capsys: Any) -> None:
    assert cli.main(["weights", "pretrain", NAMES[1]]) == 0
    said = capsys.readouterr().out
    assert "hits: 0.500 (chance 0.100)" in said
    assert "sha256 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" in said
    assert cli.main(["weights", "pretrain"]) == 0
    said = capsys.readouterr().out
    assert all(f"{name}: " in said for name in NAMES)
    assert len(made) == 2
    assert cli.main(["weights", "pretrain", "resnet-mini"]) == 2
    assert "resnet-mini: no recipe" in capsys.readouterr().err


def test_a_rehearsal_makes_none(
    made: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = rehearsal.Terms(iterations=3, images=2, shrink=1)
    rehearsal.derived(suites.load("demo"), tmp_path / "configs", terms, WeightsFolder(None))
    monkeypatch.setenv("UDABENCH_CONFIGS", str(tmp_path / "configs"))
    registry.forget()
    try:
        for name in NAMES:
            assert registry.find("encoder", name).values["backbone"]["pretrained"] is None
    finally:
        registry.forget()


def test_what_a_real_process_complains_of_is_passed_on(tmp_path: Path) -> None:
    asked = tmp_path / "job.json"
    asked.write_text("{")
    assert "JSONDecodeError" in str(made_weights._run(asked, tmp_path, None))
