"""Slots: which devices a run uses, from what the user says and the machine shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.engines import devices
from benchmark.errors import UsageError

LISTING = """\
GPU 0: NVIDIA A (UUID: GPU-11)
  MIG 1g.10gb     Device  0: (UUID: MIG-aa)
  MIG 1g.10gb     Device  1: (UUID: MIG-bb)
GPU 1: NVIDIA A (UUID: GPU-22)
"""


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Eight cores, and an ``nvidia-smi`` that prints the file it is given."""
    monkeypatch.setattr(devices, "cores", lambda: 8)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def show(folder: Path, listing: str, code: int = 0) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n[ $1 = -L ] && echo '{listing}'\nexit {code}\n")
    program.chmod(0o755)


def visible(chosen: str | None = None, threads: int = 1) -> list[str]:
    return [slot.visible for slot in devices.slots(chosen, threads)]


def test_without_gpus_the_cores_are_shared() -> None:
    slots = devices.slots(None, 3)
    assert [slot.name for slot in slots] == ["cpu0", "cpu1"]
    assert {(slot.device, slot.visible, slot.workers) for slot in slots} == {("cpu", "", 0)}
    assert len(devices.slots(None, 100)) == 1


def test_gpus_are_found_by_uuid_and_mig_parts_replace_their_gpu(machine: Path) -> None:
    show(machine, LISTING)
    assert visible() == ["MIG-aa", "MIG-bb", "GPU-22"]
    assert {slot.device for slot in devices.slots(None, 1)} == {"cuda"}


def test_a_failing_nvidia_smi_means_no_gpu(machine: Path) -> None:
    show(machine, LISTING, code=9)
    assert devices.slots(None, 1)[0].device == "cpu"


@pytest.mark.parametrize(
    ("value", "expected"), [("3,GPU-x", ["3", "GPU-x"]), ("", [""] * 8), ("-1", [""] * 8)]
)
def test_the_environment_limits_the_choice(
    machine: Path, monkeypatch: pytest.MonkeyPatch, value: str, expected: list[str]
) -> None:
    show(machine, LISTING)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert visible() == expected


def test_identifiers_are_opaque(machine: Path) -> None:
    show(machine, LISTING)
    assert visible("0, GPU-1f,MIG-2e") == ["0", "GPU-1f", "MIG-2e"]
    assert visible("CPU", threads=4) == ["", ""]


@pytest.mark.parametrize("chosen", ["", "0,,1", ",", "cpu:1", "0,cpu"])
def test_what_is_no_identifier_of_a_gpu_is_refused(chosen: str) -> None:
    with pytest.raises(UsageError, match="--devices: expected 'cpu' or identifiers"):
        devices.slots(chosen, 1)


def test_threads_must_be_positive() -> None:
    with pytest.raises(UsageError, match="--threads: expected at least 1, got 0"):
        devices.slots("cpu", 0)


def test_devices_are_grouped_where_a_cell_is_to_have_several(machine: Path) -> None:
    show(machine, LISTING)
    slots = devices.slots("0,1,GPU-x,3,4", 1, 2)
    assert [(slot.name, slot.visible, slot.processes) for slot in slots] == [
        ("gpu0+gpu1", "0,1", 2),
        ("GPU-x+gpu3", "GPU-x,3", 2),
    ]
    assert [(slot.name, slot.processes) for slot in devices.slots("cpu", 2, 2)] == [
        ("cpu0", 2),
        ("cpu1", 2),
    ]
    with pytest.raises(UsageError, match="--devices-per-cell 4: there are only 2 devices"):
        devices.slots("0,1", 1, 4)
