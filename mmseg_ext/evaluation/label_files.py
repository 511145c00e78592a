"""Label maps as files: ids for servers, and indexed colours for people."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmseg_ext.datasets.classes import IGNORE_LABEL, PALETTE

CITYSCAPES_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""Label id of each train id (mcordts/cityscapesScripts, helpers/labels.py)."""


def id_png(train_ids: NDArray[np.uint8], ids: Sequence[int] | None = None) -> bytes:
    """An 8-bit grey PNG with ``ids[train_id]``, or with the train ids themselves."""
    if ids is not None:
        table = np.zeros(256, np.uint8)
        table[: len(ids)] = ids
        train_ids = table[train_ids]
    return _png(Image.fromarray(train_ids))


def colour_png(train_ids: NDArray[np.uint8]) -> bytes:
    """A PNG of train ids in the colours of Cityscapes; void (255) is black."""
    image = Image.fromarray(train_ids)
    image.putpalette(palette().tobytes())  # makes it one of mode P
    return _png(image)


def palette() -> NDArray[np.uint8]:
    """RGB (256, 3) of every train id; black for what is none."""
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(PALETTE)] = PALETTE
    assert not colours[IGNORE_LABEL].any()
    return colours


def _png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()
