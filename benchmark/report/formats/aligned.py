"""Columns of text whose decimal points stand in line, for whoever reads in a fixed-width font."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmark.report.formats.columns import DAGGER, MARK, word
from benchmark.report.model import Row, Section, TableCell


@dataclass(frozen=True)
class Style:
    """What depends on the reader.

    ``emphasis`` are the marks around a number by its rank; ``escape`` makes a text literal; a
    section that needs more than ``widest`` characters goes on in another table below.
    """

    emphasis: Mapping[int, tuple[str, str]]
    widest: int
    escape: Callable[[str], str]


def text_width(text: str) -> int:
    """Character columns that ``text`` takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(bool(unicodedata.combining(c)) for c in text)


def pad(text: str, width: int, left: bool) -> str:
    """``text`` with blanks up to ``width`` columns, behind it (``left``) or before it."""
    blanks = " " * (width - text_width(text))
    return text + blanks if left else blanks + text


def numbers(footnotes: Sequence[int]) -> str:
    """Foot-note numbers as they stand behind what they are about."""
    return f" [{','.join(map(str, footnotes))}]" if footnotes else ""


def labels(section: Section, index: int, sources: Mapping[str, int], style: Style) -> list[str]:
    """The row labels below the stub title ``index`` (``sources``: see ``columns.sources``)."""
    return [_label(row, index, sources, style) for row in section.rows]


def bodies(cells: Sequence[TableCell | None], style: Style) -> list[str]:
    """The texts of a column, padded so that decimal points and foot-note marks stand in line."""
    printed = [_number(cell, style) for cell in cells]
    spreads = [_spread(cell) for cell in cells]
    marks = [_marks(cell) for cell in cells]
    before = max((len(opening) for opening, _ in printed), default=0)
    after = max((len(closing) for _, closing in printed), default=0)
    tail = max(map(len, spreads), default=0)
    texts = [
        opening.rjust(before) + closing.ljust(after) + spread.ljust(tail)
        if opening
        else style.escape(word(cell))
        for cell, (opening, closing), spread in zip(cells, printed, spreads, strict=True)
    ]
    width = max(map(len, texts), default=0)
    note = max(map(len, marks), default=0)
    return [text.rjust(width) + mark.ljust(note) for text, mark in zip(texts, marks, strict=True)]


def _number(cell: TableCell | None, style: Style) -> tuple[str, str]:
    """The printed number with its emphasis, cut where the digits end; empty without a value."""
    if cell is None or cell.value is None:
        return "", ""
    opening, closing = style.emphasis.get(cell.rank or 0, ("", ""))
    return opening + cell.quantity.format(cell.value), closing + (MARK if cell.marked else "")


def _label(row: Row, index: int, sources: Mapping[str, int], style: Style) -> str:
    """A row's label; a published row's first one carries a dagger and the note of its source."""
    if not row.source or index:
        return style.escape(row.labels[index])
    return style.escape(row.labels[index]) + DAGGER + numbers((sources[row.source],))


def _spread(cell: TableCell | None) -> str:
    if cell is None or cell.spread is None:
        return ""
    return f" ± {cell.quantity.format_spread(cell.spread)}"


def _marks(cell: TableCell | None) -> str:
    return "" if cell is None else numbers(cell.footnotes)
