"""``udabench profile`` from the command line, on a small network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark import cli

SMALL = ["profile", "--encoder", "resnet-mini", "--crop", "64", "--batch", "1", "--steps", "1"]
BRIEF = ["--warmup", "1", "--repeats", "2"]


@pytest.mark.slow
def test_a_profile_against_the_baseline(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = tmp_path / "overhead" / "profile.json"
    asked = [*SMALL, *BRIEF, "--method", "dacs", "--against", "baseline", "--json", str(file)]
    assert cli.main(asked) == 0
    document = json.loads(file.read_text())
    (row,) = document["rows"]
    assert row["state"] == "done"
    assert row["size"] == [64, 64]
    assert len(row["seconds_per_iteration"]["repeats"]) == 2
    assert row["images_per_second"] == pytest.approx(2 / row["seconds_per_iteration"]["median"])
    assert sum(row["phases"].values()) == pytest.approx(1.0)
    # Source and mix are learned from, the teacher only looks: seven forward passes' worth.
    assert row["gmacs_step"] == pytest.approx(7 * row["gmacs_forward"], rel=0.1)
    assert row["baseline"]["loss_difference"] <= 1e-5
    assert row["peak_memory_mib"] > row["empty_memory_mib"] > 0
    assert str(tmp_path) not in file.read_text()
    shown = capsys.readouterr().out
    assert "| dacs" in shown
    assert "times faster" in shown


def test_what_cannot_be_measured_is_told(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert cli.main([*SMALL, *BRIEF, "--method", "source-only", "--device", "cuda"]) == 1
    assert "source-only / resnet-mini: not measured" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["--method", "docs"], "closest: 'dacs'"),
        (["--encoder", "mit-b55"], "closest: 'mit-b5'"),
        (["--protocol", "daformr"], "closest: 'daformer'"),
        (["--method", "mic", "--against", "baseline"], "no plain step of mic"),
    ],
)
def test_wrong_names_are_usage_errors(
    asked: list[str], message: str, capsys: pytest.CaptureFixture
) -> None:
    assert cli.main(["profile", *asked]) == 2
    assert message in capsys.readouterr().err
