"""Transforms that send a mask of valid pixels along with a target image, and pack it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs

from mmseg_ext.registry import TRANSFORMS


@TRANSFORMS.register_module()
class AttachValidPixels(BaseTransform):
    """Adds ``results['valid_pixels']``: uint8, HxW, 0 in the margins of the image and 1 inside.

    Must follow the transform that reads the image and precede those that resize, crop or flip: the
    mask is one of the ``seg_fields`` and goes through them with nearest-neighbour interpolation.
    HRDA and MIC use margins of 30, 240, 30 and 30 pixels for Cityscapes (lhoyer/MIC,
    mmseg/datasets/cityscapes.py).

    Args:
        top, bottom, left, right: margins in pixels of an image of ``native_size``.
        native_size: height and width the margins are meant for; scaled to other images.
    """

    def __init__(
        self,
        top: int = 30,
        bottom: int = 240,
        left: int = 30,
        right: int = 30,
        native_size: tuple[int, int] = (1024, 2048),
    ) -> None:
        height, width = native_size
        self._rows = top / height, bottom / height
        self._columns = left / width, right / width
        if min(*self._rows, *self._columns) < 0 or max(sum(self._rows), sum(self._columns)) >= 1:
            raise ValueError(
                f"margins {(top, bottom, left, right)} leave nothing of an image of "
                f"{height}x{width} pixels, or are negative"
            )

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        height, width = results["img_shape"]
        top, bottom = (round(share * height) for share in self._rows)
        left, right = (round(share * width) for share in self._columns)
        valid = np.zeros((height, width), np.uint8)
        valid[top : height - bottom, left : width - right] = 1
        results["valid_pixels"] = valid
        results.setdefault("seg_fields", []).append("valid_pixels")
        return results


@TRANSFORMS.register_module()
class PackWithValidPixels(PackSegInputs):
    """Packs like MMSegmentation's ``PackSegInputs`` and adds the mask to the data sample.

    Padding is not valid, whatever value a padding transform gave the mask.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        packed: dict[str, Any] = super().transform(results)
        valid = torch.from_numpy(np.ascontiguousarray(results["valid_pixels"] == 1))
        packed["data_samples"].valid_pixels = PixelData(data=valid[None])
        return packed
