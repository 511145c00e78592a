"""Lay a section out as the lines of GitHub Markdown tables that are also aligned as plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.report.formats import aligned
from benchmark.report.formats import columns as printed
from benchmark.report.formats.aligned import Style, bodies, numbers, pad, text_width
from benchmark.report.model import Section, one_line

# An underscore inside a word is no emphasis on GitHub, and names are full of them.
_SPECIAL = re.compile(r"[\\|*`<\[~$]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")


def escape(text: str) -> str:
    """``text`` on one line, with every character that Markdown would act on taken literally."""
    return _SPECIAL.sub(lambda match: "\\" + match.group(), one_line(text))


GITHUB = Style({1: ("**", "**"), 2: ("<ins>", "</ins>")}, widest=200, escape=escape)
"""For files: GitHub underlines ``ins``, which Markdown itself cannot."""


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
        _strip(title, aligned.labels(section, index, sources, style), left=True)
        for index, title in enumerate(section.stub)
    ]
    tables: list[list[Strip]] = []
    for strips in (_strips(group, style) for group in printed.groups(section)):
        if tables and _width([*tables[-1], *strips]) <= style.widest:
            tables[-1].extend(strips)
        else:
            tables.append([*stub, *strips])
    return [_lines(table, len(stub)) for table in tables]


def _strips(group: printed.Group, style: Style) -> list[Strip]:
    """The columns of a group; the group's name heads its first one."""
    strips = []
    for index, column in enumerate(group.columns):
        heading = group.title if group.title and index == 0 else column.title
        marks = () if column.is_delta else column.column.footnotes
        strips.append(_strip(heading, bodies(column.cells, style), marks=marks))
    return strips


def _width(strips: Sequence[Strip]) -> int:
    return sum(len(strip.rule) + 3 for strip in strips) + 1


def _lines(strips: Sequence[Strip], stub: int) -> list[str]:
    """The lines of a table; a row of which none of its columns has anything is left out."""
    rows = zip(*((strip.heading, strip.rule, *strip.lines) for strip in strips), strict=True)
    return ["| " + " | ".join(row) + " |" for row in rows if any(map(str.strip, row[stub:]))]


def _strip(
    title: str, texts: Sequence[str], left: bool = False, marks: Sequence[int] = ()
) -> Strip:
    heading = escape(title) + numbers(marks)
    width = max(3, *(text_width(text) for text in (heading, *texts)))
    rule = ":" + "-" * (width - 1) if left else "-" * (width - 1) + ":"
    heading, *lines = (pad(text, width, left) for text in (heading, *texts))
    return Strip(heading, rule, tuple(lines))
