"""What the doctor says about data, weights and versions."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import pytest

from benchmark import doctor_inputs


@pytest.fixture(autouse=True)
def _no_places(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UDABENCH_DATA_ROOT", "UDABENCH_DATA_ROOT_GTA5", "UDABENCH_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_is_asked_for_until_a_place_is_named() -> None:
    assert doctor_inputs.data()[0] == doctor_inputs.weights()[0] == "ok"
    assert "UDABENCH_DATA_ROOT" in doctor_inputs.data()[1]
    assert "UDABENCH_WEIGHTS" in doctor_inputs.weights()[1]


def test_data_sets_are_found_where_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UDABENCH_DATA_ROOT", str(tmp_path))
    level, text = doctor_inputs.data()
    assert level == "warning"
    assert "none of" in text
    (tmp_path / "cityscapes").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("UDABENCH_DATA_ROOT_GTA5", str(tmp_path / "elsewhere"))
    level, text = doctor_inputs.data()
    assert level == "ok"
    assert text.startswith("found cityscapes, gta5;")


def test_weights_are_found_by_the_names_of_encoders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UDABENCH_WEIGHTS", str(tmp_path))
    assert doctor_inputs.weights()[0] == "warning"
    (tmp_path / "mit-b5.pth").touch()
    (tmp_path / "notes.txt").touch()
    level, text = doctor_inputs.weights()
    assert (level, text.rpartition(": ")[2]) == ("ok", "mit-b5")
    (tmp_path / "mit_b5.pth").touch()
    level, text = doctor_inputs.weights()
    assert level == "warning"
    assert text.endswith("not called after an encoder: mit_b5.pth")


def test_a_folder_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UDABENCH_WEIGHTS", "/nowhere/at/all")
    level, text = doctor_inputs.weights()
    assert level == "warning"
    assert "no such folder" in text


def test_versions_outside_of_the_requirements_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    required = [
        "torch<3,>=2.6",
        "timm>=1.0.20",
        'tomli>=2; python_version < "3.0"',
        "submitit>=99; extra == 'slurm'",
        "absent>=1",
    ]
    installed = {"torch": "2.4.1", "timm": "1.0.31", "tomli": "1.0", "submitit": "1.5"}

    def version(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    metadata: Any = doctor_inputs.importlib.metadata
    monkeypatch.setattr(metadata, "requires", lambda name: required)
    monkeypatch.setattr(metadata, "version", version)
    assert doctor_inputs.versions() == [("warning", "torch 2.4.1; tested with torch<3,>=2.6")]
