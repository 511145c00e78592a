"""Print a ``Table`` as a fragment of HTML: a file of its own, and a section of ``report.html``.

Every number carries its unrounded value, its coordinates and the records behind it, for whoever
sorts, filters or draws. There is no style and no script in a fragment; the length of a bar below
a score is told as the CSS variable ``--bar-width``, which a page may draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.report.formats import columns as printed
from benchmark.report.formats.columns import DAGGER, MARK, Group, Printed
from benchmark.report.model import INFERRED, Row, Section, Table, TableCell, one_line
from benchmark.templates import environment

CLASSES = {1: "best", 2: "second"}
SCORES = ("miou", "iou")
Keys = tuple[tuple[str, str], ...]


def html(table: Table, records: str | None = None) -> str:
    """``table`` as a ``<section>`` with a ``<table>`` for each of its sections.

    Args:
        table: what is printed.
        records: the folder of the records as the page links to it; without, there are no links.
    """
    sources = printed.sources(table)
    text: str = (
        environment(Path(__file__).with_name("templates"))
        .get_template("table.html.j2")
        .render(
            table=table,
            # One thing that no source prints a line, apart from how to read the table.
            read=[each for each in table.caption if not each.startswith(INFERRED)],
            inferred=[each for each in table.caption if each.startswith(INFERRED)],
            sections=[_section(section, sources, records) for section in table.sections],
            notes=printed.notes(table),
        )
    )
    return text


def _section(section: Section, sources: Mapping[str, int], records: str | None) -> dict[str, Any]:
    groups = printed.groups(section)
    columns = [column for group in groups for column in group.columns]
    largest = [_largest(column) for column in columns]
    competes = any(row.ranked for row in section.rows)
    rows = []
    for index, row in enumerate(section.rows):
        cells = [
            _cell(column.cells[index], records)
            | {"keys": column.column.keys, "bar": _bar(column.cells[index], most)}
            for column, most in zip(columns, largest, strict=True)
        ]
        rows.append(_row(row, sources, apart=competes and not row.ranked) | {"cells": cells})
    return {
        "title": one_line(section.title),
        "keys": section.keys,
        "stub": section.stub,
        "groups": [_group(g) for g in groups] if any(g.title for g in groups) else [],
        "heads": [
            {
                "title": one_line(column.title),
                "notes": () if column.is_delta else column.column.footnotes,
                "keys": column.column.keys,
            }
            for column in columns
        ],
        "rows": rows,
    }


def _group(group: Group) -> dict[str, Any]:
    """A heading over several columns, with the coordinates that all of them share."""
    keys: list[Keys] = [column.column.keys for column in group.columns]
    shared = [key for key in keys[0] if all(key in others for others in keys)]
    return {"title": one_line(group.title), "span": len(keys), "keys": shared}


def _row(row: Row, sources: Mapping[str, int], *, apart: bool) -> dict[str, Any]:
    classes = ["published"] if row.source else []
    # A derived number may lack a seed of its reference: that is no gap of this row.
    states = sorted({cell.state for cell in row.cells if not cell.quantity.derived})
    return {
        "keys": row.keys,
        "labels": [one_line(label) for label in row.labels],
        "dagger": DAGGER if row.source else "",
        "notes": (sources[row.source],) if row.source else (),
        "classes": " ".join([*classes, *(["apart"] if apart else [])]),
        "states": " ".join(states),
    }


def _cell(cell: TableCell | None, records: str | None) -> dict[str, Any]:
    """What the template writes of one cell; everything it prints is escaped there."""
    if cell is None or cell.value is None:
        state = cell.state if cell else "inapplicable"
        notes = cell.footnotes if cell else ()
        return {"text": one_line(printed.word(cell)), "classes": f"num state-{state}", "value": "",
                "rank": 0, "mark": "", "spread": "", "interval": "", "seeds": "", "title": "",
                "notes": notes, "records": "", "record": ""}  # fmt: skip
    quantity = cell.quantity
    classes = [name for rank, name in CLASSES.items() if cell.rank == rank]
    classes += ["marked"] if cell.marked else []
    classes += ["partial"] if cell.state == "partial" else []
    ends = [quantity.format(end) for end in cell.interval or ()]
    titles = [f"{cell.n} of {cell.expected} seeds"] if cell.expected > 1 else []
    titles += ["95 % interval {} to {}".format(*ends)] if ends else []
    return {
        "text": quantity.format(cell.value),
        "classes": " ".join(["num", *classes]),
        "value": repr(cell.value),
        "rank": cell.rank or 0,
        "mark": MARK if cell.marked else "",
        "spread": "" if cell.spread is None else f"± {quantity.format_spread(cell.spread)}",
        "interval": f"[{', '.join(ends)}]" if ends else "",
        "seeds": f"{cell.n}/{cell.expected} seeds" if cell.state == "partial" else "",
        "title": "; ".join(titles),
        "notes": cell.footnotes,
        "records": " ".join(map(str, cell.records)),
        "record": _link(cell, records),
    }


def _link(cell: TableCell, records: str | None) -> str:
    if not records or not cell.records:
        return ""
    first = cell.records[0]
    return f"{first.folder or records}/{first.stem}.json"


def _largest(column: Printed) -> float:
    values: Sequence[float] = [c.value for c in column.cells if c and c.value is not None]
    return max(values, default=0.0)


def _bar(cell: TableCell | None, most: float) -> str:
    """The length of the bar below a score, in percent of its column's largest."""
    if cell is None or cell.value is None or most <= 0:
        return ""
    is_score = cell.quantity.name.partition(".")[0] in SCORES
    return f"{100 * cell.value / most:.0f}" if is_score else ""
