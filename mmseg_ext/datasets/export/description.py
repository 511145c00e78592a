"""What a data set to be written looks like, in plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mmseg_ext.datasets.export.companions import Companion
from mmseg_ext.datasets.export.legend import Legend
from mmseg_ext.datasets.export.scenes import Size
from mmseg_ext.datasets.layouts import Layout, Values

NameRule = Callable[[int, Mapping[str, str]], str]
"""What a placeholder stands for in the image of this number, from 0 on throughout the data set,
given the values chosen before it."""


@dataclass(frozen=True)
class Part:
    """Images that are selected together, such as those of a split in one condition.

    Attributes:
        where: the values that select them.
        scenes: MiniDrive domain that they show.
        images: how many.
        labels: whether they have labels: ``all``, ``none``, or ``some``: every second one.
    """

    where: Mapping[str, str]
    scenes: str
    images: int
    labels: str = "all"

    def is_labelled(self, place: int) -> bool:
        """Whether the image at this place of the part has a label."""
        return self.labels == "all" or (self.labels == "some" and place % 2 == 0)


@dataclass(frozen=True)
class Description:
    """One data set in one layout.

    Attributes:
        decoder: one of `mmseg_ext.datasets.decoders.DECODERS`, which has to read the labels.
        size, label_size: of the images and of the labels, which may be smaller.
        names: rules for placeholders; others get the first usual name that fits them.
        excluded: stems of image names that are never used.
        companions: files beside each label that are no labels.
        texts: other files of the data set by path.
    """

    name: str
    layout: Layout
    decoder: str
    legend: Legend
    size: Size
    label_size: Size
    placeholders: Mapping[str, Values] = field(default_factory=dict)
    names: Mapping[str, NameRule] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()
    companions: Sequence[Companion] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
