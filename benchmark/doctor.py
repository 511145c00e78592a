"""What this machine and environment offer, and what would stop a run. Imports no torch."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import benchmark
from benchmark import data, doctor_inputs, paths, plugins, provenance, registry
from benchmark.engines import devices
from benchmark.errors import UdabenchError

OFFICIAL = ("mmsegmentation", "mmengine", "mmcv-lite", "mmcv")
FORK = ("onedl-mmsegmentation", "onedl-mmengine", "onedl-mmcv")
REQUIRED = ("torch", "timm", "numpy")
OPENCV = ("opencv-python", "opencv-python-headless")
DISK_GIB = 1.0
PYTHONS = ((3, 10), (3, 14))


@dataclass(frozen=True)
class Finding:
    """One checked thing: ``level`` is ``ok``, ``warning`` or ``problem`` (would stop a run)."""

    topic: str
    level: str
    text: str


def examine(out: Path) -> list[Finding]:
    """Check everything a run into ``out`` relies on."""
    return [
        Finding("udabench", "ok", f"udabench {benchmark.__version__}"),
        _python(),
        *_packages(),
        *(Finding("version", level, text) for level, text in doctor_inputs.versions()),
        _stack(),
        _processor(),
        _gpus(),
        _fragments(),
        _folder("cache", paths.cache_root(), "the environment variable UDABENCH_CACHE"),
        _folder("results", out, "--out"),
        _worlds(),
        Finding("data", *doctor_inputs.data()),
        Finding("weights", *doctor_inputs.weights()),
    ]


def _python() -> Finding:
    version = platform.python_version()
    low, high = PYTHONS
    supported = low <= tuple(map(int, platform.python_version_tuple()[:2])) < high
    text = f"Python {version}" if supported else f"Python {version}; tested with 3.10 to 3.13"
    return Finding("python", "ok" if supported else "warning", text)


def _packages() -> list[Finding]:
    versions = provenance.package_versions((*REQUIRED, "open_clip_torch", *OPENCV))
    found = [Finding("package", "ok", f"{name} {version}") for name, version in versions.items()]
    missing = [name for name in REQUIRED if name not in versions]
    if not any(name in versions for name in OPENCV):
        missing.append(OPENCV[0])
    text = "is not installed; install udabench with its dependencies"
    return found + [Finding("package", "problem", f"{name} {text}") for name in missing]


def _stack() -> Finding:
    """Which distributions provide mmseg, mmengine and mmcv; two would overwrite each other."""
    official = provenance.package_versions(OFFICIAL)
    fork = provenance.package_versions(FORK)
    names = ", ".join(f"{name} {version}" for name, version in (official | fork).items())
    if official and fork:
        text = f"both the official and the onedl distributions are installed ({names}); keep one"
        return Finding("mmsegmentation", "warning", text)
    if "mmsegmentation" in official and "mmengine" in official and len(official) >= 3:
        return Finding("mmsegmentation", "ok", f"official distributions: {names}")
    if len(fork) == len(FORK):
        return Finding("mmsegmentation", "ok", f"onedl distributions: {names}")
    text = f"incomplete, found {names or 'nothing'}; expected mmsegmentation, mmengine, mmcv-lite"
    return Finding("mmsegmentation", "problem", text)


def _processor() -> Finding:
    name = provenance.processor() or platform.machine()
    return Finding("processor", "ok", f"{name}, {devices.cores()} usable cores")


def _gpus() -> Finding:
    listing = [line.strip() for line in devices.gpu_listing().splitlines() if line.strip()]
    visible = devices.visible_gpus()
    if listing and not visible:
        return Finding("devices", "warning", "GPUs are hidden by CUDA_VISIBLE_DEVICES")
    text = "; ".join(listing) or ", ".join(visible) or "no GPU found, cells run on the processor"
    return Finding("devices", "ok", text)


def _fragments() -> Finding:
    """Whether every fragment and suite can be read, those of plugins too."""
    from benchmark import claims, suite

    readers = {"suite": suite.load, "claim": claims.load}
    count = 0
    try:
        for kind in registry.KINDS:
            for name in registry.names(kind):
                readers[kind](name) if kind in readers else registry.find(kind, name)
                count += 1
        origins = [each.origin for each in plugins.active()]
    except UdabenchError as error:
        return Finding("configs", "problem", str(error))
    if not count:
        return Finding("configs", "problem", f"{paths.configs_root()} holds no fragments")
    text = "; ".join([f"{count} fragments, claims and suites read", *origins, *plugins.problems()])
    return Finding("configs", "warning" if plugins.problems() else "ok", text)


def _folder(topic: str, folder: Path, remedy: str) -> Finding:
    """Whether ``folder`` can be written to. It is not created: its nearest parent is tried."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free / 2**30
    except OSError as error:
        reason = error.strerror or error
        text = f"{paths.shown(folder)} is not writable ({reason}); choose another with {remedy}"
        return Finding(topic, "problem", text)
    text = f"{paths.shown(folder)}, {free:.1f} GiB free"
    return Finding(topic, "ok" if free >= DISK_GIB else "warning", text)


def _worlds() -> Finding:
    worlds = [
        f"{key} ({sum(file.stat().st_size for file in _files(key)) / 2**20:.0f} MiB)"
        for key, _ in data.cached_worlds()
    ]
    return Finding("minidrive", "ok", ", ".join(worlds) or "no world generated yet")


def _files(key: str) -> list[Path]:
    root = paths.cache_root() / "minidrive" / key
    return [Path(folder, name) for folder, _, names in os.walk(root) for name in names]
