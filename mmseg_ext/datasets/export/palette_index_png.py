"""``palette_index_png``: ids as palette indices of a coloured PNG (GTA5, Mapillary Vistas)."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmseg_ext.datasets.export.encoded import Encoded
from mmseg_ext.datasets.export.legend import Legend


def palette_index_png(raw: NDArray[np.uint8], legend: Legend) -> Encoded:
    """A PNG of mode P that looks like a coloured label map and holds the ids."""
    image = Image.fromarray(raw)
    image.putpalette(legend.colours().tobytes())  # makes it one of mode P
    content = io.BytesIO()
    image.save(content, "PNG")
    return Encoded(content.getvalue())
