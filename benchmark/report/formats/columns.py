"""The printed columns of a section, apart from how a format writes them.

A column of the model may print as two: its values and, beside them, their deltas. Columns of one
group stay together under one heading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmark.report.model import Column, Section, Table, TableCell

DASH = "—"
MARK, DAGGER = "*", "†"
"""After a difference that survives seeds and images; after the label of a published row."""


@dataclass(frozen=True)
class Printed:
    """One printed column: its heading, the column it belongs to, one cell (or nothing) a row."""

    title: str
    column: Column
    cells: tuple[TableCell | None, ...]
    is_delta: bool = False


@dataclass(frozen=True)
class Group:
    """Neighbouring printed columns under one heading, which is empty for a single column."""

    title: str
    columns: tuple[Printed, ...]


def groups(section: Section) -> list[Group]:
    """The printed columns of ``section``, those of one group of the model together."""
    found: list[Group] = []
    for index, column in enumerate(section.columns):
        cells = tuple(row.cells[index] for row in section.rows)
        printed = [Printed(column.title, column, cells)]
        if column.delta is not None:
            deltas = tuple(cell.delta for cell in cells)
            printed.append(Printed(column.delta, column, deltas, is_delta=True))
        if column.group and found and found[-1].title == column.group:
            found[-1] = Group(column.group, (*found[-1].columns, *printed))
        else:
            found.append(Group(column.group, tuple(printed)))
    return found


def pages(found: Sequence[Group], widths: Sequence[int], widest: int) -> Iterator[list[Group]]:
    """Neighbouring groups that fit beside each other; a group alone may be wider."""
    page: list[Group] = []
    used = 0
    for group, width in zip(found, widths, strict=True):
        if page and used + width > widest:
            yield page
            page, used = [], 0
        page.append(group)
        used += width
    if page:
        yield page


def word(cell: TableCell | None) -> str:
    """What stands in place of a value: a dash with the state, or nothing where nothing belongs.

    A derived number repeats no state: the value it would be derived from already shows it.
    """
    if cell is None or cell.state == "inapplicable":
        return ""
    if cell.text is not None:
        return cell.text
    return DASH if cell.quantity.derived else f"{DASH} {cell.state}"


def sources(table: Table) -> Mapping[str, int]:
    """Where published rows were printed -> the number of the note that says so."""
    rows = [row for section in table.sections for row in section.rows if row.source]
    unique = dict.fromkeys(row.source for row in rows)
    return {source: number for number, source in enumerate(unique, start=len(table.notes) + 1)}


def notes(table: Table) -> tuple[str, ...]:
    """All notes below a table: its own, then one for each source of published rows."""
    told = [f"{DAGGER} published, not measured here: {source}" for source in sources(table)]
    return (*table.notes, *told)
