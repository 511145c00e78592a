"""The tables of a suite, one module each, built from the measured grid alone."""

from __future__ import annotations

from benchmark.report.tables.claims import claims
from benchmark.report.tables.comparison import comparison
from benchmark.report.tables.generalization import generalization
from benchmark.report.tables.uda import uda

__all__ = ["TABLES", "claims", "comparison", "generalization", "uda"]

TABLES = (uda, generalization, comparison, claims)
"""The builders of all tables, in the order in which they are shown."""
