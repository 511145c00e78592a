"""Table 1: adaptation to the target domain."""

from __future__ import annotations

import dataclasses

from benchmark.report.grid import Encoder, Grid, Method, Sample, Shift
from benchmark.report.model import (
    GAIN,
    GAP_CLOSED,
    MIOU,
    Column,
    Footnotes,
    Row,
    Section,
    Table,
    TableCell,
    rank,
)
from benchmark.report.tables import cells
from benchmark.report.tables.cells import Reference
from benchmark.report.tables.wording import column_notes, measurement, ranking


def uda(grid: Grid) -> Table:
    """Target mIoU after adaptation: a section a shift, a row a method, columns by encoder.

    Beside each mIoU stand the gain over the baseline with the same encoder and the share of the
    distance from the baseline to the oracle that the method covers. Both are left out where the
    suite has no baseline (or no oracle) to compare with.
    """
    footnotes = Footnotes()
    return Table(
        name="uda",
        title=f"{grid.title}: adaptation to the target domain",
        caption=_uda_caption(grid),
        sections=tuple(_uda_section(grid, shift, footnotes) for shift in grid.shifts),
        notes=footnotes.texts,
    )


def _uda_caption(grid: Grid) -> tuple[str, ...]:
    baseline, oracle = grid.reference("baseline"), grid.reference("oracle")
    sentences = measurement(grid)
    if baseline:
        sentences.append(
            f"Gain: difference to {baseline.title} with the same encoder and seed, in points."
        )
    if baseline and oracle:
        sentences.append(
            f"Gap closed: share of the distance from {baseline.title} to {oracle.title} "
            "that is covered."
        )
    return (*sentences, *ranking(grid, "of an encoder's methods"))


def _uda_section(grid: Grid, shift: Shift, footnotes: Footnotes) -> Section:
    baseline, oracle = grid.reference("baseline"), grid.reference("oracle")
    columns: list[Column] = []
    for encoder in grid.encoders:
        keys = (("encoder", encoder.name), ("domain", shift.target.name))
        delta = GAIN.title if baseline else None
        marks = column_notes(grid, shift, (shift.target,), footnotes)
        columns.append(
            Column("mIoU", MIOU, keys, encoder.title, delta=delta, ranked=True, footnotes=marks)
        )
        if baseline and oracle:
            columns.append(Column(GAP_CLOSED.title, GAP_CLOSED, keys, encoder.title))
    rows = [
        Row(
            labels=(method.title,),
            cells=tuple(
                cell
                for encoder in grid.encoders
                for cell in _uda_cells(grid, shift, method, encoder, footnotes)
            ),
            keys=(("method", method.name),),
            ranked=method.role != "oracle",
        )
        for method in grid.methods
    ]
    return Section(
        shift.title,
        ("Method",),
        tuple(columns),
        rank(rows, columns),
        keys=(("shift", shift.name),),
    )


def _uda_cells(
    grid: Grid, shift: Shift, method: Method, encoder: Encoder, footnotes: Footnotes
) -> list[TableCell]:
    """mIoU with its gain and, where the suite has both references, the share of the gap."""

    def sample(of: Method) -> Sample:
        return grid.sample(of, encoder, shift, (shift.target,))

    baseline, oracle = grid.reference("baseline"), grid.reference("oracle")
    measured = sample(method)
    value = cells.mean_miou(measured, footnotes)
    if baseline is None:
        return [value]
    floor = Reference(baseline, sample(baseline))
    delta = TableCell(GAIN, "inapplicable")
    if method != baseline:
        delta = cells.gain(measured, floor, footnotes)
    value = dataclasses.replace(value, delta=delta)
    if oracle is None:
        return [value]
    if method in (baseline, oracle):
        return [value, TableCell(GAP_CLOSED, "inapplicable")]
    ceiling = Reference(oracle, sample(oracle))
    return [value, cells.gap_closed(measured, floor, ceiling, footnotes)]
