"""Print a ``Table`` as CSV, one line a number, for programs.

The text depends on the table alone: no dates, no paths, ``\\n`` line ends.
"""

from __future__ import annotations

import csv
import io

from benchmark.report.model import Table

COORDINATES = ("shift", "method", "encoder", "domain")
FIELDS = (
    "table",
    *COORDINATES,
    "quantity",
    "value",
    "spread",
    "n",
    "expected",
    "interval_low",
    "interval_high",
    "marked",
    "rank",
    "state",
    "text",
    "source",
    "notes",
    "records",
)


def tidy(table: Table) -> str:
    """``table`` as CSV: one line a value, unrounded, with state, foot-notes and record ids.

    Shares are fractions of 1, everything else is in percent or points. Inapplicable cells have no
    line. ``records`` lists ``<record file stem>@<identity>``, separated by blanks.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, FIELDS, lineterminator="\n")
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
                "interval_low": _exact(cell.interval[0] if cell.interval else None),
                "interval_high": _exact(cell.interval[1] if cell.interval else None),
                "marked": "yes" if cell.marked else "",
                "text": cell.text or "",
                "source": row.source,
                "notes": "; ".join(
                    table.notes[number - 1] for number in (*column.footnotes, *cell.footnotes)
                ),
                "records": " ".join(map(str, cell.records)),
            }
        )
    return stream.getvalue()


def _exact(value: float | None) -> str:
    return "" if value is None else repr(value)
