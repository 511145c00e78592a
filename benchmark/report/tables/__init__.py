"""The tables of a suite, one module each, built from the measured grid alone."""

from __future__ import annotations

from collections.abc import Callable

from benchmark.errors import PluginError
from benchmark.report.grid import Grid
from benchmark.report.model import Table
from benchmark.report.tables.claims import claims
from benchmark.report.tables.comparison import comparison
from benchmark.report.tables.conditions import conditions
from benchmark.report.tables.feature_distance import feature_distance
from benchmark.report.tables.generalization import generalization
from benchmark.report.tables.of_plugins import of_plugin
from benchmark.report.tables.overhead import overhead
from benchmark.report.tables.per_class import per_class
from benchmark.report.tables.profile import profile
from benchmark.report.tables.uda import uda

__all__ = [
    "TABLES",
    "build",
    "claims",
    "comparison",
    "conditions",
    "feature_distance",
    "generalization",
    "overhead",
    "per_class",
    "profile",
    "uda",
]

TABLES: tuple[Callable[[Grid], Table], ...] = (
    uda,
    generalization,
    conditions,
    comparison,
    per_class,
    overhead,
    profile,
    feature_distance,
    claims,
)
"""The builders of all tables, in the order in which they are shown."""


def build(grid: Grid, problems: list[str] | None = None) -> tuple[Table, ...]:
    """The tables that the suite asks for, in its order, as far as they have something to say.

    Why a plugin's table cannot be made goes to ``problems``; the others do not depend on it.
    """
    builders = {builder.__name__: builder for builder in TABLES}
    made = []
    for name in grid.tables or tuple(builders):
        try:
            table = builders[name](grid) if name in builders else of_plugin(name, grid)
        except PluginError as error:
            if problems is not None:
                problems.append(str(error))
            continue
        made.append(table)
    return tuple(table for table in made if table.sections)
