"""Transforms of test images: the size a network sees, and the size its answer is scored at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from PIL import Image

from mmseg_ext.registry import TRANSFORMS

_UNBOUNDED = 10**9


@TRANSFORMS.register_module()
class ScaleImage(BaseTransform):
    """Resizes ``results['img']`` bilinearly and leaves the label alone, even where it is read.

    Args:
        bound: longest and shortest side at most, in pixels.
        short_side: what the shorter side becomes, in pixels; instead of ``bound``.
        keep_ratio: ``False`` makes the image exactly ``bound`` wide and high.

    Raises:
        ValueError: not exactly one of ``bound`` and ``short_side`` is given, or the ratio of a
            short side is not to be kept.
    """

    def __init__(
        self,
        bound: Sequence[int] | None = None,
        short_side: int | None = None,
        keep_ratio: bool = True,
    ) -> None:
        if (bound is None) == (short_side is None) or (short_side and not keep_ratio):
            raise ValueError(
                f"bound is {bound} and short_side {short_side}: exactly one is needed, and the "
                "ratio of a short side is always kept"
            )
        self._bound = (_UNBOUNDED, short_side) if bound is None else (bound[0], bound[1])
        self._keep_ratio = keep_ratio

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        resize = mmcv.imrescale if self._keep_ratio else mmcv.imresize
        results["img"] = resize(results["img"], self._bound, interpolation="bilinear")
        results["img_shape"] = results["img"].shape[:2]
        return results


@TRANSFORMS.register_module()
class HalveImageAndLabel(BaseTransform):
    """Halves image (bicubic) and label (nearest): the answer is scored at half the native size.

    This is what REIN does to Mapillary Vistas before it is read (w1oves/Rein,
    tools/convert_datasets/mapillary_resize.py), with Pillow as there. Unlike there the halved image
    is not compressed again.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        height, width = results["img"].shape[:2]
        size = (max(1, width // 2), max(1, height // 2))
        image = Image.fromarray(results["img"]).resize(size, Image.Resampling.BICUBIC)
        label = Image.fromarray(results["gt_seg_map"]).resize(size, Image.Resampling.NEAREST)
        results["img"], results["gt_seg_map"] = np.array(image), np.array(label)
        results["img_shape"] = results["ori_shape"] = results["img"].shape[:2]
        return results


@TRANSFORMS.register_module()
class LabelAtImageSize(BaseTransform):
    """Resizes the label (nearest) to the image as it is now: scored at the network's size."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        height, width = results["img"].shape[:2]
        results["gt_seg_map"] = cv2.resize(
            results["gt_seg_map"], (width, height), interpolation=cv2.INTER_NEAREST
        )
        results["ori_shape"] = (height, width)
        return results
