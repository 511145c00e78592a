"""What processes that were killed left behind: dead leases and temporary files."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from benchmark import lease
from benchmark.cell import Cell
from benchmark.errors import UdabenchError
from benchmark.paths import CellPaths

ABANDONED_SECONDS = 60.0


def sweep(folder: Path, cells: Iterable[Cell]) -> None:
    """Clean a suite's result folder of what nobody is using any more.

    The files of a cell are touched only under its lease, so a cell that is being run is left alone.
    A temporary file that belongs to no cell (a table's) goes when no write can still be under way.
    """
    left = {path.name for path in folder.glob("records/.*.tmp")}
    for cell in cells:
        paths = CellPaths(folder, cell)
        in_records = any(name.startswith(f".{paths.record.name}.") for name in left)
        if in_records or _has_leftovers(paths.folder):
            with contextlib.suppress(OSError, UdabenchError), lease.hold(paths.lease):
                paths.remove_leftovers()
    for path in [*folder.glob(".*.tmp"), *folder.glob("tables/.*.tmp")]:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()


def _has_leftovers(folder: Path) -> bool:
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(name == "lease.json" or name.endswith((".tmp", ".lock")) for name in names)
