"""The one table model: what a table says, apart from how a format prints it.

A ``Table`` holds sections (one for every group of comparable rows, usually a shift), a section
holds columns and rows, and every printed number is one ``TableCell``. What is best, what is
missing and why, and how a number is rounded are decided here and in the builders, once; a format
only prints.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

MISSING_STATES = ("failed", "running", "stale", "absent", "missing", "excluded")
"""States of a cell without a value, the one that most needs a look first.

``absent``: the record is there, but it has no score for the domain that the column asks for.
"""

STATES = ("done", "partial", *MISSING_STATES, "undefined", "inapplicable")
"""All states of a ``TableCell``.

``done``: a value over every seed that the suite asks for. ``partial``: a value over some of them.
``undefined``: the cell has a result, but not the reference that this derived number needs.
``inapplicable``: there is nothing to say (the gain of the baseline over itself).
"""


INFERRED = "Inferred: "
"""How a sentence of a caption begins that tells of a setting which no source prints."""


@dataclass(frozen=True)
class Quantity:
    """What a number is: its name in files, its title, and how it is rounded and printed."""

    name: str
    title: str
    decimals: int
    signed: bool = False
    suffix: str = ""
    scale: int = 1
    derived: bool = False

    def round(self, value: float) -> Decimal:
        """``value`` in printed units, rounded half to even at the last printed decimal.

        The shortest decimal that stands for the float is rounded, not its binary expansion, so
        that 54.25 gives 54.2 and 54.35 gives 54.4.
        """
        step = Decimal(1).scaleb(-self.decimals)
        scaled = Decimal(repr(float(value))) * self.scale
        rounded = scaled.quantize(step, rounding=ROUND_HALF_EVEN)
        return abs(rounded) if rounded.is_zero() else rounded

    def format(self, value: float) -> str:
        """``value`` as printed, with sign and unit where the quantity has them."""
        rounded = self.round(value)
        sign = "+" if self.signed and rounded > 0 else ""
        return f"{sign}{rounded:f}{self.suffix}"

    def format_spread(self, spread: float) -> str:
        """A spread of this quantity as printed: never signed."""
        return f"{self.round(spread):f}{self.suffix}"


MIOU = Quantity("miou", "mIoU", decimals=1)
GAIN = Quantity("gain", "gain", decimals=1, signed=True, derived=True)
GAP_CLOSED = Quantity("gap_closed", "gap closed", 0, suffix=" %", scale=100, derived=True)


@dataclass(frozen=True)
class RecordRef:
    """The record that a number comes from: the stem of its file and the id of its identity.

    ``folder`` is where the file lies below the suite's results, if not with the cells' records.
    """

    stem: str
    id: str
    folder: str = ""

    def __str__(self) -> str:
        return f"{self.stem}@{self.id}"


@dataclass(frozen=True)
class TableCell:
    """One printed number, or the reason why there is none.

    ``value`` and ``spread`` are unrounded and in record units (percent, points, or a share of 1).
    ``spread`` is the sample standard deviation over ``n`` seeds, ``None`` for fewer than two.
    ``expected`` is the number of seeds that the suite asks for. ``delta`` is the difference to a
    reference, itself a cell because it has its own seeds, spread and reasons. ``rank`` is 1 for
    the best of the comparable rows. ``footnotes`` are 1-based numbers into ``Table.notes``.
    ``interval`` is a 95 % interval of the value, in its units; ``marked`` says that a difference
    survives both the seeds and the images. ``text`` stands in place of a number (a verdict).
    """

    quantity: Quantity
    state: str
    value: float | None = None
    spread: float | None = None
    n: int = 0
    expected: int = 0
    delta: TableCell | None = None
    rank: int | None = None
    footnotes: tuple[int, ...] = ()
    records: tuple[RecordRef, ...] = ()
    interval: tuple[float, float] | None = None
    marked: bool = False
    text: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of cells.

    ``group`` ties neighbouring columns together under one heading (an encoder); ``title`` heads
    the single column. ``delta`` is the title under which a format prints the cells' deltas, and
    ``None`` where they have none. ``keys`` are the coordinates that the column fixes.
    ``footnotes`` are numbers into ``Table.notes`` that hold for every cell.
    """

    title: str
    quantity: Quantity
    keys: tuple[tuple[str, str], ...] = ()
    group: str = ""
    delta: str | None = None
    ranked: bool = False
    footnotes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Row:
    """A row: one label for each of the section's stub titles, one cell for each column.

    Rows with ``ranked=False`` (the oracle) take no part in best and second. ``source`` says where
    the numbers of a published row were printed; it is empty for what was measured here, and every
    format marks a row that has one.
    """

    labels: tuple[str, ...]
    cells: tuple[TableCell, ...]
    keys: tuple[tuple[str, str], ...] = ()
    ranked: bool = True
    source: str = ""


@dataclass(frozen=True)
class Section:
    """Rows that may be compared with each other, with the columns they share."""

    title: str
    stub: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Table:
    """A whole table. ``name`` names its files; ``caption`` is one sentence an element."""

    name: str
    title: str
    caption: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()

    def cells(self) -> Iterator[tuple[Section, Row, Column, TableCell]]:
        """Every cell in reading order, each delta right behind the cell it belongs to."""
        for section in self.sections:
            for row in section.rows:
                for column, cell in zip(section.columns, row.cells, strict=True):
                    yield section, row, column, cell
                    if cell.delta is not None:
                        yield section, row, column, cell.delta


def one_line(text: str) -> str:
    """``text`` without line breaks and control characters, so that it fits any format."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class Footnotes:
    """Numbers foot-notes in order of first appearance; equal texts share a number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of ``text``, new if it was not seen before."""
        return self._numbers.setdefault(one_line(text), len(self._numbers) + 1)

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts, in the order of their numbers."""
        return tuple(self._numbers)


def rank(rows: Sequence[Row], columns: Sequence[Column]) -> tuple[Row, ...]:
    """Rank the cells of every ranked column, largest first, and return the rows with ranks.

    Compared are the rounded values: a difference that the table does not show decides nothing.
    Equal values share a rank and the next one skips (1, 1, 3), so two bests leave no second. Only
    complete cells (state ``done``) take part: a method whose diverging seed is missing must not
    win by the mean of its survivors. A column with fewer than two such cells has no ranks.
    """
    cells = [list(row.cells) for row in rows]
    for index, column in enumerate(columns):
        if not column.ranked:
            continue
        rounded = {
            position: column.quantity.round(row.cells[index].value or 0.0)
            for position, row in enumerate(rows)
            if row.ranked and row.cells[index].state == "done"
        }
        if len(rounded) < 2:
            continue
        for position, value in rounded.items():
            better = sum(other > value for other in rounded.values())
            cells[position][index] = dataclasses.replace(cells[position][index], rank=better + 1)
    return tuple(
        dataclasses.replace(row, cells=tuple(ranked))
        for row, ranked in zip(rows, cells, strict=True)
    )
