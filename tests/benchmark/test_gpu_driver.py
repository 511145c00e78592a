"""The driver's library, as a stand-in that keeps to its C interface."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from benchmark import gpu_driver

MIG = 1  # index of a device that does not count energy


class Nvml:
    """Two GPUs, of which the second counts nothing. 0 is success, as in the real one."""

    def __init__(self) -> None:
        self.millijoules = 5000
        self.open = 0

    def nvmlInit_v2(self) -> int:  # noqa: N802
        self.open += 1
        return 0

    def nvmlShutdown(self) -> int:  # noqa: N802
        self.open -= 1
        return 0

    def nvmlSystemGetDriverVersion(self, text: Any, size: int) -> int:  # noqa: N802
        text.value = b"550.54.15"
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, device: Any) -> int:  # noqa: N802
        device._obj.value = index + 1
        return 0

    def nvmlDeviceGetUUID(self, device: Any, text: Any, size: int) -> int:  # noqa: N802
        text.value = f"GPU-{device.value}".encode()
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, device: Any, energy: Any) -> int:  # noqa: N802
        if device.value == MIG + 1:
            return 3
        energy._obj.value = self.millijoules
        return 0


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Nvml:
    made = Nvml()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: made)
    return made


def test_version_and_energy(nvml: Nvml) -> None:
    assert gpu_driver.version() == "550.54.15"
    before = gpu_driver.energy_joules()
    assert before == {"GPU-1": 5.0}
    nvml.millijoules = 7500
    assert gpu_driver.used(before, ["1"]) == gpu_driver.used(before, ["GPU-1"]) == 2.5
    assert nvml.open == 0


def test_what_is_not_counted_has_no_value(nvml: Nvml) -> None:
    before = gpu_driver.energy_joules()
    assert gpu_driver.used(before, ["GPU-1", "GPU-2"]) is None
    assert gpu_driver.used(before, []) is None
    nvml.millijoules = 10  # the driver was loaded anew
    assert gpu_driver.used(before, ["GPU-1"]) is None


@pytest.mark.parametrize("case", ["no library", "an old library", "a library that fails"])
def test_without_an_answer_there_is_no_value(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> Any:
        if case == "no library":
            raise OSError(name)
        found = Nvml()
        if case == "an old library":
            return type("Old", (), {"nvmlInit_v2": found.nvmlInit_v2})()
        monkeypatch.setattr(found, "nvmlInit_v2", lambda: 9)
        return found

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert gpu_driver.version() is None
    assert gpu_driver.energy_joules() == {}
