"""Per-image counts beside a record, and digests of what a cell computed."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import ranks
from benchmark.paths import CellPaths

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


GROUPS = ".groups"
"""Ending of the name under which the groups of a domain's images stand beside its counts."""


def save_confusion(
    paths: CellPaths,
    counts: Mapping[str, NDArray[np.int64]],
    groups: Mapping[str, Sequence[str | None]] | None = None,
) -> dict[str, str]:
    """Per-image confusion counts beside the record, as int32: intervals need no second run.

    Args:
        paths: of the cell.
        counts: (N, C, C) by domain.
        groups: of the images of those domains that have any, such as ACDC's conditions.
    """
    import numpy as np

    target = paths.folder / "confusion.npz"
    small: dict[str, Any] = {name: array.astype(np.int32) for name, array in counts.items()}
    for name, each in (groups or {}).items():
        if any(each):
            small[name + GROUPS] = np.array([group or "" for group in each])

    def write(path: Path) -> None:
        with open(path, "wb") as stream:  # given a path, savez would add its own ending
            np.savez_compressed(stream, **small)

    replace(target, write)
    return {
        "file": str(target.relative_to(paths.suite_folder)),
        "sha256": digest(small[name] for name in sorted(small)),
    }


def read_confusion(path: Path, sha256: str) -> dict[str, NDArray[Any]] | None:
    """The arrays that `save_confusion` wrote, or ``None`` if they are not there or are others.

    Args:
        path: of the file.
        sha256: what the record says of their content.
    """
    import zipfile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        return None
    return found if digest(found[name] for name in sorted(found)) == sha256 else None


def replace(target: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary file and give it the name ``target``; in rank 0 alone."""
    if ranks.rank() != 0:
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def digest(arrays: Any) -> str:
    """SHA-256 of the bytes of arrays, one after the other."""
    import numpy as np

    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
