"""Table 2: how well what was trained does on domains that nobody trained on."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.report.grid import Domain, Grid, Shift
from benchmark.report.model import MIOU, Column, Footnotes, Row, Section, Table, rank
from benchmark.report.tables import cells
from benchmark.report.tables.wording import column_notes, measurement, ranking

MEAN_UNSEEN = "mean of unseen"
"""The ``domain`` coordinate of a mean over a shift's unseen domains."""


def generalization(grid: Grid) -> Table:
    """mIoU on the unseen domains of each shift and their mean, a row a method and encoder.

    The target column stands beside them for reference. The mean is taken within a seed over all
    unseen domains, then over seeds. A shift without unseen domains has no section.
    """
    footnotes = Footnotes()
    shifts = [shift for shift in grid.shifts if shift.unseen]
    sentences = [
        *measurement(grid),
        "None of the unseen domains was trained on, with or without labels.",
        *ranking(grid, "of all methods and encoders"),
    ]
    return Table(
        name="generalization",
        title=f"{grid.title}: generalization to unseen domains",
        caption=tuple(sentences if shifts else ["No shift of this suite names unseen domains."]),
        sections=tuple(_section(grid, shift, footnotes) for shift in shifts),
        notes=footnotes.texts,
    )


def _section(grid: Grid, shift: Shift, footnotes: Footnotes) -> Section:
    scored: list[tuple[str, str, Sequence[Domain]]] = [
        (f"{shift.target.short} (target)", shift.target.name, (shift.target,)),
        *((domain.short, domain.name, (domain,)) for domain in shift.unseen),
        (MEAN_UNSEEN, MEAN_UNSEEN, shift.unseen),
    ]
    columns = [
        Column(
            title,
            MIOU,
            (("domain", key),),
            ranked=True,
            footnotes=column_notes(grid, shift, domains, footnotes),
        )
        for title, key, domains in scored
    ]
    rows = [
        Row(
            labels=(method.title, encoder.title),
            cells=tuple(
                cells.mean_miou(grid.sample(method, encoder, shift, domains), footnotes)
                for _, _, domains in scored
            ),
            keys=(("method", method.name), ("encoder", encoder.name)),
            ranked=method.role != "oracle",
        )
        for method in grid.methods
        for encoder in grid.encoders
    ]
    return Section(
        shift.title,
        ("Method", "Encoder"),
        tuple(columns),
        rank(rows, columns),
        keys=(("shift", shift.name),),
    )
