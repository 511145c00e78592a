"""The files of a report: written where they differ, removed where nothing stands for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from benchmark.records import write_atomically

FIGURE_KINDS = ("svg", "pdf", "png")


def save(contents: Mapping[Path, str | bytes]) -> list[Path]:
    """Write every file that does not hold its content yet, whole or not at all; return them."""
    changed = []
    for path, content in contents.items():
        data = content.encode() if isinstance(content, str) else content
        if _holds(path, data):
            continue
        write_atomically(path, data)
        changed.append(path)
    return changed


def drop_tables(folder: Path, kept: Collection[Path], extensions: Collection[str]) -> list[Path]:
    """Remove files of tables that are no more from ``folder``, which holds nothing else."""
    stale = [
        path
        for path in sorted(folder.glob("*.*"))
        if path.suffix[1:] in extensions and path not in kept
    ]
    return _removed(stale)


def drop_figures(folder: Path, kept: Collection[str]) -> list[Path]:
    """Remove figures that are no more from ``folder``.

    A figure is known by being there in every kind: others may keep pictures in this folder.
    """
    stale = []
    for first in sorted(folder.glob(f"*.{FIGURE_KINDS[0]}")):
        kinds = [first.with_suffix(f".{kind}") for kind in FIGURE_KINDS]
        if first.stem not in kept and all(path.is_file() for path in kinds):
            stale += kinds
    return _removed(stale)


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def _removed(paths: list[Path]) -> list[Path]:
    for path in paths:
        path.unlink()
    return paths
