"""Reports: the tables of a suite, made from its records.

``render`` decides what the tables say, ``write`` stores them below the suite's result folder, and
``print_markdown`` shows them. Equal records give equal bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from benchmark.records import write_atomically
from benchmark.report.formats import FORMATS
from benchmark.report.formats.markdown import markdown
from benchmark.report.formats.markdown_layout import TERMINAL
from benchmark.report.frame import load_records
from benchmark.report.gather import PlanLike, from_plan
from benchmark.report.grid import Grid
from benchmark.report.model import Table
from benchmark.report.tables import build, generalization, uda

__all__ = [
    "Grid",
    "Table",
    "from_plan",
    "generalization",
    "load_records",
    "print_markdown",
    "render",
    "uda",
    "write",
]


def render(plan: PlanLike) -> tuple[Table, ...]:
    """Every table that has something to say of the plan's suite, as far as its cells are done.

    Raises:
        UsageError, FragmentError: the suite names a fragment that is missing or incomplete.
    """
    return build(from_plan(plan))


def write(plan: PlanLike) -> list[Path]:
    """Write every table in every format to ``<folder>/tables``, each file whole or not at all."""
    paths = []
    for table in render(plan):
        for extension, convert in FORMATS.items():
            path = plan.folder / "tables" / f"{table.name}.{extension}"
            write_atomically(path, convert(table))
            paths.append(path)
    return paths


def print_markdown(plan: PlanLike, stream: TextIO) -> None:
    """Print every table to ``stream`` as Markdown for a terminal.

    It says what the files say, but in tables of at most 120 characters, if a column allows it, and
    with ``_second_`` for what GitHub underlines. A stream whose encoding lacks a character (an
    ASCII terminal) gets a plain one in its place.
    """
    text = "\n".join(markdown(table, TERMINAL) for table in render(plan))
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("±", "+-").replace("—", "-")
        text = text.encode(encoding, errors="replace").decode(encoding)
    stream.write(text)
