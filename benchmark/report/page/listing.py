"""Tables as the page's templates read them: plain texts, coordinates to filter by, sort keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.report.model import Column, Row, Section, Table, TableCell

Values = dict[str, Any]
SCORES = ("miou", "iou")
FILTERED = ("method", "encoder")


@dataclass(frozen=True)
class Lister:
    """Makes what the templates print. ``indices`` are the places of cells, by file stem."""

    indices: Mapping[str, int]

    def table(self, table: Table) -> Values:
        """One table with its sections, each as headings and rows."""
        return {
            "name": table.name,
            "title": table.title.partition(": ")[2] or table.title,
            "caption": table.caption,
            "notes": table.notes,
            "sections": [self._section(section) for section in table.sections],
        }

    def _section(self, section: Section) -> Values:
        largest = [_largest(section.rows, index) for index in range(len(section.columns))]
        return {
            "title": section.title,
            "keys": _filters(section.keys, ("shift",)),
            "stub": section.stub,
            "groups": _groups(section),
            "headings": _headings(section),
            "rows": [self._row(section, row, largest) for row in section.rows],
        }

    def _row(self, section: Section, row: Row, largest: Sequence[float]) -> Values:
        competes = any(each.ranked for each in section.rows)
        cells = []
        for column, cell, most in zip(section.columns, row.cells, largest, strict=True):
            keys = _filters(column.keys)
            cells.append(self._cell(cell) | {"keys": keys, "bar": _bar(cell, most)})
            if column.delta is not None:
                delta = cell.delta or TableCell(column.quantity, "inapplicable")
                cells.append(self._cell(delta) | {"keys": keys, "bar": None})
        return {
            "labels": row.labels,
            "source": row.source,
            "apart": competes and not row.ranked,
            "keys": _filters(row.keys),
            # A derived number may lack a seed of its reference: that is no gap of this row.
            "states": " ".join(sorted({c.state for c in row.cells if not c.quantity.derived})),
            "cells": cells,
        }

    def _cell(self, cell: TableCell) -> Values:
        quantity = cell.quantity
        has_value = cell.value is not None
        stems = [ref.stem for ref in dict.fromkeys(cell.records) if ref.stem in self.indices]
        return {
            "state": cell.state,
            "number": quantity.format(cell.value) if cell.value is not None else "",
            "sort": repr(cell.value) if has_value else "",
            "text": cell.text or "",
            "word": "" if has_value or quantity.derived else cell.state,
            "spread": "" if cell.spread is None else quantity.format_spread(cell.spread),
            "interval": [quantity.format(end) for end in cell.interval or ()],
            "marked": cell.marked,
            "rank": cell.rank or 0,
            "seeds": f"{cell.n}/{cell.expected}" if cell.state == "partial" and has_value else "",
            "footnotes": cell.footnotes,
            "record": f"records/{stems[0]}.json" if stems else "",
            "cells": " ".join(str(self.indices[stem]) for stem in stems),
        }


def _largest(rows: Sequence[Row], index: int) -> float:
    return max((row.cells[index].value or 0.0 for row in rows), default=0.0)


def _bar(cell: TableCell, most: float) -> str | None:
    """The length of the bar below a score, in percent of its column's largest."""
    if cell.value is None or cell.quantity.name.partition(".")[0] not in SCORES or most <= 0:
        return None
    return f"{100 * cell.value / most:.0f}"


def _filters(keys: Sequence[tuple[str, str]], names: Sequence[str] = FILTERED) -> Values:
    return {name: value for name, value in keys if name in names}


def _groups(section: Section) -> list[Values]:
    """Neighbouring columns under one heading, with how many printed columns it spans."""
    if not any(column.group for column in section.columns):
        return []
    groups: list[Values] = []
    for column in section.columns:
        span = 1 + (column.delta is not None)
        if groups and column.group and groups[-1]["title"] == column.group:
            groups[-1]["span"] += span
        else:
            groups.append({"title": column.group, "span": span, "keys": _filters(column.keys)})
    return groups


def _headings(section: Section) -> list[Values]:
    headings: list[Values] = []
    for column in section.columns:
        headings.append(_heading(column, column.title, column.footnotes))
        if column.delta is not None:
            headings.append(_heading(column, column.delta, ()))
    return headings


def _heading(column: Column, title: str, footnotes: Sequence[int]) -> Values:
    return {"title": title, "footnotes": footnotes, "keys": _filters(column.keys)}
