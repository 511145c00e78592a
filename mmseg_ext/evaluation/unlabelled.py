"""Steps of a pipeline for images whose labels are hidden or not wanted.

A label of nothing but void takes the place of the label, so that all other steps of the scoring
stay what they are, and says at which size the prediction is wanted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmseg_ext.datasets.classes import IGNORE_LABEL

Results = dict[str, Any]


def void_label(results: Results) -> Results:
    """Attach a void label of the image's own size."""
    results["native_shape"] = results["img"].shape[:2]
    return native_label(results)


def native_label(results: Results) -> Results:
    """Bring the void label back to the image's own size, whatever was done to it since."""
    results["gt_seg_map"] = np.full(results["native_shape"], IGNORE_LABEL, np.uint8)
    return results
