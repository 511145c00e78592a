"""Put the page together: one HTML file that asks nothing of a network.

Style, script and pictures are part of the file, and its content security policy forbids the
browser to load anything else. The text depends on the arguments alone.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.report.formats.html import html
from benchmark.report.grid import Grid
from benchmark.report.model import Table
from benchmark.report.page import pictures
from benchmark.report.page.headline import answers, question
from benchmark.report.page.states import SHAPES, counts, entries, matrices
from benchmark.templates import environment

if TYPE_CHECKING:
    from benchmark.report.gather import PlanLike
    from benchmark.report.page.pictures import FigureLike, PanelLike

TEMPLATES = Path(__file__).resolve().parent / "template"


def page(
    plan: PlanLike,
    grid: Grid,
    tables: Sequence[Table],
    figures: Sequence[FigureLike] = (),
    panels: Sequence[PanelLike] = (),
) -> str:
    """The page of a suite as HTML text.

    Args:
        plan: whose cells are listed, each with links to its record, configuration and log.
        grid: the measured grid of ``plan``.
        tables: what the page shows in numbers, in this order.
        figures: drawn below the tables.
        panels: images with ground truth and predictions.
    """
    listed = entries(plan, grid)
    headed = [_headed(table) for table in tables if table.sections]
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    # A script is let through by its digest, style attributes and sheets as such.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    text: str = (
        environment(TEMPLATES, autoescape=True)
        .get_template("page.html.j2")
        .render(
            policy=policy,
            script=script,
            style=(TEMPLATES / "page.css").read_text(encoding="utf-8"),
            title=grid.title,
            question=question(plan, grid),
            answers=answers(grid, tables),
            grid=grid,
            titles={
                axis: {each.name: each.title for each in members}
                for axis, members in (
                    ("method", grid.methods),
                    ("encoder", grid.encoders),
                    ("shift", grid.shifts),
                )
            },
            shapes=SHAPES,
            counts=counts(listed),
            matrices=matrices(grid, listed),
            entries=listed,
            tables=headed,
            fragments=[html(table, records="records") for table in headed],
            figures=[pictures.figure(each) for each in figures],
            panels=pictures.panels(grid, panels),
            legend=pictures.legend() if panels else (),
        )
    )
    return text


def _headed(table: Table) -> Table:
    """The table under a heading of this page, which says the suite's title above everything."""
    title = table.title.partition(": ")[2] or table.title
    return dataclasses.replace(table, title=title[:1].upper() + title[1:])
