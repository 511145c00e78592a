"""Training images from a cache file instead of their own files, byte for byte the same.

A training pipeline begins with transforms that make the same of a file each time: read the image,
read the label, resize both to a fixed scale. A cache file (`image_cache`) holds what they make, for
every sample of a data set. The data set's pipeline itself stays as it is, so that whoever looks at
it (class statistics read labels at their own size) sees what it would be without a cache.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL
from mmcv.transforms import Resize as PlainResize
from mmengine.dataset import Compose
from mmengine.logging import print_log
from mmseg.datasets.transforms import Resize

from mmseg_ext.datasets.files import status
from mmseg_ext.datasets.image_cache import SUFFIX, ImageCache
from mmseg_ext.datasets.mapped_label import ReadMappedLabel
from mmseg_ext.datasets.reading import ReadImage, ReadLabel
from mmseg_ext.datasets.valid_pixels import AttachValidPixels
from mmseg_ext.errors import ImageCacheError

_VERSION = 1  # of the cache files and readers; raise when the same files would be read differently
_LABEL_READERS = (ReadLabel, ReadMappedLabel)
_RESIZES = (Resize, PlainResize)


def fixed_part(dataset: Any) -> list[Any]:
    """The first transforms of a data set, which make the same of a sample each time.

    Empty where nothing can be cached: they must begin with `ReadImage`, and read the label, where
    there are labels, before one resize at most.
    """
    found: list[Any] = []
    labelled = "seg_map_path" in dataset.get_data_info(0)
    for transform in dataset.pipeline.transforms:
        kind = type(transform)
        before = [type(each) for each in found]
        resized = any(each in _RESIZES for each in before)
        if not (
            (kind is ReadImage and not before)
            or (kind in _LABEL_READERS and before and not resized and kind not in before)
            or (kind in _RESIZES and not resized and transform.scale is not None)
            or (kind is AttachValidPixels and kind not in before)
        ):
            break
        found.append(transform)
    reads_label = any(type(each) in _LABEL_READERS for each in found)
    return found if found and isinstance(found[0], ReadImage) and reads_label == labelled else []


def cache_path(dataset: Any, folder: Path) -> Path:
    """The cache file of a data set: one for each domain, size, and with or without labels.

    A data set without labels never looks at a file that holds some (the label firewall).
    """
    labels = "labelled" if "seg_map_path" in dataset.get_data_info(0) else "unlabelled"
    scales = [each.scale for each in fixed_part(dataset) if type(each) in _RESIZES]
    size = "x".join(str(side) for side in scales[0]) if scales else "native"
    return folder / f"{dataset.domain}-{labels}-{size}{SUFFIX}"


def digest(dataset: Any) -> str:
    """Digest of everything that the cached arrays depend on.

    Those are names, sizes and stamps of the files, the transforms with their arguments, the
    versions of the libraries that decode and resize, and the kind of machine. Masks of valid
    pixels are not stored, and so not part of it.
    """
    infos = [dataset.get_data_info(row) for row in range(len(dataset))]
    paths = [info[key] for info in infos for key in ("img_path", "seg_map_path") if key in info]
    # Below the folder that all have in common: where the data lie does not matter.
    start = len(os.path.commonpath({os.path.dirname(path) for path in paths}))
    found = map(status, paths)
    files = [[path[start:], each.size, each.stamp] for path, each in zip(paths, found, strict=True)]
    transforms = [
        [type(each).__module__, type(each).__qualname__, _described(vars(each))]
        for each in fixed_part(dataset)
        if type(each) is not AttachValidPixels
    ]
    segments = [_described(info.get("segments")) for info in infos]
    content = [_VERSION, made_with(), transforms, files, segments]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def made_with() -> str:
    """The libraries that decode and resize, with their versions, and the kind of machine."""
    found = {"opencv": cv2.__version__, "pillow": PIL.__version__, "numpy": np.__version__}
    for name in ("mmcv-lite", "mmcv", "mmsegmentation", "onedl-mmcv", "onedl-mmsegmentation"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    parts = [f"{name} {number}" for name, number in found.items()]
    return ", ".join([*parts, platform.machine()])


def _described(value: Any) -> Any:
    """A transform's arguments as JSON, equal for equal arguments in every process."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return sorted([str(key), _described(each)] for key, each in value.items())
    if isinstance(value, (list, tuple, range)):
        return [_described(each) for each in value]
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if hasattr(value, "__dict__"):
        return [type(value).__qualname__, _described(vars(value))]
    raise ImageCacheError(f"a transform's argument {value!r} cannot be part of a cache's digest")


def cached_pipeline(dataset: Any, folder: Path) -> Compose | None:
    """The data set's pipeline with its fixed part taken from a cache file.

    ``None`` where there is no file, or one that does not fit the data: the images are then read
    from their own files, and the log says why.
    """
    path = cache_path(dataset, folder)
    fixed = fixed_part(dataset)
    if not fixed or not path.is_file():
        return None
    try:
        cache = ImageCache(path)
        wanted = digest(dataset)
    except ImageCacheError as error:
        print_log(f"{error}; reading the images from their files", "current", logging.WARNING)
        return None
    labelled = "seg_map_path" in dataset.get_data_info(0)
    if cache.description.digest != wanted or cache.description.labelled != labelled:
        print_log(
            f"{path}: the data set's files or the versions of libraries have changed since it was "
            "made; make it again. Reading the images from their files",
            "current",
            logging.WARNING,
        )
        return None
    print_log(f"images of {dataset.domain} come from {path}", "current")
    paths = [dataset.get_data_info(row)["img_path"] for row in range(len(dataset))]
    rows = {each: row for row, each in enumerate(paths)}
    rest = dataset.pipeline.transforms[len(fixed) :]
    return Compose([ReadCached(cache, rows, fixed), *rest])


class ReadCached:
    """Leaves the results of the fixed transforms in a sample, with the arrays from a cache file.

    Args:
        cache: the file.
        rows: row of each image path in it.
        fixed: the transforms whose work is in it; those that do not touch files still run.
    """

    def __init__(self, cache: ImageCache, rows: Mapping[str, int], fixed: list[Any]) -> None:
        self._cache, self._rows, self._fixed = cache, rows, fixed

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        stored = self._cache.read(self._rows[results["img_path"]])
        full_height, full_width = stored.full_size
        height, width = stored.image.shape[:2]
        for transform in self._fixed:
            if isinstance(transform, ReadImage):
                results["img"] = None  # nothing there for Resize to work on
                results["img_shape"] = results["ori_shape"] = stored.full_size
            elif isinstance(transform, _LABEL_READERS):
                results["gt_seg_map"] = None
                results.setdefault("seg_fields", []).append("gt_seg_map")
            elif isinstance(transform, _RESIZES):
                transform.transform(results)  # of masks of valid pixels
                results["img_shape"] = (height, width)
                results["scale_factor"] = (width / full_width, height / full_height)
                results["keep_ratio"] = transform.keep_ratio
            else:
                transform.transform(results)
        results["img"] = stored.image
        if stored.label is not None:
            results["gt_seg_map"] = stored.label
        return results
