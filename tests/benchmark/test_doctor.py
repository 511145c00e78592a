"""The doctor: what it finds, and what it says would stop a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmark import doctor, provenance
from benchmark.doctor import Finding

OFFICIAL = {"mmsegmentation": "1.2.2", "mmengine": "0.11.0rc3", "mmcv-lite": "2.1.0"}
FORK = {"onedl-mmsegmentation": "1.3", "onedl-mmengine": "0.10", "onedl-mmcv": "2.3"}
REST = {"torch": "2.6", "timm": "1.0", "numpy": "2.0", "opencv-python-headless": "4.9"}


def install(monkeypatch: pytest.MonkeyPatch, versions: dict[str, str]) -> None:
    def installed(names: Sequence[str] = ()) -> dict[str, str]:
        return {name: versions[name] for name in names if name in versions}

    monkeypatch.setattr(provenance, "package_versions", installed)


def examine(topic: str, out: Path = Path("results")) -> list[Finding]:
    return [finding for finding in doctor.examine(out) if finding.topic == topic]


def test_a_sound_machine(configs: Any, udabench: Any) -> None:
    found = udabench("doctor", "--json")
    findings = json.loads(found.stdout)
    assert found.returncode == 0
    assert {finding["topic"] for finding in findings} == {
        "udabench", "python", "package", "mmsegmentation", "processor", "devices", "configs",
        "cache", "results", "minidrive", "data", "weights",
    }  # fmt: skip
    assert not [finding for finding in findings if finding["level"] == "problem"]


@pytest.mark.parametrize(
    ("stack", "level", "text"),
    [
        (OFFICIAL, "ok", "official distributions: mmsegmentation 1.2.2, mmengine 0.11.0rc3"),
        (FORK, "ok", "onedl distributions: onedl-mmsegmentation 1.3"),
        (OFFICIAL | FORK, "warning", "both the official and the onedl distributions"),
        ({}, "problem", "incomplete, found nothing; expected mmsegmentation, mmengine, mmcv"),
        ({"mmengine": "1"}, "problem", "incomplete, found mmengine 1"),
        ({"onedl-mmcv": "2.3"}, "problem", "incomplete, found onedl-mmcv 2.3"),
    ],
)
def test_the_stack(
    configs: Any,
    monkeypatch: pytest.MonkeyPatch,
    stack: dict[str, str],
    level: str,
    text: str,
) -> None:
    install(monkeypatch, stack | REST)
    (found,) = examine("mmsegmentation")
    assert found.level == level
    assert text in found.text


def test_a_missing_package_stops_a_run(configs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, OFFICIAL | {"timm": "1.0", "numpy": "2.0"})
    problems = [finding.text for finding in examine("package") if finding.level == "problem"]
    assert [text.split()[0] for text in problems] == ["torch", "opencv-python"]


def test_folders_that_cannot_be_written(
    configs: Any, udabench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "file" / "cache"))
    found = udabench("doctor", "--out", "file")
    assert found.returncode == 1
    lines = [line for line in found.stdout.splitlines() if "problem" in line]
    assert [line.split()[0] for line in lines] == ["cache", "results"]
    assert "UDABENCH_CACHE" in lines[0]
    assert "--out" in lines[1]


def test_a_folder_that_does_not_exist_yet_is_not_made(configs: Any, tmp_path: Path) -> None:
    (found,) = examine("results", tmp_path / "deep" / "results")
    assert found.level == "ok"
    assert not (tmp_path / "deep").exists()


def test_broken_configs_stop_a_run(configs: Any) -> None:
    configs.suite("methods: [none]")
    (found,) = examine("configs")
    assert found.level == "problem"
    assert "unknown method 'none'" in found.text


def test_cached_worlds_are_listed_with_their_size(configs: Any, tmp_path: Path) -> None:
    world = tmp_path / "cache" / "minidrive" / "0a1b"
    (world / "real").mkdir(parents=True)
    (world / "world.json").write_text("{}")
    (world / "real" / "000000.png").write_bytes(bytes(3 << 20))
    (found,) = examine("minidrive")
    assert found.text == "0a1b (3 MiB)"
