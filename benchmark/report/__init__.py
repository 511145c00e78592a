"""Reports: tables, figures and a page of a suite, made from its records.

``render`` decides what the tables say, ``write`` stores everything below the suite's result
folder, and ``print_markdown`` shows the tables. Equal records give equal bytes.
"""

from __future__ import annotations

from typing import TextIO

from benchmark.report.formats.markdown import markdown
from benchmark.report.formats.markdown_layout import TERMINAL
from benchmark.report.frame import load_records
from benchmark.report.gather import PlanLike, from_plan
from benchmark.report.grid import Grid
from benchmark.report.model import Table
from benchmark.report.pipeline import PAGE, Written, render, write
from benchmark.report.tables import generalization, uda

__all__ = [
    "PAGE",
    "Grid",
    "Table",
    "Written",
    "from_plan",
    "generalization",
    "load_records",
    "print_markdown",
    "render",
    "uda",
    "write",
]


DETAILS = ("per_class", "overhead", "feature_distance")
"""Tables that are for looking things up: in the files and on the page, not on the terminal."""


def print_markdown(plan: PlanLike, stream: TextIO) -> None:
    """Print every table but ``DETAILS`` to ``stream`` as Markdown for a terminal.

    It says what the files say, but in tables of at most 120 characters, if a column allows it, and
    with ``_second_`` for what GitHub underlines. A stream whose encoding lacks a character (an
    ASCII terminal) gets a plain one in its place.
    """
    text = "\n".join(
        markdown(table, TERMINAL) for table in render(plan) if table.name not in DETAILS
    )
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("±", "+-").replace("—", "-")
        text = text.encode(encoding, errors="replace").decode(encoding)
    stream.write(text)
