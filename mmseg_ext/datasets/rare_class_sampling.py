"""Rare-class sampling: source images are drawn by the classes they show (DAFormer, section 3.3).

Hoyer et al., "DAFormer", CVPR 2022; lhoyer/DAFormer, mmseg/datasets/uda_dataset.py. First a class
is drawn, rare ones more often, then an image that shows enough of it, and finally crops of this
image are drawn until one shows enough of it, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.classes import CLASSES
from mmseg_ext.errors import StatisticsError

Sample = dict[str, Any]


def class_probabilities(pixels_c: NDArray[np.int64], temperature: float) -> NDArray[np.float64]:
    """P(c) = softmax((1 - f_c) / T) over the classes that occur, 0 for the others.

    f_c is the share of class c in the labelled pixels of the data set (DAFormer, equations 8 and
    9). A small T prefers rare classes, an infinite one all classes alike.

    Args:
        pixels_c: pixels of each class in the whole data set.
        temperature: T, above 0; 0.01 in DAFormer, HRDA and MIC, 0.05 in VFM-UDA.

    Raises:
        ValueError: the temperature is not above 0.
        StatisticsError: no pixel has a class.
    """
    if not temperature > 0.0:
        raise ValueError(f"temperature of rare-class sampling must be above 0, got {temperature}")
    present = pixels_c > 0
    if not present.any():
        raise StatisticsError("no label map of the source holds a pixel of any of the classes")
    rarity = 1.0 - pixels_c / pixels_c.sum()
    # Relative to the rarest class that occurs, so that no temperature overflows.
    exponent = (rarity - rarity[present].max()) / temperature
    weight = np.exp(np.where(present, exponent, -np.inf))
    probabilities: NDArray[np.float64] = weight / weight.sum()
    return probabilities


@dataclass(frozen=True)
class RareClassRule:
    """The constants of rare-class sampling; DAFormer's unless given.

    Attributes:
        temperature: see `class_probabilities`.
        min_pixels: an image qualifies for a class with MORE than that many of its pixels at the
            size of the label file. 3000 suits images of about 1920x1080; scale it with the area.
        min_crop_ratio: a crop is accepted with more than ``min_pixels * min_crop_ratio`` pixels of
            the class, 0.5 for crops of 512x512 and 2.0 for 1024x1024 at twice the scale; 0 accepts
            every crop.
        max_redraws: how often a crop is drawn anew before the last one is taken as it is.
    """

    temperature: float = 0.01
    min_pixels: int = 3000
    min_crop_ratio: float = 0.5
    max_redraws: int = 10


class RareClassSampler:
    """Draws a class and an image for it, and crops of the image until one shows the class.

    Args:
        pixels_nc: pixels of each class in each label map of the source, (N,19).
        rule: the constants.

    Raises:
        StatisticsError: a class occurs, but no image shows enough of it.
    """

    def __init__(self, pixels_nc: NDArray[np.int64], rule: RareClassRule) -> None:
        self.rule = rule
        self.probabilities = class_probabilities(pixels_nc.sum(axis=0), rule.temperature)
        self.classes = np.flatnonzero(pixels_nc.any(axis=0))
        self.images = {int(c): np.flatnonzero(pixels_nc[:, c] > rule.min_pixels)
                       for c in self.classes}  # fmt: skip
        short = [c for c, images in self.images.items() if not len(images)]
        if short:
            most = {CLASSES[c]: int(pixels_nc[:, c].max()) for c in short}
            raise StatisticsError(
                f"no source image has more than {rule.min_pixels} pixels of {', '.join(most)} "
                f"(most in one image: {most}); lower min_pixels of rare_class_sampling"
            )

    def draw(self, random: np.random.Generator) -> tuple[int, int]:
        """A class and the index of an image that qualifies for it."""
        wanted = int(random.choice(self.classes, p=self.probabilities[self.classes]))
        return wanted, int(random.choice(self.images[wanted]))

    def crop(self, load: Callable[[], Sample], wanted: int) -> Sample:
        """Load an image through its pipeline, anew while the crop shows too little of the class.

        As in the reference the crop of the last redraw is taken without looking at it.
        """
        sample = load()
        if self.rule.min_crop_ratio == 0.0:
            return sample
        for _ in range(self.rule.max_redraws):
            shown = int((sample["data_samples"].gt_sem_seg.data == wanted).sum())
            if shown > self.rule.min_pixels * self.rule.min_crop_ratio:
                break
            sample = load()
        return sample
