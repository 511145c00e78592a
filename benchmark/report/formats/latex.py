"""Print a ``Table`` as LaTeX with booktabs.

The file compiles alone, and stands as it is in a paper that says ``\\input{tables/uda}`` and loads
the packages booktabs and graphicx. The text depends on the table alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.report.formats import columns as printed
from benchmark.report.formats.columns import DAGGER, MARK, Group
from benchmark.report.formats.latex_escape import escape
from benchmark.report.model import Row, Section, Table, TableCell
from benchmark.templates import environment

WIDEST = 110
"""Characters of a line of numbers before a table goes on in another one below."""
TALLEST = 34
"""Rows of a table that fit on a page with their notes."""

_NO_LABEL = re.compile(r"[^A-Za-z0-9-]+")
_SMALL, _RAISED = r"{\scriptsize%s}", r"\textsuperscript{%s}"
_EMPHASIS = {1: r"\textbf{%s}", 2: r"\underline{%s}"}


def latex(table: Table) -> str:
    """``table`` as LaTeX: a float for each section, in pieces where it is too wide or too tall."""
    text: str = (
        environment(Path(__file__).with_name("templates"))
        .get_template("table.tex.j2")
        .render(
            title=escape(table.title),
            label=f"{{tab:{_NO_LABEL.sub('-', table.name)}}}",
            caption=[escape(sentence) for sentence in table.caption],
            floats=[each for section in table.sections for each in _floats(table, section)],
            notes=[
                {"number": f"{{{number}}}", "text": escape(note)}
                for number, note in enumerate(printed.notes(table), start=1)
            ],
        )
    )
    return text


def _floats(table: Table, section: Section) -> list[dict[str, Any]]:
    groups = printed.groups(section)
    stub = sum(
        max([len(title), *(len(row.labels[i]) for row in section.rows)])
        for i, title in enumerate(section.stub)
    )
    widths = [sum(map(_width, group.columns)) for group in groups]
    starts = range(0, len(section.rows), TALLEST) or range(1)
    pieces = [
        (page, start)
        for page in printed.pages(groups, widths, max(WIDEST - stub, 1))
        for start in starts
    ]
    leading = section is table.sections[0]
    return [
        _float(table, section, page, start, first=leading and index == 0)
        for index, (page, start) in enumerate(pieces)
    ]


def _width(column: printed.Printed) -> int:
    bodies = [_plain(cell) for cell in column.cells]
    return 2 + max(map(len, [column.title, *bodies]))


def _plain(cell: TableCell | None) -> str:
    """A cell's text without markup, to judge how wide it is."""
    if cell is None or cell.value is None:
        return printed.word(cell)
    spread = "" if cell.spread is None else f"±{cell.quantity.format_spread(cell.spread)}"
    return cell.quantity.format(cell.value) + spread


def _float(
    table: Table, section: Section, groups: Sequence[Group], start: int, *, first: bool
) -> dict[str, Any]:
    """One float; the first of a table says how to read all of them."""
    stop = start + TALLEST
    rows = section.rows[start:stop]
    sources = printed.sources(table)
    columns = [_bodies(column.cells[start:stop]) for group in groups for column in group.columns]
    lines = [
        [_label(row, index, sources) for index in range(len(section.stub))]
        + [bodies[offset] for bodies in columns]
        for offset, row in enumerate(rows)
        if any(bodies[offset] for bodies in columns)
    ]
    heads = [escape(title) for title in section.stub]
    heads += [
        escape(column.title) + _superscript(column.column.footnotes if not column.is_delta else ())
        for group in groups
        for column in group.columns
    ]
    title = f"{table.title}, {section.title}" + (" (continued)" if start else "")
    told = table.caption if first else ("Read as the first of these tables.",)
    caption = " ".join(escape(sentence) for sentence in (f"{title}.", *told))
    alignment = "l" * len(section.stub) + "r" * (len(heads) - len(section.stub))
    # Braces are added here: two of them in a row would be a template's own.
    return {
        "caption": f"{{{caption}}}",
        "columns": f"{{@{{}}{alignment}@{{}}}}",
        "heads": heads,
        **_headings(len(section.stub), groups),
        "lines": lines,
    }


def _headings(stub: int, groups: Sequence[Group]) -> dict[str, Any]:
    """The line above the heads that names groups, and the rules below it; none without names."""
    cells, rules, at = [], [], stub + 1
    for group in groups:
        size = len(group.columns)
        cells.append(rf"\multicolumn{{{size}}}{{c}}{{{escape(group.title)}}}")
        if group.title:
            rules.append(rf"\cmidrule(lr){{{at}-{at + size - 1}}}")
        at += size
    return {"groups": [""] * stub + cells if rules else [], "rules": " ".join(rules)}


def _label(row: Row, index: int, sources: Mapping[str, int]) -> str:
    if not row.source or index:
        return escape(row.labels[index])
    marks = f"{escape(DAGGER)},{sources[row.source]}"
    return escape(row.labels[index]) + rf"\textsuperscript{{{marks}}}"


def _bodies(cells: Sequence[TableCell | None]) -> list[str]:
    """The texts of a column. Blanks as wide as what a cell lacks keep decimal points in line."""
    numbers = [cell for cell in cells if cell is not None and cell.value is not None]
    star = any(cell.marked for cell in numbers)
    spread = max((_spread(cell) for cell in numbers), key=len, default="")
    notes = max((_list(cell) for cell in numbers), key=len, default="")
    return [_body(cell, star, spread, notes) for cell in cells]


def _body(cell: TableCell | None, star: bool, spread: str, notes: str) -> str:
    """One cell; the last three say what the widest cells of its column have behind the number."""
    if cell is None or cell.value is None:
        return escape(printed.word(cell)) + _superscript(cell.footnotes if cell else ())
    number = _EMPHASIS.get(cell.rank or 0, "%s") % _number(cell.quantity.format(cell.value))
    mark = MARK if cell.marked else rf"\hphantom{{{MARK}}}" if star else ""
    return (
        number
        + mark
        + _padded(_SMALL, _spread(cell), spread)
        + _padded(_RAISED, _list(cell), notes)
    )


def _padded(style: str, text: str, widest: str) -> str:
    """``text`` in a style, with a blank for the characters that ``widest`` has more."""
    lacking = widest[len(text) :] if text else widest
    blank = style % lacking if lacking else ""
    return (style % text if text else "") + (rf"\hphantom{{{blank}}}" if blank else "")


def _spread(cell: TableCell) -> str:
    if cell.spread is None:
        return ""
    return rf"$\,\pm\,${escape(cell.quantity.format_spread(cell.spread))}"


def _list(cell: TableCell) -> str:
    return ",".join(map(str, cell.footnotes))


def _number(text: str) -> str:
    """A minus sign in text would be a hyphen."""
    return f"$-${escape(text[1:])}" if text.startswith("-") else escape(text)


def _superscript(numbers: Sequence[int]) -> str:
    return rf"\textsuperscript{{{','.join(map(str, numbers))}}}" if numbers else ""
