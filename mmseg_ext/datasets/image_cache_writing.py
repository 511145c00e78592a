"""Making a cache file of a data set, with several processes."""

from __future__ import annotations

import copy
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.cached_reading import cache_path, digest, fixed_part, made_with
from mmseg_ext.datasets.image_cache import HEADER, INDEX, Description, ImageCache, checksum, head
from mmseg_ext.datasets.image_cache_partial import finished_before, partial_file
from mmseg_ext.datasets.processes import settle
from mmseg_ext.errors import ImageCacheError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CHUNK = 8  # samples that a worker process makes at a time
_LOOKED_AT = 8  # samples from which the size of the whole is estimated

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Built:
    """What `build` did: the file, and whether there was already one that fits."""

    path: Path
    description: Description
    was_there: bool


def build(
    dataset: Any, folder: Path, processes: int = 1, progress: Progress | None = None
) -> Built:
    """Make the cache file of a data set, unless there is one that fits.

    Args:
        folder: where cache files lie; it is made if it is missing.
        processes: with more than one, that many interpreters are started.
        progress: called with samples done and samples in all.

    Raises:
        ImageCacheError: nothing of the pipeline can be cached, the disk is too full, another
            process is making the same file, or a worker process died.
        ExtensionError: whatever the readers say about a file.
        OSError: the folder cannot be written.
    """
    fixed = fixed_part(dataset)
    if not fixed:
        raise ImageCacheError(
            f"domain {dataset.domain}: its pipeline does not begin with reading the image, the "
            "label if there is one, and resizing to a fixed scale; there is nothing to cache"
        )
    path = cache_path(dataset, folder)
    wanted = digest(dataset)
    known = _description(path)
    if known is not None and known.digest == wanted:
        return Built(path, known, was_there=True)
    folder.mkdir(parents=True, exist_ok=True)
    infos = [dataset.get_data_info(row) for row in range(len(dataset))]
    labelled = "seg_map_path" in infos[0]
    with partial_file(path, wanted) as (descriptor, partial):
        index, end = finished_before(descriptor, len(infos), labelled)
        estimate = _check_space(path, fixed, infos, index)
        try:
            end = _store(descriptor, end, fixed, infos, index, processes, progress)
            description = Description(
                wanted, dataset.domain, len(infos), labelled, end, made_with()
            )
            os.ftruncate(descriptor, end)
            write_all(descriptor, head(description, index), 0)
            os.fsync(descriptor)
            os.replace(partial, path)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise ImageCacheError(
                f"{path.parent}: the disk is full ({os.strerror(error.errno)}) before the about "
                f"{_gigabytes(estimate)} of {path.name} were written; nothing was left behind"
            ) from error
    return Built(path, description, was_there=False)


def _description(path: Path) -> Description | None:
    try:
        return ImageCache(path).description
    except ImageCacheError:
        return None


def _check_space(
    path: Path, fixed: list[Any], infos: list[dict[str, Any]], index: NDArray[Any]
) -> int:
    """Bytes that are still to be written, estimated from some samples; an error without space."""
    missing = np.flatnonzero(index["offset"] == 0)
    if not len(missing):
        return 0
    some = missing[:: -(-len(missing) // _LOOKED_AT)]
    sizes = []
    for row in some:
        image, label, _ = make(fixed, copy.deepcopy(infos[row]))
        sizes.append(image.nbytes + (0 if label is None else label.nbytes))
    needed = sum(sizes) * len(missing) // len(some)
    disk = os.statvfs(path.parent)
    free = disk.f_bavail * disk.f_frsize
    if needed > free:
        raise ImageCacheError(
            f"{path.parent}: {path.name} needs about {_gigabytes(needed)}, and "
            f"{_gigabytes(free)} are free on this disk; make room or choose another folder"
        )
    return needed


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.3g} GB"


def write_all(descriptor: int, content: Any, offset: int) -> None:
    """Write a buffer at a position; the system may take less at once."""
    view = memoryview(content).cast("B")
    while view.nbytes:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


class _Maker:
    """Makes samples and writes each behind the last one, in any of several processes.

    Args:
        descriptor: of the file. Worker processes share it and so its lock: nobody else can take
            the file over while one of them could still write.
        end: number of bytes in the file so far, shared by all processes.
    """

    def __init__(self, descriptor: int, fixed: list[Any], end: Any) -> None:
        self._descriptor, self._fixed, self._end = descriptor, fixed, end

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_descriptor": DupFd(self._descriptor)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _descriptor=state["_descriptor"].detach())

    def __call__(self, task: Sequence[tuple[int, dict[str, Any]]]) -> list[tuple[int, Any]]:
        """Store the samples of these rows; returns their rows and entries of the index."""
        return [(row, self._store(info)) for row, info in task]

    def _store(self, info: dict[str, Any]) -> tuple[int, ...]:
        image, label, full_size = make(self._fixed, info)
        size = image.nbytes + (0 if label is None else label.nbytes)
        with self._end.get_lock():
            offset = self._end.value
            self._end.value += size
        write_all(self._descriptor, image, offset)
        if label is not None:
            write_all(self._descriptor, label, offset + image.nbytes)
        return (offset, *image.shape[:2], *full_size, checksum(image, label))


def make(
    fixed: Sequence[Any], info: dict[str, Any]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None, tuple[int, int]]:
    """Image, label and size before resizing, as the fixed transforms make them."""
    for transform in fixed:
        info = transform(info)
    image, label = np.ascontiguousarray(info["img"]), info.get("gt_seg_map")
    if label is not None:
        label = np.ascontiguousarray(label)
    shapes = [image.shape[2:], image.shape[:2] if label is None else label.shape]
    if image.dtype != np.uint8 or shapes != [(3,), image.shape[:2]]:
        raise ImageCacheError(f"{info['img_path']}: {image.shape} of {image.dtype} is not cached")
    return image, label, info["ori_shape"]


def _store(
    descriptor: int,
    end: int,
    fixed: list[Any],
    infos: list[dict[str, Any]],
    index: NDArray[Any],
    processes: int,
    progress: Progress | None,
) -> int:
    """Fill the index and the file; returns the file's size."""
    missing = np.flatnonzero(index["offset"] == 0).tolist()
    chunks = [missing[start : start + _CHUNK] for start in range(0, len(missing), _CHUNK)]
    context = get_context("spawn")
    counter = context.Value("q", end)
    maker = _Maker(descriptor, fixed, counter)
    done = len(infos) - len(missing)
    tasks = [[(row, infos[row]) for row in chunk] for chunk in chunks]
    for entries in _results(maker, tasks, min(processes, len(chunks)), context):
        for row, entry in entries:
            index[row] = entry
            write_all(descriptor, index[row].tobytes(), HEADER + row * INDEX.itemsize)
        done += len(entries)
        if progress is not None:
            progress(done, len(infos))
    return int(counter.value)


def _results(maker: _Maker, tasks: list[Any], processes: int, context: Any) -> Iterator[Any]:
    if processes <= 1:
        yield from map(maker, tasks)
        return
    with ProcessPoolExecutor(processes, context, _begin, (os.getpid(), maker)) as pool:
        futures = [pool.submit(_make, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise ImageCacheError(
                "a worker process died while caching images; is there enough memory? Try fewer "
                "processes"
            ) from error
        finally:
            for future in futures:
                future.cancel()


_maker: _Maker | None = None


def _begin(parent: int, maker: _Maker) -> None:
    global _maker
    settle(parent)
    _maker = maker


def _make(task: Any) -> Any:
    assert _maker is not None
    return _maker(task)
