"""Provenance: which code, packages and machine made a record, without naming people or places."""

from __future__ import annotations

import functools
import getpass
import hashlib
import importlib.metadata
import os
import platform
import re
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmark import environment, gpu_driver, paths, plugins
from benchmark.records import write_atomically

PACKAGES = (
    "udabench", "torch", "torchvision", "mmengine", "mmcv-lite", "mmcv", "mmsegmentation",
    "onedl-mmengine", "onedl-mmcv", "onedl-mmsegmentation", "timm", "open_clip_torch", "numpy",
    "opencv-python", "opencv-python-headless", "imagecorruptions-imaug", "scikit-image",
)  # fmt: skip
# Options whose value says where things lie, not what is computed.
PLACES = ("--out", "--data-root", "--weights", "--costs-from")


@dataclass(frozen=True)
class Start:
    """When a cell began: UTC time, a clock that nobody sets, and what its GPUs had used by then."""

    time: str
    clock: float
    energy: Mapping[str, float]


def begin() -> Start:
    """The start of a cell, for ``capture`` when it ends."""
    return Start(utc_now(), time.monotonic(), gpu_driver.energy_joules())


def capture(
    *,
    threads: int,
    devices: Sequence[str] = (),
    started: Start | None = None,
    command: Sequence[str] | None = None,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Facts about this process for a record.

    Args:
        threads: arithmetic threads of the worker.
        devices: names of the devices that computed, as the worker's library calls them.
        started: what ``begin`` returned when the cell began; its end is now.
        command: the command line, by default this process's; paths are taken out of it.
        folder: the cell's folder, where the uncommitted changes are saved as ``dirty.diff``.
    """
    sha, diff = source_state()
    if diff and folder is not None:
        write_atomically(folder / "dirty.diff", diff)
    return {
        "git_sha": sha,
        "git_dirty": bool(diff) if sha else None,
        "git_diff_sha256": hashlib.sha256(diff.encode()).hexdigest() if diff else None,
        "constraints_sha256": environment.constraints_digest(),
        "packages": package_versions((*PACKAGES, *_plugin_packages())),
        "environment_sha256": environment.installed_digest(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "devices": list(devices),
        "driver": gpu_driver.version(),
        "torch": environment.torch_facts(sys.modules.get("torch")),
        "threads": threads,
        "command": relative_command(sys.argv[1:] if command is None else command),
        "start": started.time if started else None,
        "end": utc_now(),
        "seconds": round(time.monotonic() - started.clock, 3) if started else None,
        "energy_joules": _energy(started, len(devices)),
    }


def utc_now() -> str:
    """The time in UTC to the second, ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def package_versions(names: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Installed versions, read from metadata: nothing is imported."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _plugin_packages() -> list[str]:
    return [each.package for each in plugins.active() if each.package]


def _energy(started: Start | None, devices: int) -> float | None:
    """Joules that the process's GPUs used since it started, if the driver counts them."""
    torch = sys.modules.get("torch")
    if started is None or not started.energy or torch is None or not torch.cuda.is_available():
        return None
    visible = range(min(devices, torch.cuda.device_count()))
    uuids = [str(getattr(torch.cuda.get_device_properties(i), "uuid", "")) for i in visible]
    joules = gpu_driver.used(started.energy, uuids)
    return None if joules is None else round(joules, 1)


@functools.cache
def processor() -> str:
    """Model name of the processor, empty where the system does not tell."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor()


@functools.cache
def source_state() -> tuple[str | None, str]:
    """Commit of the repository this package is run from and the text of its uncommitted changes.

    ``(None, "")`` for an installed wheel, outside git, or before the first commit. Results are
    not source: they change while a suite runs.
    """
    root = paths.checkout_root()
    if root is None or not (root / ".git").exists():
        return None, ""
    sha = _git(root, "rev-parse", "--verify", "--quiet", "HEAD").strip()
    if not sha:
        return None, ""
    scope = ("--", ".", ":(exclude)results")
    diff = _git(root, "diff", "--no-color", "--no-ext-diff", "HEAD", *scope)
    listed = _git(root, "ls-files", "--others", "--exclude-standard", "-z", *scope)
    for name in sorted(filter(None, listed.split("\0"))):
        try:
            digest = hashlib.sha256((root / name).read_bytes()).hexdigest()
        except OSError:
            continue
        diff += f"untracked {name} sha256 {digest}\n"
    return sha, diff


def relative_command(arguments: Sequence[str]) -> str:
    """A command line without the places it names: what was run, not where."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in PLACES:
            skip = True
        elif not argument.startswith(tuple(f"{place}=" for place in PLACES)):
            is_path = os.sep in argument and not argument.startswith("-")
            kept.append(Path(argument).name if is_path else argument)
    return " ".join(["udabench", *(scrub(argument) for argument in kept)])


def scrub(text: str, places: Mapping[Path, str] | None = None) -> str:
    """``text`` without this machine's folders, host and user names.

    ``places`` gives further folders and what they are called instead.
    """
    roots = {str(path.absolute()): name for path, name in (places or {}).items()}
    roots |= {str(Path.cwd()): ".", str(paths.PACKAGE.parent): ".", sys.prefix: "<python>"}
    roots |= {str(paths.cache_root()): "<cache>", str(Path.home()): "~"}
    for root in sorted(roots, key=len, reverse=True):
        if len(root) > 1:
            text = re.sub(re.escape(root) + r"(?![\w-])", roots[root], text)
    for name in {socket.gethostname(), _user()}:
        # Short names are words of the language as often as they are names.
        if len(name) > 5:
            text = re.sub(rf"\b{re.escape(name)}\b", "<name>", text)
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _git(root: Path, *arguments: str) -> str:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        found = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout if found.returncode == 0 else ""
