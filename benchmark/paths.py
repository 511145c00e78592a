"""Where files live: the only module that makes file and folder names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from benchmark import records
from benchmark.cell import Cell

PACKAGE = Path(__file__).resolve().parent


def checkout_root() -> Path | None:
    """The repository this package is run from, or None for an installed wheel."""
    root = PACKAGE.parent
    if (root / "pyproject.toml").is_file() and (root / "configs").is_dir():
        return root
    return None


def configs_root() -> Path:
    """Folder of fragments and suites: ``$UDABENCH_CONFIGS``, the repository's or the wheel's."""
    chosen = os.environ.get("UDABENCH_CONFIGS")
    if chosen:
        return Path(chosen).expanduser().absolute()
    root = checkout_root()
    return root / "configs" if root else PACKAGE / "configs"


def published_root() -> Path:
    """Folder of published results: the repository's or the wheel's."""
    root = checkout_root()
    return root / "results" / "published" if root else PACKAGE / "published"


def cache_root() -> Path:
    """Folder of generated data: ``$UDABENCH_CACHE``, else ``~/.cache/udabench``."""
    chosen = os.environ.get("UDABENCH_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".cache" / "udabench"


def training_images(cache: Path) -> Path:
    """Folder of the files that ``udabench data cache`` makes."""
    return cache / "training_images"


def shown(path: Path) -> str:
    """``path`` as a message prints it: relative where it lies below the current folder."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def suite_folder(out: Path, suite: str) -> Path:
    """Result folder of the suite named ``suite``."""
    return out / suite


def jobs_folder(suite_folder: Path) -> Path:
    """Where the Slurm engine keeps batch scripts and logs, below a suite's result folder."""
    return suite_folder / "slurm"


@dataclass(frozen=True)
class CellPaths:
    """Every file of one cell below its suite's result folder."""

    suite_folder: Path
    cell: Cell

    @property
    def record(self) -> Path:
        return records.record_path(self.suite_folder, self.cell)

    @property
    def folder(self) -> Path:
        return self.suite_folder / "cells" / self.cell.stem

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def progress(self) -> Path:
        return self.folder / "progress.json"

    @property
    def resume_point(self) -> Path:
        """Where an interrupted training goes on from; ``ResumePointHook`` names it."""
        return self.folder / "resume.pth"

    @property
    def training(self) -> Path:
        """When the training that runs began, and what led to its resume point."""
        return self.folder / "training.json"

    @property
    def lease(self) -> Path:
        return self.folder / "lease.json"

    @property
    def submission(self) -> Path:
        return self.folder / "submission.json"

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def dirty_diff(self) -> Path:
        return self.folder / "dirty.diff"

    def remove_leftovers(self) -> None:
        """Remove the temporary files of a process that was killed while it wrote.

        Only for the holder of the cell's lease: to others they may be a file being written.
        """
        for folder, pattern in (
            (self.record.parent, f".{self.record.name}.*.tmp"),
            (self.folder, ".*.tmp"),
        ):
            for leftover in folder.glob(pattern):
                leftover.unlink(missing_ok=True)
