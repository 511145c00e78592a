"""Where weights are looked for, and what is said about missing ones."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from benchmark import compose, plan, registry
from benchmark import suite as suites
from benchmark.cell import Cell
from benchmark.errors import UsageError
from benchmark.paths import CellPaths
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime
from benchmark.weights import WeightsFolder, missing_weights

BACKBONE = {"type": "TimmEncoder", "model": "test_vit", "pretrained": "r160_in1k"}
WITH_WEIGHTS = f"backbone = {BACKBONE}\n"


def planned() -> list[plan.PlannedCell]:
    """Two seeds of an encoder without weights and of one with; they reach a plan by its configs."""
    cells = []
    for seed in (0, 1):
        for encoder, backbone in (("small", {}), ("large", {**BACKBONE, "weights_of": "large"})):
            config = {"model": {"segmentor": {"backbone": backbone}}}
            cell = Cell("good", encoder, "there", seed)
            cells.append(plan.PlannedCell(cell, None, config, "missing", ""))
    return cells


def test_each_encoder_without_its_file_is_named_once(tmp_path: Path) -> None:
    problems = missing_weights(planned(), WeightsFolder(tmp_path))
    assert len(problems) == 1
    assert "weights of large (r160_in1k) are missing" in problems[0]
    assert str(tmp_path) in problems[0]
    assert "large.safetensors" in problems[0]


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".bin"])
def test_a_file_called_after_the_encoder_is_found(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"large{suffix}").write_bytes(b"x")
    folder = WeightsFolder(tmp_path)
    assert folder.file("large") == tmp_path / f"large{suffix}"
    assert missing_weights(planned(), folder) == []


def test_downloads_are_only_for_those_who_ask() -> None:
    cells = planned()
    assert missing_weights(cells, WeightsFolder(None))
    assert missing_weights(cells, WeightsFolder(None, download=True)) == []


def test_the_folder_comes_from_option_or_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.delenv("UDABENCH_WEIGHTS", raising=False)
    assert WeightsFolder.chosen(None).folder is None
    monkeypatch.setenv("HERE", str(tmp_path))
    monkeypatch.setenv("UDABENCH_WEIGHTS", "$HERE/a")
    assert WeightsFolder.chosen(None).folder == tmp_path / "a"
    assert WeightsFolder.chosen(str(tmp_path / "b")).folder == tmp_path / "b"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert WeightsFolder.chosen("~/b").folder == tmp_path / "b"
    with pytest.raises(UsageError, match="--weights"):
        WeightsFolder.chosen(str(tmp_path / "none"))
    monkeypatch.setenv("UDABENCH_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(UsageError, match=r"\$UDABENCH_WEIGHTS"):
        WeightsFolder.chosen(None)


def demo_cell(encoder: str, out: Path) -> plan.PlannedCell:
    return plan.make(suites.load("demo").with_overrides(encoders=[encoder]), out).entries[0]


def backbone_of(encoder: str, folder: WeightsFolder, tmp_path: Path) -> dict[str, Any]:
    cell = demo_cell(encoder, tmp_path)
    runtime = Runtime("cpu", 1, 0, None, tmp_path, folder)
    runner = for_this_machine(cell.config, CellPaths(tmp_path, cell.cell), runtime)
    backbone: dict[str, Any] = runner["model"]["segmentor"]["backbone"]
    assert "weights_of" not in backbone
    return backbone


def test_the_worker_gets_the_path_and_the_identity_does_not(tmp_path: Path) -> None:
    (tmp_path / "dinov2-b14.pth").write_bytes(b"x")
    backbone = backbone_of("dinov2-b14", WeightsFolder(tmp_path), tmp_path)
    assert backbone["checkpoint"] == str(tmp_path / "dinov2-b14.pth")
    assert str(tmp_path) not in json.dumps(demo_cell("dinov2-b14", tmp_path).config)


def test_a_cell_without_its_weights_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="weights of dinov2-b14"):
        backbone_of("dinov2-b14", WeightsFolder(None), tmp_path)
    allowed = WeightsFolder(None, download=True)
    assert "checkpoint" not in backbone_of("dinov2-b14", allowed, tmp_path)
    assert "checkpoint" not in backbone_of("resnet-mini", WeightsFolder(None), tmp_path)


def test_the_teacher_of_a_feature_distance_is_an_encoder_by_name(tmp_path: Path) -> None:
    """Its weights are looked for like the student's, under its own name."""
    teacher = {"encoder": "dinov2-b14"}
    method = registry.find("method", "daformer")
    model = {**method.values["model"], "feature_distance": {"teacher": teacher, "level": -1}}
    protocol = registry.find("protocol", "minidrive")
    shift = registry.find("shift", "minidrive")
    config = compose.resolve(
        dataclasses.replace(protocol, values={**protocol.values, "methods": {}}),
        dataclasses.replace(method, values={**method.values, "model": model}),
        registry.find("encoder", "resnet-mini"),
        shift,
        plan.domain_fragments(shift),
        0,
    )
    cell = Cell("daformer", "resnet-mini", "minidrive", 0)
    entry = plan.PlannedCell(cell, None, config, "missing", "")
    assert "weights of dinov2-b14" in missing_weights([entry], WeightsFolder(None))[0]

    (tmp_path / "dinov2-b14.pth").write_bytes(b"x")
    runtime = Runtime("cpu", 1, 0, None, tmp_path, WeightsFolder(tmp_path))
    runner = for_this_machine(config, CellPaths(tmp_path, cell), runtime)
    built = runner["model"]["feature_distance"]["teacher"]["encoder"]
    assert built["type"] == "TimmEncoder"
    assert built["checkpoint"] == str(tmp_path / "dinov2-b14.pth")
    assert "weights_of" not in built


def test_plan_and_run_name_what_is_missing(udabench: Any, configs: Any, tmp_path: Path) -> None:
    configs.fragment("encoder", "large", WITH_WEIGHTS)
    configs.suite("encoders: [large]")
    shown = udabench("plan", "tiny")
    assert shown.returncode == 0
    assert "weights of large (r160_in1k) are missing" in shown.stdout
    refused = udabench("run", "tiny", "--devices", "cpu")
    assert refused.returncode == 2
    assert "weights of large (r160_in1k) are missing" in refused.stderr
    (tmp_path / "w").mkdir()
    (tmp_path / "w/large.pt").write_bytes(b"x")
    done = udabench("run", "tiny", "--devices", "cpu", "--weights", "w")
    assert done.returncode == 0, done.stderr


def test_unlisted_encoders_reach_the_worker(udabench: Any, configs: Any) -> None:
    configs.suite("")
    done = udabench("run", "tiny", "--devices", "cpu", "--encoder", "timm:test_vit.random")
    assert done.returncode == 0, done.stderr
    assert "good / timm.test_vit.random / there / seed 0: done" in done.stdout
    assert registry.find("encoder", "timm.test_vit.random").values["channels"] == (256,) * 4
