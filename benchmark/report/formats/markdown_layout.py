"""Lay a section out as the lines of GitHub Markdown tables that are also aligned as plain text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.report.formats.columns import DAGGER, MARK, word
from benchmark.report.model import Row, Section, TableCell, one_line

# An underscore inside a word is no emphasis on GitHub, and names are full of them.
_SPECIAL = re.compile(r"[\\|*`<\[~$]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")


@dataclass(frozen=True)
class Style:
    """What depends on the reader: marks around a number by its rank, and how wide a table gets.

    A section that needs more than ``widest`` characters goes on in another table below.
    """

    emphasis: Mapping[int, tuple[str, str]]
    widest: int


GITHUB = Style({1: ("**", "**"), 2: ("<ins>", "</ins>")}, widest=200)
"""For files: GitHub underlines ``ins``, which Markdown itself cannot."""

TERMINAL = Style({1: ("**", "**"), 2: ("_", "_")}, widest=120)
"""For terminals, which show the marks themselves."""


@dataclass(frozen=True)
class Strip:
    """One printed column: heading, rule and text lines, all of equal width."""

    heading: str
    rule: str
    lines: tuple[str, ...]


def blocks(section: Section, style: Style, sources: Mapping[str, int]) -> list[list[str]]:
    """The lines of ``section``, as one table or, where that gets too wide, several.

    A break never separates the columns of one group, and every table repeats the row labels.
    ``sources`` has the number of the note of every source (see ``columns.sources``).
    """
    stub = [
        _strip(title, [_label(row, index, sources) for row in section.rows], left=True)
        for index, title in enumerate(section.stub)
    ]
    tables: list[list[Strip]] = []
    for group in _groups(section, style):
        if tables and _width([*tables[-1], *group]) <= style.widest:
            tables[-1].extend(group)
        else:
            tables.append([*stub, *group])
    return [_lines(table) for table in tables]


def escape(text: str) -> str:
    """``text`` on one line, with every character that Markdown would act on taken literally."""
    return _SPECIAL.sub(lambda match: "\\" + match.group(), one_line(text))


def text_width(text: str) -> int:
    """Character columns that ``text`` takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(bool(unicodedata.combining(c)) for c in text)


def _groups(section: Section, style: Style) -> list[list[Strip]]:
    """The printed columns, those of one group together; the group's name heads its first one."""
    groups: list[list[Strip]] = []
    previous = ""
    for index, column in enumerate(section.columns):
        continues = bool(column.group) and column.group == previous
        heading = column.title if continues or not column.group else column.group
        cells = [row.cells[index] for row in section.rows]
        strips = [_strip(heading, _bodies(cells, style), marks=column.footnotes)]
        if column.delta is not None:
            strips.append(_strip(column.delta, _bodies([cell.delta for cell in cells], style)))
        if continues:
            groups[-1].extend(strips)
        else:
            groups.append(strips)
        previous = column.group
    return groups


def _width(strips: Sequence[Strip]) -> int:
    return sum(len(strip.rule) + 3 for strip in strips) + 1


def _lines(strips: Sequence[Strip]) -> list[str]:
    rows = zip(*((strip.heading, strip.rule, *strip.lines) for strip in strips), strict=True)
    return ["| " + " | ".join(row) + " |" for row in rows]


def _strip(
    title: str, bodies: Sequence[str], left: bool = False, marks: Sequence[int] = ()
) -> Strip:
    heading = escape(title) + _numbers(marks)
    width = max(3, *(text_width(text) for text in (heading, *bodies)))
    rule = ":" + "-" * (width - 1) if left else "-" * (width - 1) + ":"
    heading, *lines = (_pad(text, width, left) for text in (heading, *bodies))
    return Strip(heading, rule, tuple(lines))


def _pad(text: str, width: int, left: bool) -> str:
    blanks = " " * (width - text_width(text))
    return text + blanks if left else blanks + text


def _bodies(cells: Sequence[TableCell | None], style: Style) -> list[str]:
    """The texts of a column, padded so that decimal points and foot-note marks stand in line."""
    numbers = [_number(cell, style) for cell in cells]
    spreads = [_spread(cell) for cell in cells]
    marks = [_marks(cell) for cell in cells]
    before = max((len(opening) for opening, _ in numbers), default=0)
    after = max((len(closing) for _, closing in numbers), default=0)
    tail = max(map(len, spreads), default=0)
    texts = [
        opening.rjust(before) + closing.ljust(after) + spread.ljust(tail)
        if opening
        else escape(word(cell))
        for cell, (opening, closing), spread in zip(cells, numbers, spreads, strict=True)
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


def _label(row: Row, index: int, sources: Mapping[str, int]) -> str:
    """A row's label; a published row's first one carries a dagger and the note of its source."""
    if not row.source or index:
        return escape(row.labels[index])
    return escape(row.labels[index]) + DAGGER + _numbers((sources[row.source],))


def _spread(cell: TableCell | None) -> str:
    if cell is None or cell.spread is None:
        return ""
    return f" ± {cell.quantity.format_spread(cell.spread)}"


def _marks(cell: TableCell | None) -> str:
    return "" if cell is None else _numbers(cell.footnotes)


def _numbers(footnotes: Sequence[int]) -> str:
    return f" [{','.join(map(str, footnotes))}]" if footnotes else ""
