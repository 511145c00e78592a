"""The row of encoders that label by class names alone, apart from everything that was trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmark.report.grid import Domain, Encoder, Grid, Outcome, Shift
from benchmark.report.model import MIOU, Footnotes, Quantity, TableCell
from benchmark.report.tables import notes
from benchmark.report.tables.wording import Keys

LABEL = "zero-shot (class names, no training)"
NAME = "zero-shot"
"""The ``method`` coordinate of the row."""

Read = Callable[[Outcome], float | None]


def encoders(grid: Grid, shift: Shift) -> list[Encoder]:
    """The encoders that have a record for a shift, a current one or not."""
    return [each for each in grid.encoders if (each.name, shift.name) in grid.zero_shot]


def keys(encoder: Encoder | None = None) -> Keys:
    """The coordinates of a row, which may stand for one encoder."""
    return (("method", NAME), *((("encoder", encoder.name),) if encoder else ()))


def miou(domains: Sequence[Domain]) -> Read:
    """Reads the mIoU, averaged over ``domains``; ``None`` where one of them has none."""

    def read(outcome: Outcome) -> float | None:
        known = [v for each in domains if (v := outcome.miou(each.name)) is not None]
        return sum(known) / len(known) if known and len(known) == len(domains) else None

    return read


def cell(
    grid: Grid,
    shift: Shift,
    encoder: Encoder,
    read: Read,
    footnotes: Footnotes,
    quantity: Quantity = MIOU,
) -> TableCell:
    """The one value of an encoder, the state of a record that does not count, or nothing.

    It has no seeds: nothing is drawn.
    """
    outcome = grid.zero_shot.get((encoder.name, shift.name))
    if outcome is None:
        return TableCell(quantity, "inapplicable")
    if outcome.state != "done":
        mark = footnotes.number(notes.shorten(f"{LABEL}: {outcome.state} ({outcome.reason})"))
        return TableCell(quantity, outcome.state, expected=1, footnotes=(mark,))
    value = read(outcome)
    if value is None:
        return TableCell(quantity, "absent", expected=1)
    refs = (outcome.record,) if outcome.record is not None else ()
    return TableCell(quantity, "done", value, n=1, expected=1, records=refs)


def caption(grid: Grid) -> list[str]:
    """How to read the row, where there is one."""
    if not grid.zero_shot:
        return []
    return [
        "Zero-shot: each patch has the class whose name's text feature is nearest to it; nothing "
        "is trained, no image of a domain is used before it is labelled, nothing is drawn, so "
        "there is one value. It does not compete."
    ]
