"""Real cells on a tiny MiniDrive world: trained, scored, recorded, killed and repeated."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark import data, paths, plan
from benchmark import suite as suites
from benchmark.data_roots import DataRoots
from benchmark.records import Record, read_record, record_path
from benchmark.runtime import Runtime
from benchmark.weights import WeightsFolder

ITERATIONS = 4
TOWER = "timm.test_vit.r160_in1k"


def run(
    tiny: Path,
    out: Path,
    cell: str,
    iterations: int = ITERATIONS,
    *,
    suite_name: str = "tiny",
    encoders: tuple[str, ...] = (),
    weights: Path | None = None,
    **choices: Any,
) -> Record:
    """Run one cell in this process, as an engine would."""
    from benchmark import worker

    suite = suites.load(suite_name).with_overrides(encoders=encoders)
    planned = plan.one(suite, out, cell, iterations)
    data.prepare([planned])
    folder = paths.suite_folder(out, suite.name)
    roots, own = DataRoots(None), WeightsFolder(weights)
    runtime = Runtime("cpu", 1, 0, roots, paths.cache_root(), own, **choices)
    return worker.run_cell(planned, suite, folder, runtime)


def comparable(record: Record) -> dict[str, Any]:
    """A record without what two runs of the same cell may differ in."""
    document = json.loads(record.to_json())
    for key in ("provenance", "cost", "attempts"):
        del document[key]
    return document


@pytest.mark.parametrize(
    "cell", ["dacs__resnet-mini__minidrive__seed0", "dacs__eva02-mini__minidrive__seed0"]
)
def test_the_same_cell_twice_gives_the_same_bits(tiny: Path, tmp_path: Path, cell: str) -> None:
    import torch

    first, second = (run(tiny, tmp_path / name, cell) for name in "ab")
    assert first.state == "done", first.failure
    assert comparable(first) == comparable(second)
    weights = [
        torch.load(tmp_path / name / "tiny/cells" / cell / "weights.pth", weights_only=True)
        for name in "ab"
    ]
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())


def test_micro_batches_are_noted_and_train_as_the_whole_batch(tiny: Path, tmp_path: Path) -> None:
    cell = "source-only__resnet-mini__minidrive__seed0"
    whole = run(tiny, tmp_path / "whole", cell)
    cut = run(tiny, tmp_path / "cut", cell, accumulate=2)
    assert cut.state == "done", cut.failure
    assert cut.identity == whole.identity
    assert cut.notes == ("accumulated over 2 micro-batches",)
    assert [each["changed"] for each in cut.attempts] == [{"accumulate": 2}]
    assert (whole.notes, [each["changed"] for each in whole.attempts]) == ((), [{}])
    losses = (record.diagnostics["curves"]["loss"] for record in (cut, whole))
    assert next(losses) == pytest.approx(next(losses), rel=1e-4)


def test_recomputed_activations_are_noted_and_change_no_weight(tiny: Path, tmp_path: Path) -> None:
    cell = "dacs__eva02-mini__minidrive__seed0"
    whole = run(tiny, tmp_path / "whole", cell, iterations=2)
    again = run(tiny, tmp_path / "again", cell, iterations=2, checkpoint_activations=True)
    assert again.state == "done", again.failure
    assert comparable(again) == comparable(whole)
    assert [each["changed"] for each in again.attempts] == [{"checkpoint_activations": True}]
    refused = run(
        tiny,
        tmp_path / "refused",
        cell.replace("eva02", "resnet"),
        iterations=2,
        checkpoint_activations=True,
    )
    assert refused.failure is not None
    assert "ResNetMini has no blocks" in refused.failure.message


@pytest.mark.parametrize("compiled", [True, False])
def test_a_record_says_whether_networks_were_compiled(
    tiny: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    compiled: bool,
) -> None:
    asked = []

    def compile_networks(method: Any) -> bool:
        asked.append(type(method).__name__)
        return compiled

    # A compiler takes minutes for a network: what it makes of them is tested with the engine.
    monkeypatch.setattr("mmseg_ext.engine.run_time.compile_networks", compile_networks)
    cell = "source-only__resnet-mini__minidrive__seed0"
    record = run(tiny, tmp_path, cell, iterations=2, compile=True)
    assert record.state == "done", record.failure
    assert len(asked) == 1
    assert [each["changed"] for each in record.attempts] == [{"compile": True} if compiled else {}]
    assert ("EVA02 encoders are not compiled" in capsys.readouterr().out) is not compiled


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ("weights", {"weights.pth"}),
        ("nothing", set()),
        ("everything", {"weights.pth", "resume.pth"}),
    ],
)
def test_of_a_done_cell_stays_what_the_suite_asks_for(
    tiny: Path, tmp_path: Path, keep: str, kept: set[str]
) -> None:
    suite = tiny / f"configs/suites/{keep}.yaml"
    text = (tiny / "configs/suites/tiny.yaml").read_text(encoding="utf-8")
    suite.write_text(f"{text}checkpoints: {{every: 2, keep: {keep}}}\n", encoding="utf-8")
    cell = "source-only__resnet-mini__minidrive__seed0"
    record = run(tiny, tmp_path, cell, suite_name=keep)
    assert record.state == "done", record.failure
    folder = tmp_path / keep / "cells" / cell
    assert {path.name for path in folder.glob("*.pth")} == kept
    assert not list(folder.glob(".*.tmp"))


def test_a_record_says_what_it_must_and_nothing_about_the_machine(
    tiny: Path, tmp_path: Path
) -> None:
    cell = "dacs__resnet-mini__minidrive__seed0"
    record = run(tiny, tmp_path, cell)
    assert record == read_record(record_path(tmp_path / "tiny", record.cell))
    assert {m.role for m in record.metrics.values()} == {"source", "target", "unseen"}
    assert set(record.diagnostics["curves"]) == {
        "iteration", "loss", "loss_source", "loss_mix", "pseudo_label_weight", "grad_norm",
    }  # fmt: skip
    assert len(record.diagnostics["curves"]["loss"]) == ITERATIONS
    assert record.cost is not None
    assert record.cost.parameters >= record.cost.trainable_parameters > 0
    text = record.to_json()
    for private in (str(tiny), str(tmp_path), str(Path.home()), os.uname().nodename):
        assert private not in text

    counts = np.load(tmp_path / "tiny" / record.diagnostics["confusion"]["file"])
    for name, metrics in record.metrics.items():
        total = counts[name].sum(axis=0).astype(float)
        union = total.sum(0) + total.sum(1) - np.diag(total)
        present = total.sum(1) > 0
        iou = 100 * np.diag(total)[present] / union[present]
        assert metrics.miou == pytest.approx(iou.mean())
        assert metrics.images == len(counts[name]) == 4
        assert metrics.scored_classes == present.sum()


def test_a_tower_without_a_fragment_is_trained_from_its_weights(tiny: Path, tmp_path: Path) -> None:
    import timm
    import torch
    from safetensors.torch import save_file

    folder = tmp_path / "weights"
    folder.mkdir()
    torch.manual_seed(5)
    state = timm.create_model("test_vit", num_classes=0).state_dict()
    save_file({key: value + 0.01 for key, value in state.items()}, folder / f"{TOWER}.safetensors")
    cell = f"dacs__{TOWER}__minidrive__seed0"
    record = run(tiny, tmp_path, cell, encoders=(TOWER,), weights=folder)
    assert record.state == "done", record.failure
    facts = record.diagnostics["encoder"]
    cfg = timm.models.get_pretrained_cfg("test_vit.r160_in1k")
    assert facts["image_statistics"]["mean"] == pytest.approx([255 * v for v in cfg.mean])
    assert facts["image_statistics"]["std"] == pytest.approx([255 * v for v in cfg.std])
    assert facts["weights"]["file"] == f"{TOWER}.safetensors"
    assert facts["weights"]["tensors"] == len(state)
    assert facts["patch_fit"] == "pad"
    assert str(tmp_path) not in record.to_json()
    # The learning rate of 1e-5 has hardly moved the tower: it started from the file.
    trained = torch.load(tmp_path / "tiny/cells" / cell / "weights.pth", weights_only=True)
    key = "patch_embed.proj.weight"
    moved = (trained[f"backbone.tower.{key}"] - state[key] - 0.01).abs().max()
    assert moved < 1e-3


def test_a_weight_file_that_does_not_fit_fails_the_cell(tiny: Path, tmp_path: Path) -> None:
    import timm
    import torch

    state = timm.create_model("test_vit", num_classes=0).state_dict()
    del state["blocks.3.attn.qkv.weight"]
    torch.save(state, tmp_path / f"{TOWER}.pth")
    cell = f"source-only__{TOWER}__minidrive__seed0"
    record = run(tiny, tmp_path, cell, encoders=(TOWER,), weights=tmp_path)
    assert record.failure is not None
    assert "1 missing: blocks.3.attn.qkv.weight" in record.failure.message
    assert f"<weights>/{TOWER}.pth" in record.failure.message


def test_target_training_labels_are_never_opened(tiny: Path, tmp_path: Path) -> None:
    cell = "dacs__resnet-mini__minidrive__seed0"
    reference = run(tiny, tmp_path / "with", cell)
    world = next((tiny / "cache/minidrive").iterdir())
    labels = world / "real/train/labels"
    labels.rename(tmp_path / "taken away")
    try:
        from benchmark import worker

        suite = suites.load("tiny")
        planned = plan.one(suite, tmp_path / "without", cell, ITERATIONS)
        runtime = Runtime("cpu", 1, 0, DataRoots(None), paths.cache_root())
        record = worker.run_cell(planned, suite, tmp_path / "without/tiny", runtime)
    finally:
        (tmp_path / "taken away").rename(labels)
    assert comparable(record) == comparable(reference)


@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_corrupt_file_fails_the_cell_with_its_path(tiny: Path, tmp_path: Path, kind: str) -> None:
    data.prepare(plan.make(suites.load("tiny"), tmp_path).entries)
    world = next((tiny / "cache/minidrive").iterdir())
    victims = sorted((world / "synthetic/train" / kind).iterdir())
    kept = {path: path.read_bytes() for path in victims}
    for path, content in kept.items():
        path.write_bytes(content[: len(content) // 2].ljust(len(content), b"\0"))
    try:
        record = run(tiny, tmp_path, "source-only__resnet-mini__minidrive__seed0")
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
    assert record.state == "failed"
    assert record.failure is not None
    assert record.failure.kind == "error"
    assert f"<cache>/minidrive/{world.name}/synthetic/train/{kind}/" in record.failure.message
    assert "UnreadableFileError" in record.failure.message


def test_a_loss_that_is_not_finite_is_a_failure_of_its_own_kind(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    import mmseg_ext.registry  # noqa: F401
    from mmseg_ext.parts.cross_entropy import PixelCrossEntropy

    monkeypatch.setattr(
        PixelCrossEntropy,
        "forward",
        lambda self, logits, *_: logits.sum() * torch.tensor(float("inf")),
    )
    record = run(tiny, tmp_path, "source-only__resnet-mini__minidrive__seed0")
    assert record.failure is not None
    assert record.failure.kind == "nan"
    assert "'source' became" in record.failure.message


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(
    tiny: Path, tmp_path: Path
) -> None:
    """SIGKILL to the command in the middle of training; the second run goes on from its point."""
    suite = (tiny / "configs/suites/tiny.yaml").read_text(encoding="utf-8")
    often = tiny / "configs/suites/often.yaml"
    often.write_text(f"{suite}checkpoints: {{every: 20}}\n", encoding="utf-8")
    iterations, cell = 60, "source-only__resnet-mini__minidrive__seed0"
    command = [
        sys.executable, "-m", "benchmark", "run", "often", "--out", str(tmp_path / "killed"),
        "--iterations", str(iterations), "--only", "method=source-only,encoder=resnet-mini",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)}
    folder = tmp_path / "killed/often/cells" / cell
    first = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    deadline = time.monotonic() + 240
    while not (folder / "resume.pth").exists():
        assert first.poll() is None, first.communicate()[0].decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not record_path(tmp_path / "killed/often", registry_cell(cell)).exists()

    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "resumed" in (folder / "log.txt").read_text(encoding="utf-8")
    resumed = read_record(record_path(tmp_path / "killed/often", registry_cell(cell)))
    whole = run(tiny, tmp_path / "whole", cell, iterations, suite_name="often")
    assert comparable(resumed) == comparable(whole)
    first_part = json.loads((folder / "training.json").read_text(encoding="utf-8"))["before"]
    assert resumed.cost is not None
    assert resumed.cost.train_seconds > first_part > 0.0
    assert not [p for p in (tmp_path / "killed").rglob("*") if ".tmp" in p.name]

    before = record_path(tmp_path / "killed/often", resumed.cell).stat().st_mtime_ns
    third = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert third.returncode == 0
    assert record_path(tmp_path / "killed/often", resumed.cell).stat().st_mtime_ns == before


@pytest.mark.slow
def test_several_processes_share_a_cell_and_leave_one_record(tiny: Path, tmp_path: Path) -> None:
    cell = "adaptsegnet__resnet-mini__minidrive__seed0"
    suite = tiny / "configs/suites/adversarial.yaml"
    text = (tiny / "configs/suites/tiny.yaml").read_text(encoding="utf-8")
    suite.write_text(text.replace("[source-only, dacs]", "[adaptsegnet]"), encoding="utf-8")
    command = [
        sys.executable, "-m", "benchmark", "run", "adversarial", "--devices", "cpu", "--out",
        str(tmp_path / "two"), "--iterations", "2", "--only", "encoder=resnet-mini",
        "--devices-per-cell", "2",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr

    folder = tmp_path / "two/adversarial"
    record = read_record(record_path(folder, registry_cell(cell)))
    assert [path.name for path in (folder / "records").iterdir()] == [f"{cell}.json"]
    assert not [path for path in folder.rglob("*") if ".tmp" in path.name]
    reference = run(tiny, tmp_path / "one", cell, 2, suite_name="adversarial")
    assert record.identity == reference.identity
    assert record.metrics.keys() == reference.metrics.keys()
    assert [len(each.provenance["devices"]) for each in (record, reference)] == [2, 1]
    for name, curve in reference.diagnostics["curves"].items():
        assert record.diagnostics["curves"][name] == pytest.approx(curve, rel=1e-3), name
    for name, metrics in reference.metrics.items():
        assert record.metrics[name].images == metrics.images
        assert record.metrics[name].miou == pytest.approx(metrics.miou, abs=0.1)


def registry_cell(stem: str) -> Any:
    """The cell of a file stem."""
    from benchmark.cell import Cell

    method, encoder, shift, seed = stem.split("__")
    return Cell(method, encoder, shift, int(seed.removeprefix("seed")))
