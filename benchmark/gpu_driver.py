"""What NVIDIA's driver tells without a package: its version and the energy that GPUs have used.

The driver's own library is asked through ctypes. Where there is none, or it does not answer, there
is no value; nothing fails for that.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterable, Iterator, Mapping

LIBRARY = "libnvidia-ml.so.1"
_FUNCTIONS = (
    "nvmlInit_v2", "nvmlShutdown", "nvmlSystemGetDriverVersion", "nvmlDeviceGetCount_v2",
    "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetUUID", "nvmlDeviceGetTotalEnergyConsumption",
)  # fmt: skip
_TEXT = 96
"""Bytes that hold any version or UUID of the library."""


def version() -> str | None:
    """Version of the installed driver, such as ``550.54.15``."""
    with _library() as nvml:
        text = ctypes.create_string_buffer(_TEXT)
        if nvml is None or nvml.nvmlSystemGetDriverVersion(text, _TEXT):
            return None
        return text.value.decode("ascii", "replace")


def energy_joules() -> dict[str, float]:
    """Energy that each GPU has used since the driver was loaded, by its UUID.

    Without those that do not count it: older than Volta, and parts of a GPU (MIG).
    """
    found = {}
    with _library() as nvml:
        count = ctypes.c_uint()
        if nvml is None or nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)):
            return {}
        for index in range(count.value):
            device, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
            name = ctypes.create_string_buffer(_TEXT)
            failed = (
                nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device))
                or nvml.nvmlDeviceGetUUID(device, name, _TEXT)
                or nvml.nvmlDeviceGetTotalEnergyConsumption(device, ctypes.byref(millijoules))
            )
            if not failed:
                found[name.value.decode("ascii", "replace")] = millijoules.value / 1e3
    return found


def used(before: Mapping[str, float], uuids: Iterable[str]) -> float | None:
    """Joules that the GPUs with these UUIDs have used since ``before``.

    ``None`` where one of them did not count, or its count was reset.
    """
    wanted = [uuid if uuid.startswith("GPU-") else f"GPU-{uuid}" for uuid in uuids]
    if not wanted or not before:
        return None
    after = energy_joules()
    if any(each not in before or each not in after for each in wanted):
        return None
    spent = [after[each] - before[each] for each in wanted]
    return sum(spent) if min(spent) >= 0 else None


@contextlib.contextmanager
def _library() -> Iterator[ctypes.CDLL | None]:
    """The driver's library, ready to be asked, or None."""
    try:
        nvml = ctypes.CDLL(LIBRARY)
        is_ready = all(hasattr(nvml, name) for name in _FUNCTIONS) and nvml.nvmlInit_v2() == 0
    except OSError:
        is_ready = False
    if not is_ready:
        yield None
        return
    try:
        yield nvml
    finally:
        nvml.nvmlShutdown()
