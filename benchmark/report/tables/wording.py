"""Sentences and foot-notes that several tables share."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.report.grid import Domain, Grid, Shift
from benchmark.report.model import Footnotes

LAST = "mIoU in %, of the last iteration: nothing is selected on target labels."


def measurement(grid: Grid) -> list[str]:
    """What was measured, and after how much training where that is not the protocol's."""
    sentences = [LAST]
    if grid.iterations is not None:
        sentences.append(
            f"Trained for {grid.iterations} iterations instead of the protocol's number: "
            "no benchmark result."
        )
    if len(grid.seeds) == 1:
        return [*sentences, "One seed, so no spread is known."]
    return [*sentences, f"Mean ± sample standard deviation over {len(grid.seeds)} seeds."]


def ranking(grid: Grid, among: str) -> list[str]:
    """How to read the marks, and who takes no part."""
    sentence = f"Bold is the best {among}, underlined the second"
    oracles = [method.title for method in grid.methods if method.role == "oracle"]
    if oracles:
        verb = "does" if len(oracles) == 1 else "do"
        sentence += f"; {' and '.join(oracles)} saw target labels and {verb} not compete"
    if len(grid.seeds) == 1:
        return [sentence + "."]
    return [sentence + ".", "A mean that lacks a seed does not compete either."]


def column_notes(
    grid: Grid, shift: Shift, domains: Sequence[Domain], footnotes: Footnotes
) -> tuple[int, ...]:
    """The foot-notes of a column: how its domains are scored, where that is not as everywhere."""
    return tuple(footnotes.number(note) for note in grid.notes(shift, domains))
