"""The layout stream: random decisions as plain Python numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TypeVar

Choice = TypeVar("Choice")
Range = tuple[float, float]


class Dice:
    """A stream of random decisions that depends on its seed text alone.

    Built on `random.Random`, whose `random()` is guaranteed to give the same numbers in every
    Python version, and cheaper than NumPy for one number at a time.
    """

    __slots__ = ("unit",)

    def __init__(self, seed: str) -> None:
        self.unit = random.Random(seed).random

    def between(self, low: float, high: float) -> float:
        """A uniform number."""
        return low + (high - low) * self.unit()

    def within(self, bounds: Range) -> float:
        """A uniform number of a range."""
        return bounds[0] + (bounds[1] - bounds[0]) * self.unit()

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.unit() * (high - low + 1))

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return self.unit() < probability

    def sign(self) -> int:
        """Minus one or one."""
        return -1 if self.unit() < 0.5 else 1

    def normal(self) -> float:
        """A number of mean 0 and variance 1, nearly normal: a sum of three uniform ones."""
        return 2.0 * (self.unit() + self.unit() + self.unit() - 1.5)

    def poisson(self, mean: float) -> int:
        """A Poisson number by Knuth's product of uniforms; `mean` must be small."""
        limit, product, count = math.exp(-mean), self.unit(), 0
        while product > limit:
            product *= self.unit()
            count += 1
        return count

    def pick(self, options: Sequence[Choice]) -> Choice:
        """One of the options."""
        return options[int(self.unit() * len(options))]
