"""The encoder of each decoder: what the one writes, the other reads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.export.channel0_png import channel0_png
from mmseg_ext.datasets.export.coco_panoptic import coco_panoptic
from mmseg_ext.datasets.export.encoded import Encoded
from mmseg_ext.datasets.export.id_png import id_png
from mmseg_ext.datasets.export.legend import Legend
from mmseg_ext.datasets.export.palette_index_png import palette_index_png
from mmseg_ext.datasets.export.png16_class_in_r import png16_class_in_r
from mmseg_ext.datasets.export.polygon_json import polygon_json

Encoder = Callable[[NDArray[np.uint8], Legend], Encoded]
"""From ids (height, width) to a label file."""

ENCODERS: dict[str, Encoder] = {
    "id_png": id_png,
    "palette_index_png": palette_index_png,
    "png16_class_in_r": png16_class_in_r,
    "channel0_png": channel0_png,
    "coco_panoptic": coco_panoptic,
    "polygon_json": polygon_json,
}
