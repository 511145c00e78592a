"""Print a ``Table`` as a fragment of HTML.

For a page of one's own: every number carries its unrounded value, its coordinates and the records
behind it, and there is no style and no script. ``report.html`` lists its tables in another way
(``benchmark.report.page.listing``), with bars, states and links that only make sense there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.report.formats import columns as printed
from benchmark.report.formats.columns import DAGGER, MARK
from benchmark.report.formats.environment import environment
from benchmark.report.model import Row, Section, Table, TableCell, one_line

CLASSES = {1: "best", 2: "second"}


def html(table: Table) -> str:
    """``table`` as a ``<section>`` with a ``<table>`` for each of its sections."""
    sources = printed.sources(table)
    text: str = (
        environment()
        .get_template("table.html.j2")
        .render(
            table=table,
            sections=[_section(section, sources) for section in table.sections],
            notes=printed.notes(table),
        )
    )
    return text


def _section(section: Section, sources: Mapping[str, int]) -> dict[str, Any]:
    groups = printed.groups(section)
    return {
        "title": one_line(section.title),
        "keys": section.keys,
        "stub": section.stub,
        "groups": [(one_line(g.title), len(g.columns)) for g in groups],
        "is_grouped": any(group.title for group in groups),
        "heads": [
            {
                "title": one_line(column.title),
                "notes": () if column.is_delta else column.column.footnotes,
                "keys": column.column.keys,
            }
            for group in groups
            for column in group.columns
        ],
        "rows": [
            _row(
                row,
                [column.cells[index] for group in groups for column in group.columns],
                [column.column.keys for group in groups for column in group.columns],
                sources,
            )
            for index, row in enumerate(section.rows)
        ],
    }


def _row(
    row: Row,
    cells: Sequence[TableCell | None],
    keys: Sequence[tuple[tuple[str, str], ...]],
    sources: Mapping[str, int],
) -> dict[str, Any]:
    return {
        "keys": row.keys,
        "labels": [one_line(label) for label in row.labels],
        "source": one_line(row.source),
        "dagger": DAGGER if row.source else "",
        "notes": (sources[row.source],) if row.source else (),
        "cells": [_cell(cell, which) for cell, which in zip(cells, keys, strict=True)],
    }


def _cell(cell: TableCell | None, keys: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """What the template writes of one cell; everything it prints is escaped there."""
    if cell is None or cell.value is None:
        state = cell.state if cell else "inapplicable"
        notes = cell.footnotes if cell else ()
        return {"text": one_line(printed.word(cell)), "classes": f"state-{state}", "value": "",
                "spread": "", "title": "", "notes": notes, "records": "", "keys": keys}  # fmt: skip
    quantity = cell.quantity
    classes = [name for rank, name in CLASSES.items() if cell.rank == rank]
    classes += ["marked"] if cell.marked else []
    classes += ["partial"] if cell.state == "partial" else []
    titles = [f"{cell.n} of {cell.expected} seeds"] if cell.expected > 1 else []
    if cell.interval is not None:
        low, high = map(quantity.format, cell.interval)
        titles.append(f"95 % interval {low} to {high}")
    spread = "" if cell.spread is None else f"± {quantity.format_spread(cell.spread)}"
    return {
        "text": quantity.format(cell.value) + (MARK if cell.marked else ""),
        "classes": " ".join(classes),
        "value": repr(cell.value),
        "spread": spread,
        "title": "; ".join(titles),
        "notes": cell.footnotes,
        "records": " ".join(map(str, cell.records)),
        "keys": keys,
    }
