"""Per-image counts beside a record, and digests of what a cell computed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import ranks
from benchmark.paths import CellPaths

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def save_confusion(paths: CellPaths, counts: Mapping[str, NDArray[np.int64]]) -> dict[str, str]:
    """Per-image confusion counts beside the record, as int32: intervals need no second run."""
    import numpy as np

    target = paths.folder / "confusion.npz"
    small: dict[str, Any] = {name: array.astype(np.int32) for name, array in counts.items()}

    def write(path: Path) -> None:
        with open(path, "wb") as stream:  # given a path, savez would add its own ending
            np.savez_compressed(stream, **small)

    replace(target, write)
    return {
        "file": str(target.relative_to(paths.suite_folder)),
        "sha256": digest(small[name] for name in sorted(small)),
    }


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
