"""How many pixels of each class every label map of a data set holds.

The counts are taken from what training reads: the data set's own label reader, before any resizing
or cropping, so the counts follow its label table whatever that is. Counting a large data set
takes minutes, so the result can be kept in a cache folder outside the data. The file's name there
is the domain's with a digest of everything the counts depend on: the files of the split and how
they are read. A changed data set or another label map finds no file and is counted.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from mmseg.datasets import BaseSegDataset
from numpy.typing import NDArray

from mmseg_ext.datasets.classes import CLASSES
from mmseg_ext.datasets.files import status
from mmseg_ext.datasets.label_table import id_counts
from mmseg_ext.datasets.reading import ReadImage
from mmseg_ext.errors import StatisticsError

Progress = Callable[[int, int], None]

_VERSION = 2  # of the counting; raise when the same files would be counted differently


def class_pixels(
    dataset: BaseSegDataset,
    cache: Path | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> NDArray[np.int64]:
    """Pixels of each class in each label map, (N,19) in the order of the data set.

    Args:
        dataset: labelled data set whose pipeline reads label maps before it changes them.
        cache: folder to keep the counts in, or ``None`` to count anew each time.
        threads: that read at the same time; by default one a core, at most eight.
        progress: called with the number of label maps counted and the number in all.

    Raises:
        StatisticsError: the data set has no label maps or its pipeline does not read them.
        ExtensionError: whatever the label reader says about a file.
    """
    paths = label_paths(dataset)
    if cache is None:
        return _count(dataset, threads, progress)
    domain = getattr(dataset, "domain", "labels")
    path = Path(cache) / f"{domain}-{_fingerprint(dataset, paths)}.npy"
    try:
        counted: NDArray[np.int64] = np.load(path, allow_pickle=False)
        if counted.shape == (len(paths), len(CLASSES)):
            return counted
    except (OSError, ValueError, EOFError):
        pass  # not there yet, or cut short by a crash: count and replace it
    counted = _count(dataset, threads, progress)
    _save(path, counted)
    return counted


def label_paths(dataset: BaseSegDataset) -> list[str]:
    """File of every label map, in the order of the data set.

    Raises:
        StatisticsError: the data set was built without labels.
    """
    paths = [dataset.get_data_info(i).get("seg_map_path") for i in range(len(dataset))]
    if not paths or None in paths:
        raise StatisticsError(
            "class statistics need label maps, but this data set was built without labels; "
            "rare-class sampling is for the labelled source domain"
        )
    return paths


def relative_names(paths: list[str]) -> list[str]:
    """The paths below their common folder, with forward slashes: equal on every machine."""
    root = os.path.commonpath([os.path.dirname(path) for path in paths])
    return [Path(os.path.relpath(path, root)).as_posix() for path in paths]


def count_label(label_hw: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pixels of each of the 19 classes in one label map of train ids; 255 is not counted."""
    return id_counts(label_hw)[: len(CLASSES)]


def read_label(dataset: BaseSegDataset, index: int) -> NDArray[np.uint8]:
    """A label map as training reads it, at its own size: (H,W) uint8 train ids."""
    return _apply(_readers(dataset), dataset, index)


def _readers(dataset: BaseSegDataset) -> list[Any]:
    """The first transforms of the pipeline, up to the one that delivers the label map.

    Without the one that reads the image: it is not needed, and reading it is most of the work.
    """
    results: dict[str, Any] = dataset.get_data_info(0)
    readers = []
    for transform in dataset.pipeline.transforms:
        if not isinstance(transform, ReadImage):
            readers.append(transform)
            results = transform(results)
        if "gt_seg_map" in results:
            return readers
    raise StatisticsError(
        f"{results['seg_map_path']}: the pipeline of its data set never reads label maps; "
        "put ReadLabel before the transforms that change them"
    )


def _apply(readers: list[Any], dataset: BaseSegDataset, index: int) -> NDArray[np.uint8]:
    results: dict[str, Any] = dataset.get_data_info(index)
    for reader in readers:
        results = reader(results)
    label: NDArray[np.uint8] = results["gt_seg_map"]
    return label


def _count(
    dataset: BaseSegDataset, threads: int | None = None, progress: Progress | None = None
) -> NDArray[np.int64]:
    readers = _readers(dataset)

    def count(index: int) -> NDArray[np.int64]:
        return count_label(_apply(readers, dataset, index))

    threads = threads or min(8, os.cpu_count() or 1)
    size, rows = len(dataset), list[NDArray[np.int64]]()
    # Threads, because OpenCV and Pillow decode without holding the interpreter's lock. In blocks,
    # because an interrupt waits for what has been handed to them.
    with ThreadPoolExecutor(threads) as pool:
        while len(rows) < size:
            rows += pool.map(count, range(len(rows), min(size, len(rows) + 16 * threads)))
            if progress:
                progress(len(rows), size)
    return np.stack(rows)


def _fingerprint(dataset: BaseSegDataset, paths: list[str]) -> str:
    """Digest of the files (names, sizes, times of change) and of how they are read."""
    files = [
        [name, found.size, found.stamp]
        for name, found in zip(relative_names(paths), map(status, paths), strict=True)
    ]
    digest = hashlib.sha256(json.dumps([_VERSION, len(CLASSES), files]).encode())
    for index in range(len(paths)):  # of panoptic labels; the same for all others
        segments = dataset.get_data_info(index).get("segments")
        if segments:
            digest.update(repr(sorted(segments.items())).encode())
    for reader in _readers(dataset):
        digest.update(_named(type(reader)))
        for name, value in sorted(vars(reader).items()):
            digest.update(name.encode())
            digest.update(_plain(value))
    return digest.hexdigest()[:32]


def _plain(value: Any) -> bytes:
    """A reader's argument as bytes that are the same in every process."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}".encode() + value.tobytes()
    return _named(value) if callable(value) else repr(value).encode()


def _named(value: Any) -> bytes:
    return f"{value.__module__}.{value.__qualname__}".encode()


def _save(path: Path, counted: NDArray[np.int64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as stream:
            np.save(stream, counted)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
