"""Reports: tables, figures and a page of a suite, made from its records.

``render`` decides what the tables say, ``write`` stores everything below the suite's result
folder, and ``print_tables`` shows the tables. Equal records give equal
tables, byte for byte; figures are equal on one machine and may differ in rounding on another.
"""

from __future__ import annotations

from typing import TextIO

from benchmark.report.formats import console
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
    "print_tables",
    "render",
    "uda",
    "write",
]


DETAILS = ("per_class", "overhead", "feature_distance")
"""Tables that are for looking things up: in the files and on the page, not on the terminal."""


def print_tables(plan: PlanLike, stream: TextIO) -> None:
    """Print every table but ``DETAILS`` to ``stream``, for a terminal (see ``console``)."""
    problems: list[str] = []
    tables = [table for table in render(plan, problems) if table.name not in DETAILS]
    console.print_tables(tables, stream)
    stream.writelines(f"{problem}\n" for problem in problems)
