"""A cache file while it is made: under another name, locked, and gone on with after an interrupt.

The name has the digest of the content in it, so that what an interrupted process left behind is
gone on with only where it still fits, and is removed otherwise.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.image_cache import HEADER, INDEX, SUFFIX
from mmseg_ext.errors import ImageCacheError

_PARTIAL = ".partial"


@contextmanager
def partial_file(path: Path, digest: str) -> Iterator[tuple[int, Path]]:
    """The open and locked file that is to become ``path``, and its name until then.

    An error removes it. Ctrl-C leaves it behind to go on with.

    Raises:
        ImageCacheError: another process is making the same file, or files cannot be locked.
    """
    partial = path.with_name(f".{path.stem}.{digest}{_PARTIAL}")
    for leftover in path.parent.glob(f".{path.stem}.*{_PARTIAL}"):
        if leftover != partial:
            _remove_unlocked(leftover)
    descriptor = _locked(partial)
    try:
        yield descriptor, partial
    except Exception:
        partial.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def finished_before(descriptor: int, samples: int, labelled: bool) -> tuple[NDArray[Any], int]:
    """The index of the samples that an interrupted process has stored, and the end of the last.

    A sample counts only with the right checksum: after a power failure an entry of the index may
    be there without its sample. A new file gets an empty index.
    """
    index = np.zeros(samples, INDEX)
    begin = HEADER + index.nbytes
    size = os.fstat(descriptor).st_size
    if size < begin:
        os.ftruncate(descriptor, begin)
        return index, begin
    found = np.frombuffer(os.pread(descriptor, index.nbytes, HEADER), INDEX)
    ends = [begin]
    for row in np.flatnonzero(found["offset"]):
        entry = found[row]
        pixels = int(entry["height"]) * int(entry["width"])
        offset, length = int(entry["offset"]), pixels * (4 if labelled else 3)
        if offset >= begin and offset + length <= size:
            content = os.pread(descriptor, length, offset)
            if zlib.crc32(content) == int(entry["checksum"]):
                index[row] = entry
                ends.append(offset + length)
    return index, max(ends)


def remove(folder: Path, domains: Sequence[str] | None = None) -> list[tuple[Path, int]]:
    """Remove the cache files of these domains, or of all, and what was left behind.

    A file that a process is making stays. Returns what was removed with its size in bytes.
    """
    removed = []
    for path in sorted([*folder.glob(f"*{SUFFIX}"), *folder.glob(f".*{_PARTIAL}")]):
        if domains is not None and domain_of(path) not in domains:
            continue
        size = path.stat().st_size
        if path.name.endswith(SUFFIX):
            path.unlink(missing_ok=True)
        elif not _remove_unlocked(path):
            continue
        removed.append((path, size))
    return removed


def domain_of(path: Path) -> str:
    """The domain whose samples a file holds, by the file's name."""
    return path.name.removeprefix(".").removesuffix(SUFFIX).partition(".")[0].rsplit("-", 2)[0]


def _locked(partial: Path) -> int:
    while True:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is(descriptor, partial):
                return descriptor
        except BlockingIOError as error:
            os.close(descriptor)
            raise ImageCacheError(
                f"{partial}: another process is making this cache file; wait until it is done"
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise ImageCacheError(
                f"{partial}: cannot be locked ({error.strerror}); choose a folder on another disk"
            ) from error
        os.close(descriptor)  # its owner renamed or removed it in between


def _is(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one of that name now."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _remove_unlocked(partial: Path) -> bool:
    """Remove a file that no process is making; whether it was."""
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is(descriptor, partial):
            return False
        partial.unlink()
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
