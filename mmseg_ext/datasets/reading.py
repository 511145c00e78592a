"""Transforms that read an image or a label map, and refuse files that are not what they should be.

OpenCV answers a missing or damaged file with ``None``, or with what it could decode of it; MMCV's
loaders pass that on and fail later, far from the cause, or never. These two name the file at once.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL
from mmseg_ext.datasets.encoded import decode
from mmseg_ext.datasets.files import read_bytes
from mmseg_ext.errors import InvalidLabelError
from mmseg_ext.registry import TRANSFORMS

_COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


@TRANSFORMS.register_module()
class ReadImage(BaseTransform):
    """Reads ``results['img_path']`` into ``results['img']``: uint8, HxWx3, BGR.

    The path may lead through a zip archive. An orientation in a photograph's metadata is ignored,
    because labels are drawn on the image as it is stored.

    Raises:
        UnreadableFileError: the file is missing, empty, truncated or not an image.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        path = results["img_path"]
        image = decode(read_bytes(path, "image"), _COLOUR, path, "image")
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
        label = decode(read_bytes(path, "label map"), cv2.IMREAD_UNCHANGED, path, "label map")
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
