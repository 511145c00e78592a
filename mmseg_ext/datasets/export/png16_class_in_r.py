"""``png16_class_in_r``: three channels of 16 bits, class, instance and nothing (SYNTHIA)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.export.encoded import Encoded
from mmseg_ext.datasets.export.instances import instances
from mmseg_ext.datasets.export.legend import Legend
from mmseg_ext.datasets.export.png import png

_FIRST_INSTANCE = 250  # so that the numbers need more than 8 bits, as in the long sequences


def png16_class_in_r(raw: NDArray[np.uint8], legend: Legend) -> Encoded:
    """A 16-bit PNG with the ids in red and the number of the thing in green."""
    numbers = instances(raw, legend)
    green = np.where(numbers > 0, numbers + _FIRST_INSTANCE, 0)
    return Encoded(png(np.dstack([raw, green, np.zeros_like(raw)]).astype(np.uint16)))
