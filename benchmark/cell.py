"""A cell: one (method, encoder, shift, seed) of a suite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Cell:
    """Coordinates of one training run in a suite's grid."""

    method: str
    encoder: str
    shift: str
    seed: int

    @property
    def stem(self) -> str:
        """File-system name of the cell, the same for its record and its working folder."""
        return f"{self.method}__{self.encoder}__{self.shift}__seed{self.seed}"

    def __str__(self) -> str:
        return f"{self.method} / {self.encoder} / {self.shift} / seed {self.seed}"
