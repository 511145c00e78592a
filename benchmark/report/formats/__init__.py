"""How a ``Table`` is printed: one module a format, each a function from a table to text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmark.report.formats.html import html
from benchmark.report.formats.latex import latex
from benchmark.report.formats.markdown import markdown
from benchmark.report.formats.tidy_csv import tidy
from benchmark.report.model import Table

__all__ = ["FORMATS"]

FORMATS: Mapping[str, Callable[[Table], str]] = {
    "md": markdown,
    "tex": latex,
    "html": html,
    "csv": tidy,
}
"""File name extension -> how a table is printed in that format."""
