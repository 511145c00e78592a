"""Profiles tell a plan what cells cost that never ran, if they measured the very same step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmark import estimate, estimate_text, plan, probes
from benchmark import suite as suites
from benchmark.errors import UsageError
from benchmark.plan import Plan

ROW = {
    "method": "dacs",
    "encoder": "resnet-mini",
    "state": "done",
    "size": [64, 128],
    "batch": 4,
    "precision": "fp32",
    "device": "cpu",
    "seconds_per_iteration": {"median": 0.72},
    "peak_memory_mib": 900.0,
    "parameters": 2**20,
}


def profile(path: Path, *rows: dict[str, Any], version: int = 1) -> Path:
    path.write_text(json.dumps({"profile": version, "rows": rows}))
    return path


def planned(out: Path) -> Plan:
    only = {"encoder": ["resnet-mini"], "method": ["dacs", "oracle"]}
    return plan.make(suites.load("demo-methods").with_overrides(only=only), out)


def estimated(out: Path, *files: Path) -> estimate.Estimate:
    found = planned(out)
    return estimate.estimate(found, found.due(), None, files)


def test_a_profile_tells_hours_of_training(tmp_path: Path) -> None:
    found = estimated(tmp_path, profile(tmp_path / "p.json", ROW))
    assert (found.cells, found.unknown) == (6, 3)  # dacs over three seeds, not the oracle
    assert found.hours == pytest.approx(3 * 500 * 0.72 / 3600)
    assert found.peak_memory_mib == 900.0
    assert found.disk_mib == pytest.approx(3 * 4.0)
    (line,) = [each for each in estimate_text.lines(found, None) if each.startswith("dacs")]
    assert "(from 1 profile, training only on cpu)" in line


def test_several_profiles_spread(tmp_path: Path) -> None:
    other = {**ROW, "seconds_per_iteration": {"median": 1.08}}
    files = profile(tmp_path / "p.json", ROW), profile(tmp_path / "q.json", other)
    found = estimated(tmp_path, *files)
    assert found.hours == pytest.approx(3 * 500 * 0.9 / 3600)
    assert found.spread == pytest.approx(3 * 500 * 0.36 / 2**0.5 / 3600)


@pytest.mark.parametrize(
    "change",
    [
        {"size": [64, 64]},
        {"batch": 2},
        {"precision": "bf16"},
        {"encoder": "eva02-mini"},
        {"state": "failed"},
    ],
)
def test_another_step_tells_nothing(tmp_path: Path, change: dict[str, Any]) -> None:
    found = estimated(tmp_path, profile(tmp_path / "p.json", {**ROW, **change}))
    assert found.unknown == 6


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"profile": 2, "rows": []}', '{"profile": 1}'])
def test_a_file_that_is_no_profile_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"broken\.json: no profile that tells costs"):
        probes.read(path)


def test_profiles_beside_records_name_their_machine(tmp_path: Path) -> None:
    folder = tmp_path / probes.FOLDER
    folder.mkdir()
    assert probes.beside_records(tmp_path) == ()
    counted = {**ROW, "threads": 2, "gmacs_forward": 0.5, "gmacs_step": 1.5}
    document = {
        "profile": 1,
        "machine": {"processor": "Quick & Co"},
        "rows": [counted, {**counted, "device": "H100"}, {**counted, "state": "failed"}],
    }
    (folder / "a.json").write_text(json.dumps(document))
    profile(folder / "b.json", ROW)
    found = probes.beside_records(tmp_path)
    assert [each.machine for each in found] == [
        *("Quick & Co with 2 threads", "H100", "an unknown processor"),
    ]
    assert (found[0].gmacs_forward, found[0].gmacs_step, found[2].gmacs_step) == (0.5, 1.5, None)
    (folder / "c.json").write_text("{}")
    with pytest.raises(UsageError, match=r"profiles/c.json: no profile that tells costs"):
        probes.beside_records(tmp_path)
