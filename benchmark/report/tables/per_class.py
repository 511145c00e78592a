"""Which classes a method wins and loses."""

from __future__ import annotations

import dataclasses
import math

from benchmark.report.grid import Encoder, Grid, Method, Outcome, Shift
from benchmark.report.model import (
    MIOU,
    Column,
    Footnotes,
    Quantity,
    Row,
    Section,
    Table,
    TableCell,
    rank,
)
from benchmark.report.tables import cells
from benchmark.report.tables.wording import column_notes, measurement, ranking


def per_class(grid: Grid) -> Table:
    """IoU of every class on the target, a section a shift and encoder, a row a method.

    Read down a column for the method that finds a class best, and along a row for the classes that
    pull its mean down. A class that no label shows has no IoU and is in no mean.
    """
    footnotes = Footnotes()
    sections = [
        _section(grid, shift, encoder, names, footnotes)
        for shift in grid.shifts
        if (names := _classes(grid, shift))
        for encoder in grid.encoders
    ]
    sentences = [
        *measurement(grid),
        "The columns of classes show their IoU in %, on the target.",
        *ranking(grid, "of an encoder's methods"),
    ]
    return Table(
        name="per_class",
        title=f"{grid.title}: by class",
        caption=tuple(sentences if sections else ["No record has the IoU of single classes."]),
        sections=tuple(sections),
        notes=footnotes.texts,
    )


def _classes(grid: Grid, shift: Shift) -> list[str]:
    """The classes in any done record, in train-id order, others behind them."""
    from mmseg_ext.datasets.classes import CLASSES

    found = {name for scores in grid.scores(shift, shift.target) for name in scores.per_class_iou}
    known = [name for name in CLASSES if name in found]
    return known + sorted(found.difference(known))


def _section(
    grid: Grid, shift: Shift, encoder: Encoder, names: list[str], footnotes: Footnotes
) -> Section:
    keys = (("domain", shift.target.name),)
    marks = column_notes(grid, shift, (shift.target,), footnotes)
    columns = [
        *(
            Column(name, Quantity(f"iou.{name}", "IoU", decimals=1), keys, ranked=True)
            for name in names
        ),
        Column("mIoU", MIOU, keys, ranked=True, footnotes=marks),
    ]
    rows = []
    for method in grid.methods:
        found = [
            _cell(grid, shift, (method, encoder), column.quantity, name, footnotes)
            for column, name in zip(columns, names, strict=False)
        ]
        whole = cells.over_seeds(grid.sample(method, encoder, shift, (shift.target,)), footnotes)
        rows.append(
            Row(
                (method.title,),
                (*found, whole),
                (("method", method.name),),
                ranked=method.role != "oracle",
            )
        )
    return Section(
        f"{shift.title}, {encoder.title}",
        ("Method",),
        tuple(columns),
        rank(rows, columns),
        keys=(("shift", shift.name), ("encoder", encoder.name)),
    )


def _cell(
    grid: Grid,
    shift: Shift,
    row: tuple[Method, Encoder],
    quantity: Quantity,
    name: str,
    footnotes: Footnotes,
) -> TableCell:
    target = shift.target

    def read(outcome: Outcome) -> float | None:
        metrics = outcome.metrics.get(target.name)
        value = metrics.per_class_iou.get(name) if metrics is not None else None
        return value if value is not None and math.isfinite(value) else None

    sample = grid.sampled(*row, shift, read, lambda _: f"IoU of {name}")
    measured = grid.sample(*row, shift, (target,))
    if measured.values and not sample.values and _unlabelled(grid, shift, name):
        note = footnotes.number(f"{name} never occurs in the labels of {target.short}")
        return TableCell(
            dataclasses.replace(quantity, derived=True),
            "undefined",
            expected=sample.expected,
            footnotes=(note,),
        )
    return cells.over_seeds(sample, footnotes, quantity)


def _unlabelled(grid: Grid, shift: Shift, name: str) -> bool:
    """Whether a done record says of the class that it has no ground truth on the target."""
    return any(
        outcome.metrics[shift.target.name].per_class_iou.get(name, math.nan) is None
        for cell, outcome in grid.outcomes.items()
        if cell.shift == shift.name and outcome.state == "done"
        if shift.target.name in outcome.metrics
    )
