"""Files beside a label that are no labels: a wrong pattern would catch them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.export.instances import instances
from mmseg_ext.datasets.export.legend import Legend
from mmseg_ext.datasets.export.png import png

# Ids of the 19 classes in the annotations of Cityscapes (cityscapesScripts helpers/labels.py).
_CITYSCAPES = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)


@dataclass(frozen=True)
class Companion:
    """A further picture of a label.

    Attributes:
        kind: one of `KINDS`.
        old, new: its path is the label's with ``old`` replaced; not written where there is no
            ``old`` in that.
    """

    kind: str
    old: str
    new: str


def _colour(raw: NDArray[np.uint8], legend: Legend) -> bytes:
    return png(legend.colours()[raw])


def _instances(raw: NDArray[np.uint8], legend: Legend) -> bytes:
    """As in Cityscapes: the id, or 1000 times the id and the number of the thing."""
    numbers = instances(raw, legend)
    ids = raw.astype(np.int64)
    return png(np.where(numbers > 0, ids * 1000 + numbers % 1000, ids).astype(np.uint16))


def _invalid(raw: NDArray[np.uint8], legend: Legend) -> bytes:
    """One where a pixel was invalid to the annotators (ACDC), here where it is void."""
    return png(np.isin(raw, legend.ids.void).astype(np.uint8))


def _label_ids(raw: NDArray[np.uint8], legend: Legend) -> bytes:
    """Ids of Cityscapes, which some data sets ship beside train ids."""
    table = np.zeros(256, np.uint8)
    for ids, value in zip(legend.ids.of_class, _CITYSCAPES, strict=True):
        table[list(ids)] = value
    return png(table[raw])


KINDS: dict[str, Callable[[NDArray[np.uint8], Legend], bytes]] = {
    "colour": _colour,
    "instances": _instances,
    "invalid": _invalid,
    "label ids": _label_ids,
}
