"""Slots: which devices cells run on, as opaque identifiers."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from benchmark.engines import Slot
from benchmark.errors import UsageError

MAX_LOADERS = 4


def slots(devices: str | None, threads: int, together: int = 1) -> list[Slot]:
    """The slots for ``--devices``.

    ``devices`` is ``cpu``, a comma-separated list of indices, UUIDs or MIG identifiers, or None
    for every visible GPU, else the processor. One cell runs on each GPU; the processor is shared
    by as many cells as there are cores for ``threads`` threads each. ``together`` devices, or
    processes on the processor, share a cell; devices that are left over stay idle.

    Raises:
        UsageError: an entry that is empty or a processor, fewer than one thread, or fewer devices
            than ``together``.
    """
    if threads < 1:
        raise UsageError(f"--threads: expected at least 1, got {threads}")
    if devices is None:
        chosen = visible_gpus()
    elif devices.strip().lower() == "cpu":
        chosen = []
    else:
        chosen = [part.strip() for part in devices.split(",")]
        if not all(chosen) or any(part.lower().startswith("cpu") for part in chosen):
            raise UsageError(
                f"--devices: expected 'cpu' or identifiers such as 0,1 or GPU-..., got {devices!r}"
            )
    if not chosen:
        places = max(1, cores() // (threads * together))
        return [Slot(f"cpu{i}", "cpu", "", 0, together) for i in range(places)]
    if len(chosen) < together:
        raise UsageError(
            f"--devices-per-cell {together}: there are only {len(chosen)} devices "
            f"({', '.join(map(_short, chosen))})"
        )
    loaders = max(0, min(MAX_LOADERS, cores() // len(chosen) - 1))
    whole = range(0, len(chosen) - together + 1, together)
    groups = [chosen[begin : begin + together] for begin in whole]
    return [
        Slot("+".join(map(_short, group)), "cuda", ",".join(group), loaders, together)
        for group in groups
    ]


def visible_gpus() -> list[str]:
    """Identifiers of the GPUs this process may use, without asking torch."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        entries = [part.strip() for part in given.split(",") if part.strip()]
        return [] if entries[:1] == ["-1"] else entries
    listing = gpu_listing()
    return _identifiers(listing)


def gpu_listing() -> str:
    """What ``nvidia-smi -L`` prints, empty where there is no such program or no device."""
    try:
        found = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout if found.returncode == 0 else ""


def cores() -> int:
    """Processor cores this process may use: its affinity, cut by a container's quota."""
    available = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        available = min(available, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # no quota: the file is absent or says "max"
    return available


def _identifiers(listing: str) -> list[str]:
    """UUIDs in ``nvidia-smi -L`` output; a GPU that is cut into MIG devices is only its parts."""
    found: list[str] = []
    for line in listing.splitlines():
        match = re.search(r"\(UUID: ([^)]+)\)", line)
        if not match:
            continue
        is_part = line.lstrip().startswith("MIG")
        if is_part and found and found[-1].startswith("GPU-"):
            found.pop()
        found.append(match.group(1))
    return found


def _short(device: str) -> str:
    return f"gpu{device}" if device.isdigit() else device[:12]
