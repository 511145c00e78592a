"""``id_png``: one channel of 8-bit ids (Cityscapes, ACDC, BDD100K masks)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.export.encoded import Encoded
from mmseg_ext.datasets.export.legend import Legend
from mmseg_ext.datasets.export.png import png


def id_png(raw: NDArray[np.uint8], legend: Legend) -> Encoded:
    """A grey PNG whose values are the ids."""
    return Encoded(png(raw))
