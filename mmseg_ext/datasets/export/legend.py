"""What an encoder has to know of a data set's ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.classes import PALETTE
from mmseg_ext.datasets.export.raw_ids import RawIds


@dataclass(frozen=True)
class Legend:
    """The ids of a data set and their names.

    Attributes:
        names: id of each label name, where the files have names (``polygon_json``).
    """

    ids: RawIds
    names: Mapping[str, int] = field(default_factory=dict)

    def colours(self) -> NDArray[np.uint8]:
        """A colour for each of 256 ids, (256, 3) RGB: those of Cityscapes, darker for further ids
        of a class, greys for the rest."""
        table = np.repeat(np.arange(256, dtype=np.uint8)[:, None] // 4, 3, axis=1)
        for ids, colour in zip(self.ids.of_class, PALETTE, strict=True):
            for place, value in enumerate(ids):
                table[value] = [part * 4 // (4 + place) for part in colour]
        return table
