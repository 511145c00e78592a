"""Zero-shot records: measured on a tiny world and with a tiny open_clip model, kept and judged."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
from pathlib import Path
from typing import Any

import open_clip
import pytest
import tiny_configs
import torch
from safetensors.torch import save_file

from benchmark import cli, plan, registry, zero_shot
from benchmark import suite as suites
from benchmark.errors import RecordError
from benchmark.minidrive_export import export
from benchmark.report import gather, uda

CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"width": 64, "heads": 2, "layers": 1},
}
ENCODER = """
card = dict(title="{title}", summary="For tests.")
backbone = dict(type="OpenClipEncoder", model="{model}", pretrained="{tag}")
channels = (8, 8, 8, 8)
learning_rate = dict(encoder=1e-4, decoder=1e-4)
"""
MADE = """
card = dict(title="Made", summary="For tests.")
backbone = dict(
    type="TimmEncoder",
    model="eva02_base_patch16_clip_224",
    model_args=dict(embed_dim=32, depth=2, num_heads=1, patch_size=8, img_size=(64, 128)),
    pretrained=dict(
        type="RegionTextContrast", scenes=2, held_out=1, iterations=1, images=2, embedding=16,
        text_layers=1,
    ),
)
channels = (8, 8, 8, 8)
mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
learning_rate = dict(encoder=1e-4, decoder=1e-4)
"""
SUITE = """
title: Toy
protocol: {protocol}
methods: [source-only]
encoders: [{encoders}]
shifts: [{shift}]
seeds: [0]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Fragments with a made tower and a tiny open_clip model, its weights, and exported data."""
    home = tmp_path_factory.mktemp("zero-shot")
    configs = tiny_configs.write(home / "configs")
    (configs / "encoders/made.py").write_text(MADE)
    tiny = ENCODER.format(title="Tiny CLIP", model="tiny-clip", tag="ours")
    (configs / "encoders/tiny-clip.py").write_text(tiny)
    (configs / "shifts/streets.py").write_text(
        'card = dict(title="Streets", summary="For tests.")\n'
        'source, target, unseen = "gta5", "cityscapes", ()\n'
    )
    suite = SUITE.format(protocol="minidrive", encoders="resnet-mini, made", shift="minidrive")
    (configs / "suites/toy.yaml").write_text(suite)
    suite = SUITE.format(protocol="daformer", encoders="tiny-clip", shift="streets")
    (configs / "suites/streets.yaml").write_text(suite)
    (home / "models").mkdir()
    (home / "models/tiny-clip.json").write_text(json.dumps(CLIP))
    open_clip.add_model_config(home / "models")
    torch.manual_seed(0)
    whole = open_clip.create_model("tiny-clip").state_dict()
    (home / "weights").mkdir()
    save_file({k: v.contiguous() for k, v in whole.items()}, home / "weights/tiny-clip.safetensors")
    export("cityscapes", home / "data", images=2, size=(128, 64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UDABENCH_CONFIGS", str(configs))
        patch.setenv("UDABENCH_CACHE", str(home / "cache"))
        registry.forget()
        yield home
    registry.forget()


@pytest.fixture(scope="module")
def measured(home: Path) -> Path:
    """The results of the suite ``toy`` after its probe."""
    assert cli.main(["probe", "toy", "--out", str(home / "results")]) == 0
    return home / "results/toy"


def probed(folder: Path) -> tuple[zero_shot.Probe, zero_shot.Found]:
    planned = plan.make(suites.load(folder.name), folder.parent)
    (probe,) = zero_shot.probes(planned.entries, planned.suite.protocols)
    return probe, zero_shot.find(probe, folder)


def test_only_encoders_with_a_text_tower_are_probed(measured: Path, capsys: Any) -> None:
    files = [path.name for path in (measured / "zero_shot").iterdir()]
    assert files == ["made__minidrive.json"]
    assert cli.main(["probe", "toy", "--out", str(measured.parent), "--json"]) == 0
    captured = capsys.readouterr()
    (entry,) = json.loads(captured.out)
    assert "labelling" not in captured.err, "what is current is not measured again"
    record = probed(measured)[1].record
    assert record is not None
    assert (entry["encoder"], entry["state"]) == ("made", "done")
    assert entry["miou"] == {name: each.miou for name, each in record.metrics.items()}
    assert record.metrics["minidrive-real"].role == "target"
    assert record.metrics["minidrive-real"].images == 4


def test_a_record_names_versions_and_weights_and_no_place(measured: Path) -> None:
    text = (measured / "zero_shot/made__minidrive.json").read_text()
    record = json.loads(text)
    assert len(record["weights"]["sha256"]) == 64
    assert record["provenance"]["packages"]["open_clip_torch"]
    assert record["prompts"]["names"][0] == ["road"]
    for place in (str(measured.parents[1]), os.path.expanduser("~"), socket.gethostname()):
        assert place not in text


def test_a_record_survives_reading_and_writing(measured: Path, tmp_path: Path) -> None:
    path = measured / "zero_shot/made__minidrive.json"
    record = zero_shot.read(path)
    assert zero_shot.write(tmp_path, record).read_bytes() == path.read_bytes()
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.suite = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zero_shot": 2}, "schema"),
        ({"encoder": "other"}, "holds the record of other__minidrive"),
        ({"weights": "here"}, "weights is no object"),
        ({"surplus": 1}, "surplus"),
        ({"metrics": {"minidrive-real": {"miou": "12"}}}, "miou is '12'"),
    ],
)
def test_a_broken_record_is_refused(
    measured: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    document = json.loads((measured / "zero_shot/made__minidrive.json").read_text())
    path = tmp_path / "made__minidrive.json"
    path.write_text(json.dumps(document | change))
    with pytest.raises(RecordError, match=message):
        zero_shot.read(path)


def test_the_report_shows_a_current_record_and_names_a_stale_one(
    home: Path, measured: Path, tmp_path: Path
) -> None:
    grid = gather.from_plan(plan.make(suites.load("toy"), measured.parent))
    outcome = grid.zero_shot["made", "minidrive"]
    found = probed(measured)[1].record
    assert outcome.state == "done"
    assert found is not None
    assert outcome.metrics == found.metrics
    fragment = home / "configs/encoders/made.py"
    try:
        fragment.write_text(MADE.replace("iterations=1", "iterations=2"))
        registry.forget()
        _, stale = probed(measured)
        grid = gather.from_plan(plan.make(suites.load("toy"), measured.parent))
        table = uda(grid)
    finally:
        fragment.write_text(MADE)
        registry.forget()
    assert (stale.state, stale.reason) == (
        "stale",
        "training or evaluation configuration changed",
    )
    row = table.sections[0].rows[-1]
    assert row.labels == ("zero-shot (class names, no training)",)
    assert [cell.state for cell in row.cells if cell.state != "inapplicable"] == ["stale"]
    assert not any(cell.value for cell in row.cells)
    assert any("zero-shot" in note and "configuration changed" in note for note in table.notes)


def test_the_training_of_a_tower_is_no_part_of_its_identity(home: Path) -> None:
    """Variants that differ in what is built upon the tower ask the same question."""
    before = probed(home / "results/toy")[0].identity
    fragment = home / "configs/encoders/made.py"
    try:
        fragment.write_text(
            MADE.replace("learning_rate = dict(encoder=1e-4", "x = dict(a=1")
            + "\nlearning_rate = dict(encoder=5e-4, decoder=1e-4)\n"
        )
        registry.forget()
        after = probed(home / "results/toy")[0].identity
    finally:
        fragment.write_text(MADE)
        registry.forget()
    assert after == before


def test_a_model_of_open_clip_is_probed_on_files(home: Path, tmp_path: Path, capsys: Any) -> None:
    """Cityscapes in its own layout, windows as the protocol cuts them."""
    options = ["--out", str(tmp_path), "--data-root", str(home / "data")]
    assert cli.main(["probe", "streets", *options, "--weights", str(home / "weights")]) == 0
    record = zero_shot.read(tmp_path / "streets/zero_shot/tiny-clip__streets.json")
    assert set(record.metrics) == {"cityscapes"}
    assert record.metrics["cityscapes"].images == 2
    assert 0 < record.metrics["cityscapes"].miou < 100
    assert record.weights["file"] == "tiny-clip.safetensors"
    assert "tiny-clip, streets: done" in capsys.readouterr().out


def test_what_is_missing_for_open_clip_is_named(home: Path, tmp_path: Path, capsys: Any) -> None:
    assert cli.main(["probe", "streets", "--out", str(tmp_path)]) == 2
    assert "weights of tiny-clip (ours) are missing" in capsys.readouterr().err
    options = ["--out", str(tmp_path), "--weights", str(home / "weights")]
    (tmp_path / "nothing").mkdir()
    assert cli.main(["probe", "streets", *options, "--data-root", str(tmp_path / "nothing")]) == 2
    assert "cityscapes" in capsys.readouterr().err
    assert not (tmp_path / "streets/zero_shot").exists()


def test_a_gpu_that_is_not_there_is_no_traceback(
    home: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert cli.main(["probe", "toy", "--out", str(tmp_path), "--device", "cuda"]) == 2
    assert "--device cuda: no GPU is visible here" in capsys.readouterr().err


def test_a_file_without_text_tower_is_refused(home: Path, tmp_path: Path, capsys: Any) -> None:
    state = open_clip.create_model("tiny-clip").state_dict()
    images = {k: v.contiguous() for k, v in state.items() if k.startswith("visual.")}
    save_file(images, tmp_path / "tiny-clip.safetensors")
    options = ["--out", str(tmp_path / "out"), "--data-root", str(home / "data")]
    assert cli.main(["probe", "streets", *options, "--weights", str(tmp_path)]) == 1
    assert "there is no text tower in it" in capsys.readouterr().err


def test_a_suite_without_text_towers_is_refused(home: Path, tmp_path: Path, capsys: Any) -> None:
    assert cli.main(["probe", "demo", "--out", str(tmp_path)]) == 2
    assert "none of its encoders has a text tower" in capsys.readouterr().err
