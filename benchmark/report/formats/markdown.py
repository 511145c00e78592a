"""Print a ``Table`` as GitHub Markdown.

The text depends on the table alone: no dates, no paths, ``\\n`` line ends.
"""

from __future__ import annotations

from pathlib import Path

from benchmark.report.formats import columns as printed
from benchmark.report.formats import markdown_layout as layout
from benchmark.report.formats.aligned import Style
from benchmark.report.formats.markdown_layout import GITHUB, escape
from benchmark.report.model import Table
from benchmark.templates import environment


def markdown(table: Table, style: Style = GITHUB) -> str:
    """``table`` as GitHub Markdown whose columns are aligned when read as plain text."""
    sources = printed.sources(table)
    sections = [
        {"title": escape(section.title), "blocks": layout.blocks(section, style, sources)}
        for section in table.sections
    ]
    text: str = (
        environment(Path(__file__).with_name("templates"))
        .get_template("table.md.j2")
        .render(
            title=escape(table.title),
            caption=[escape(sentence) for sentence in table.caption],
            sections=sections,
            notes=[escape(note) for note in printed.notes(table)],
        )
    )
    return text
