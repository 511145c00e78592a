"""Print a ``Table`` as Markdown or CSV.

The text depends on the table alone: no dates, no paths, ``\\n`` line ends.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.report import layout
from benchmark.report.layout import GITHUB, Style, escape
from benchmark.report.model import Table

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).resolve().parent / "templates"

COORDINATES = ("shift", "method", "encoder", "domain")
CSV_FIELDS = (
    "table",
    *COORDINATES,
    "quantity",
    "value",
    "spread",
    "n",
    "expected",
    "rank",
    "state",
    "notes",
    "records",
)


def markdown(table: Table, style: Style = GITHUB) -> str:
    """``table`` as GitHub Markdown whose columns are aligned when read as plain text."""
    sections = [
        {"title": escape(section.title), "blocks": layout.blocks(section, style)}
        for section in table.sections
    ]
    text: str = (
        _environment()
        .get_template("table.md.j2")
        .render(
            title=escape(table.title),
            caption=[escape(sentence) for sentence in table.caption],
            sections=sections,
            notes=[escape(note) for note in table.notes],
        )
    )
    return text


def tidy(table: Table) -> str:
    """``table`` as CSV: one line a value, unrounded, with state, foot-notes and record ids.

    Shares are fractions of 1, everything else is in percent or points. Inapplicable cells have no
    line. ``records`` lists ``<record file stem>@<identity>``, separated by blanks.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, CSV_FIELDS, lineterminator="\n")
    writer.writeheader()
    for section, row, column, cell in table.cells():
        if cell.state == "inapplicable":
            continue
        keys = dict((*section.keys, *row.keys, *column.keys))
        writer.writerow(
            {
                "table": table.name,
                **{name: keys.get(name, "") for name in COORDINATES},
                "quantity": cell.quantity.name,
                "value": _exact(cell.value),
                "spread": _exact(cell.spread),
                "n": cell.n,
                "expected": cell.expected,
                "rank": "" if cell.rank is None else cell.rank,
                "state": cell.state,
                "notes": "; ".join(
                    table.notes[number - 1] for number in (*column.footnotes, *cell.footnotes)
                ),
                "records": " ".join(map(str, cell.records)),
            }
        )
    return stream.getvalue()


FORMATS: Mapping[str, Callable[[Table], str]] = {"md": markdown, "csv": tidy}
"""File name extension -> how a table is printed in that format."""


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown, not HTML: escape() does what this format needs.
        autoescape=False,
    )


def _exact(value: float | None) -> str:
    return "" if value is None else repr(value)
