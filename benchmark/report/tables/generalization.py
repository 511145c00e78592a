"""Table 2: how well what was trained does on domains that nobody trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from benchmark.report.grid import Domain, Encoder, Grid, Method, Shift
from benchmark.report.model import (
    MIOU,
    Column,
    Footnotes,
    Row,
    Section,
    Table,
    TableCell,
    rank,
)
from benchmark.report.tables import cells, zero_shot
from benchmark.report.tables.differences import repeated, row_notes
from benchmark.report.tables.encoder_gains import OVER
from benchmark.report.tables.wording import (
    column_notes,
    inferred,
    measurement,
    noted,
    ranking,
    row_keys,
)

Scored = tuple[str, str, Sequence[Domain]]
"""A column: its title, its ``domain`` coordinate, and the domains it is a mean over."""

MEAN_UNSEEN = "mean of unseen"
"""The ``domain`` coordinate of a mean over a shift's unseen domains."""


def generalization(grid: Grid) -> Table:
    """mIoU on the unseen domains of each shift and their mean, a row a method and encoder.

    Beside the mean stands its difference to the reference encoder with the same method, if the
    suite has one. The target column stands beside them to compare with. The mean is taken within a
    seed over all unseen domains, then over seeds. A shift without unseen domains has no section.
    """
    footnotes = Footnotes()
    shifts = [shift for shift in grid.shifts if shift.unseen]
    sentences = [
        *measurement(grid),
        "None of the unseen domains was trained on, with or without labels.",
        *(
            [f"Over {ground.title}: difference with the same method and seed, in points."]
            if (ground := grid.encoder_reference())
            else []
        ),
        *ranking(grid, "of all methods and encoders"),
        *zero_shot.caption(grid),
    ]
    return Table(
        name="generalization",
        title=f"{grid.title}: generalization to unseen domains",
        caption=tuple(sentences if shifts else ["No shift of this suite names unseen domains."]),
        sections=tuple(_section(grid, shift, footnotes) for shift in shifts),
        notes=footnotes.texts,
    )


def _section(grid: Grid, shift: Shift, footnotes: Footnotes) -> Section:
    scored: list[Scored] = [
        (f"{shift.target.short} (target)", shift.target.name, (shift.target,)),
        *((domain.short, domain.name, (domain,)) for domain in shift.unseen),
        (MEAN_UNSEEN, MEAN_UNSEEN, shift.unseen),
    ]
    ground = grid.encoder_reference()
    delta = f"over {ground.title}" if ground else None
    columns = [
        Column(
            title,
            MIOU,
            (("domain", key),),
            ranked=True,
            delta=delta if key == MEAN_UNSEEN else None,
            footnotes=column_notes(grid, shift, domains, footnotes),
        )
        for title, key, domains in scored
    ]
    rows = [
        Row(
            labels=(method.title, encoder.title),
            cells=_cells(grid, shift, (method, encoder), scored, footnotes),
            keys=row_keys(method, encoder),
            ranked=method.role != "oracle",
        )
        for method in grid.methods
        for encoder in grid.encoders
    ]
    rows += [
        Row(
            labels=(zero_shot.LABEL, encoder.title),
            cells=tuple(
                zero_shot.cell(grid, shift, encoder, zero_shot.miou(domains), footnotes)
                for _, _, domains in scored
            ),
            keys=zero_shot.keys(encoder),
            ranked=False,
        )
        for encoder in zero_shot.encoders(grid, shift)
    ]
    return Section(
        shift.title,
        ("Method", "Encoder"),
        tuple(columns),
        rank(rows, columns),
        keys=(("shift", shift.name),),
    )


def _cells(
    grid: Grid,
    shift: Shift,
    row: tuple[Method, Encoder],
    scored: Sequence[Scored],
    footnotes: Footnotes,
) -> tuple[TableCell, ...]:
    """The row's means; that over unseen domains with its difference to the reference encoder."""
    method, encoder = row
    found = [
        cells.over_seeds(grid.sample(method, encoder, shift, domains), footnotes)
        for _, _, domains in scored
    ]
    ground = grid.encoder_reference()
    if ground is not None:
        delta = TableCell(OVER, "inapplicable")
        if encoder != ground:
            delta = cells.gain(
                grid.sample(method, encoder, shift, shift.unseen),
                cells.Reference(
                    Method(method.name, f"{method.title} with {ground.title}", method.role),
                    grid.sample(method, ground, shift, shift.unseen),
                ),
                footnotes,
                quantity=OVER,
            )
        found[-1] = dataclasses.replace(found[-1], delta=delta)
    marks = (
        *row_notes(grid, method, footnotes),
        *repeated(grid, shift, method, encoder, footnotes),
        *inferred(encoder, footnotes),
    )
    return noted(found, marks)
