"""Small pictures of an image, its ground truth and a prediction, for reports."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmseg_ext.evaluation.label_files import colour_png

_JPEG_QUALITY = 90


def picture(sample: dict[str, Any], widest: int) -> bytes:
    """The sample's image as JPEG, as large as its label but at most ``widest`` pixels wide."""
    image_bgr = sample["inputs"].permute(1, 2, 0).contiguous().numpy()
    label = sample["data_samples"].gt_sem_seg.data.squeeze(0)
    height, width = _size(label.shape[-2], label.shape[-1], widest)
    if (height, width) != image_bgr.shape[:2]:
        image_bgr = cv2.resize(image_bgr, (width, height), interpolation=cv2.INTER_AREA)
    done, content = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise ValueError(f"OpenCV cannot write an image of {image_bgr.shape} as JPEG")
    return bytes(content.tobytes())


def truth(sample: dict[str, Any], widest: int) -> bytes:
    """The sample's label as indexed PNG in the colours of Cityscapes, of the picture's size."""
    return prediction(sample["data_samples"].gt_sem_seg.data.squeeze(0).numpy(), widest)


def prediction(train_ids: NDArray[Any], widest: int) -> bytes:
    """A label map as indexed PNG in the colours of Cityscapes, of the picture's size."""
    height, width = _size(train_ids.shape[0], train_ids.shape[1], widest)
    small = train_ids.astype(np.uint8)
    if (height, width) != small.shape:
        small = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return colour_png(small)


def _size(height: int, width: int, widest: int) -> tuple[int, int]:
    if width <= widest:
        return height, width
    return max(1, round(height * widest / width)), widest
