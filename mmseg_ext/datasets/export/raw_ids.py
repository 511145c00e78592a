"""From train ids back to a data set's own ids: the inverse of its label map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL

_BLOCKS = 4  # an image has 4x4 areas in which a class may have another one of its ids


@dataclass(frozen=True)
class RawIds:
    """The ids that stand for each train id in a data set's files.

    Attributes:
        of_class: ids of each of the 19 classes; empty for one that the data set does not know.
        void: ids that stand for no class.
    """

    of_class: tuple[tuple[int, ...], ...]
    void: tuple[int, ...]

    @classmethod
    def inverting(cls, label_maps: Sequence[Mapping[Any, int]], values: Sequence[int]) -> RawIds:
        """The inverse of label maps of one data set.

        Where they differ, ids on which all agree are preferred, so that the same files mean the
        same under each of them; a class without such ids has those of the first map.

        Raises:
            ValueError: no id of ``values`` stands for no class.
        """
        tables = [{int(key): train for key, train in each.items()} for each in label_maps]
        meanings = {
            int(value): [table.get(int(value), IGNORE_LABEL) for table in tables]
            for value in values
        }
        ids = []
        for train_id in (*range(len(CLASSES)), IGNORE_LABEL):
            agreed = tuple(v for v, means in meanings.items() if set(means) == {train_id})
            first = tuple(v for v, means in meanings.items() if means[0] == train_id)
            ids.append(agreed or first)
        *of_class, void = ids
        if not void:
            raise ValueError(
                "every id of this data set stands for a class, expected one that does not"
            )
        return cls(tuple(of_class), void)

    def without(self, absent: Sequence[int]) -> RawIds:
        """The same without classes that have ids but are in no file of the data set."""
        kept = (() if train_id in absent else ids for train_id, ids in enumerate(self.of_class))
        return RawIds(tuple(kept), self.void)

    @property
    def missing(self) -> tuple[int, ...]:
        """Train ids of the classes that the data set's files cannot express."""
        return tuple(train_id for train_id, ids in enumerate(self.of_class) if not ids)

    def apply(self, label: NDArray[np.uint8], turn: int = 0) -> NDArray[np.uint8]:
        """Ids for train ids (height, width); classes that are missing become void.

        A class with several ids has them in turn from one area of the image to the next, beginning
        with another one at each ``turn``.
        """
        raw = np.zeros(label.shape, np.uint8)
        area = _areas(label.shape) + turn
        for train_id in np.unique(label):
            ids = self.of_class[train_id] if train_id < len(self.of_class) else self.void
            choices = np.array(ids or self.void, np.uint8)
            place = label == train_id
            raw[place] = choices[area[place] % len(choices)]
        return raw

    def kept(self, label: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What is left of train ids once they were written and read: missing classes are 255."""
        return np.where(np.isin(label, self.missing), IGNORE_LABEL, label).astype(np.uint8)


def _areas(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Number of the area of each pixel."""
    rows, columns = (np.arange(length) * _BLOCKS // length for length in shape)
    return np.asarray(rows[:, None] * (_BLOCKS + 1) + columns, np.int64)
