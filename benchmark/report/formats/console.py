"""Print a ``Table`` for a terminal: the library ``tabulate`` draws what the model says.

https://github.com/astanin/python-tabulate
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from benchmark.report.formats import aligned
from benchmark.report.formats import columns as printed
from benchmark.report.formats.aligned import Style
from benchmark.report.model import Section, Table, one_line

WIDTH = 120
LABEL = 48
"""Characters of a row label before it goes on in the next line: a claim is a sentence."""
STYLE = Style({1: ("**", "**"), 2: ("_", "_")}, widest=WIDTH, escape=one_line)
Columns = list[tuple[str, list[str]]]


def console(table: Table) -> str:
    """``table`` as plain text of at most ``WIDTH`` characters a line, if a column allows it.

    The best is ``**bold**``, the second ``_underlined_``. Columns that do not fit follow in another
    block, those of one group together, under the same row labels.
    """
    sources = printed.sources(table)
    title = one_line(table.title)
    parts = [f"{title}\n{'=' * aligned.text_width(title)}", *map(_wrapped, table.caption)]
    for section in table.sections:
        parts += ["", one_line(section.title), ""]
        parts.append("\n\n".join(_drawn(block, section) for block in _blocks(section, sources)))
    if texts := printed.notes(table):
        parts += ["", "Notes"]
        parts += [_wrapped(f"[{number}] {note}") for number, note in enumerate(texts, start=1)]
    return "\n".join(parts) + "\n"


def print_tables(tables: Iterable[Table], stream: TextIO) -> None:
    """Print ``tables`` to ``stream``, with a blank line between two of them.

    A stream whose encoding lacks a character (an ASCII terminal) gets a plain one in its place.
    """
    text = "\n".join(map(console, tables))
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for character, plain in (("±", "+-"), (printed.DASH, "-"), (printed.DAGGER, "+")):
            text = text.replace(character, plain)
        text = text.encode(encoding, errors="replace").decode(encoding)
    stream.write(text)


def _blocks(section: Section, sources: Mapping[str, int]) -> list[Columns]:
    """The printed columns of ``section`` with their headings, as many side by side as fit."""
    stub = [
        (one_line(title), list(map(_folded, aligned.labels(section, index, sources, STYLE))))
        for index, title in enumerate(section.stub)
    ]
    blocks: list[Columns] = []
    for group in printed.groups(section):
        columns = _columns(group)
        if blocks and _width(_drawn([*blocks[-1], *columns], section)) <= WIDTH:
            blocks[-1].extend(columns)
        else:
            blocks.append([*stub, *columns])
    return blocks


def _columns(group: printed.Group) -> Columns:
    """The columns of a group; the group's name stands above the title of its first one."""
    columns: Columns = []
    for index, column in enumerate(group.columns):
        marks = "" if column.is_delta else aligned.numbers(column.column.footnotes)
        heading = one_line(column.title) + marks
        if group.title and index == 0:
            heading = f"{one_line(group.title)}\n{heading}"
        columns.append((heading, aligned.bodies(column.cells, STYLE)))
    return columns


def _drawn(columns: Columns, section: Section) -> str:
    from tabulate import tabulate

    left = len(section.stub)
    every = zip(*(bodies for _, bodies in columns), strict=True)
    rows: list[Sequence[str]] = [row for row in every if any(map(str.strip, row[left:]))]
    text = tabulate(
        rows,
        headers=[heading for heading, _ in columns],
        tablefmt="simple",
        colalign=["left"] * left + ["right"] * (len(columns) - left) if rows else None,
        disable_numparse=True,
        preserve_whitespace=True,
    )
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _width(text: str) -> int:
    return max(map(aligned.text_width, text.split("\n")))


def _folded(label: str) -> str:
    return textwrap.fill(label, LABEL, break_on_hyphens=False)


def _wrapped(text: str) -> str:
    return textwrap.fill(one_line(text), WIDTH, subsequent_indent="    ", break_on_hyphens=False)
