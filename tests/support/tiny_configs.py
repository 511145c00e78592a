"""The project's own fragments on a MiniDrive world that is generated in a second."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmark import paths

WORLD = "world = dict(height=64, width=128, gap=0.6, train_images=10, test_images=4)"


def write(folder: Path) -> Path:
    """Copy the fragments into ``folder``: 10 training and 4 test images a domain."""
    shutil.copytree(paths.configs_root(), folder)
    for fragment in (folder / "domains").glob("minidrive-*.py"):
        lines = fragment.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("world")]
        fragment.write_text("\n".join([*kept, WORLD]) + "\n", encoding="utf-8")
    return folder
