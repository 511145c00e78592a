"""Transforms that read an image or a label map, and refuse files that are not what they should be.

OpenCV answers a missing, empty, truncated or damaged file with ``None``; MMCV's loaders pass that
on and fail later, far from the cause. These two name the file at once.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL
from mmseg_ext.datasets.files import read_bytes
from mmseg_ext.errors import InvalidLabelError, UnreadableFileError
from mmseg_ext.registry import TRANSFORMS

_COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def _decode(path: str, flags: int, what: str) -> NDArray[np.uint8]:
    content = read_bytes(path, what)
    try:
        array = cv2.imdecode(np.frombuffer(content, np.uint8), flags) if content else None
    except cv2.error as error:  # a header that asks for too large an image
        raise UnreadableFileError(f"{path}: cannot be decoded ({error.err})") from error
    if array is None:
        raise UnreadableFileError(
            f"{path}: not a whole {what} file ({len(content)} bytes); "
            "delete it, or the folder it is in, and prepare the data again"
        )
    return np.asarray(array)


@TRANSFORMS.register_module()
class ReadImage(BaseTransform):
    """Reads ``results['img_path']`` into ``results['img']``: uint8, HxWx3, BGR.

    The path may lead through a zip archive. An orientation in a photograph's metadata is ignored,
    because labels are drawn on the image as it is stored.

    Raises:
        UnreadableFileError: the file is missing, empty, truncated or not an image.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        image = _decode(results["img_path"], _COLOUR, "image")
        results["img"] = image
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results


@TRANSFORMS.register_module()
class ReadLabel(BaseTransform):
    """Reads ``results['seg_map_path']`` into ``results['gt_seg_map']``: uint8, HxW train ids.

    The file must be a single-channel 8-bit image whose values are train ids 0-18 or 255.

    Raises:
        UnreadableFileError: the file is missing, empty, truncated or not an image.
        InvalidLabelError: another type or number of channels, a value outside the vocabulary, or
            another size than the image that was read before.
    """

    _known = np.zeros(256, bool)
    _known[: len(CLASSES)] = True
    _known[IGNORE_LABEL] = True

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        path = results["seg_map_path"]
        label = _decode(path, cv2.IMREAD_UNCHANGED, "label map")
        if label.ndim != 2 or label.dtype != np.uint8:
            raise InvalidLabelError(
                f"{path}: expected one channel of 8-bit train ids, "
                f"found shape {label.shape} of {label.dtype}"
            )
        if not self._known[label].all():
            unknown = np.unique(label[~self._known[label]]).tolist()
            raise InvalidLabelError(
                f"{path}: values {unknown} are not train ids (0-{len(CLASSES) - 1} or 255)"
            )
        if "img_shape" in results and label.shape != results["img_shape"]:
            raise InvalidLabelError(
                f"{path}: size {label.shape} differs from its image's {results['img_shape']}"
            )
        results["gt_seg_map"] = label
        results.setdefault("seg_fields", []).append("gt_seg_map")
        return results
