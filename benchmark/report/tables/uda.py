"""Table 1: adaptation to the target domain."""

from __future__ import annotations

import dataclasses
import math

from benchmark.report.grid import Encoder, Grid, Method, Outcome, Shift
from benchmark.report.model import (
    GAIN,
    GAP_CLOSED,
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
from benchmark.report.sample import Sample
from benchmark.report.statistics import seeds as stats
from benchmark.report.statistics.seeds import SMALLEST_GAP
from benchmark.report.tables import cells, encoder_gains, notes, zero_shot
from benchmark.report.tables.cells import Reference
from benchmark.report.tables.differences import repeated, row_notes
from benchmark.report.tables.wording import (
    column_notes,
    inferred,
    measurement,
    noted,
    ranking,
    settings_inferred,
)
from benchmark.scores import OF_GROUPS, POOLED

SMALL_GAP = 5.0
"""Points below which a share of the gap says little: a point, as seeds differ, is a fifth of it."""


def uda(grid: Grid) -> Table:
    """Target mIoU after adaptation: a section a shift, a row a method, columns by encoder.

    Beside each mIoU stand the gain over the baseline with the same encoder and the share of the
    distance from the baseline to the oracle that the method covers. Both are left out where the
    suite has no baseline (or no oracle) to compare with. Behind them come other means that the
    target has (SYNTHIA's 13 classes). The last columns are differences to the reference encoder
    with the same method and seed: read along a row for what a pre-training is worth.
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
    sentences += encoder_gains.caption(grid)
    if grid.intervals is not None:
        sentences.append("An asterisk marks a difference that survives both seeds and images.")
    sentences += [*ranking(grid, "of an encoder's methods"), *zero_shot.caption(grid)]
    return (*sentences, *settings_inferred(grid))


def _uda_section(grid: Grid, shift: Shift, footnotes: Footnotes) -> Section:
    baseline, oracle = grid.reference("baseline"), grid.reference("oracle")
    columns: list[Column] = []
    for encoder in grid.encoders:
        keys = (("encoder", encoder.name), ("domain", shift.target.name))
        delta = GAIN.title if baseline else None
        marks = (
            *column_notes(grid, shift, (shift.target,), footnotes),
            *inferred(encoder, footnotes),
        )
        columns.append(
            Column("mIoU", MIOU, keys, encoder.title, delta=delta, ranked=True, footnotes=marks)
        )
        if baseline and oracle:
            small = _small_gap(grid, shift, encoder, (baseline, oracle), footnotes)
            columns.append(
                Column(GAP_CLOSED.title, GAP_CLOSED, keys, encoder.title, footnotes=small)
            )
        columns += [
            Column(name, Quantity(f"miou.{name}", "mIoU", 1), keys, encoder.title, ranked=True)
            for name in _other_means(grid, shift)
        ]
    columns += encoder_gains.columns(grid, shift)
    rows = [
        Row(
            labels=(method.title,),
            cells=noted(
                [
                    *(
                        cell
                        for encoder in grid.encoders
                        for cell in (
                            *_uda_cells(grid, shift, method, encoder, footnotes),
                            *_mean_cells(grid, shift, method, encoder, footnotes),
                        )
                    ),
                    *encoder_gains.gains(grid, shift, method, footnotes),
                ],
                row_notes(grid, method, footnotes),
            ),
            keys=(("method", method.name),),
            ranked=method.role != "oracle",
        )
        for method in grid.methods
    ]
    rows += _zero_shot_rows(grid, shift, columns, footnotes)
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
    value = cells.over_seeds(measured, footnotes)
    marks = (*repeated(grid, shift, method, encoder, footnotes), *value.footnotes)
    value = dataclasses.replace(value, footnotes=marks)
    if baseline is None:
        return [value]
    floor = Reference(baseline, sample(baseline))
    delta = TableCell(GAIN, "inapplicable")
    if method != baseline:
        delta = cells.gain(
            measured, floor, footnotes, intervals=grid.intervals, domain=shift.target.name
        )
    value = dataclasses.replace(value, delta=delta)
    if oracle is None:
        return [value]
    if method in (baseline, oracle):
        return [value, TableCell(GAP_CLOSED, "inapplicable")]
    ceiling = Reference(oracle, sample(oracle))
    return [value, cells.gap_closed(measured, floor, ceiling, footnotes)]


def _small_gap(
    grid: Grid,
    shift: Shift,
    encoder: Encoder,
    ends: tuple[Method, Method],
    footnotes: Footnotes,
) -> tuple[int, ...]:
    """The foot-note of shares of a gap so small that seeds alone move them by tens of percent."""
    floor, ceiling = (grid.sample(each, encoder, shift, (shift.target,)).values for each in ends)
    gap = stats.differences(ceiling, floor)
    size = stats.mean(gap) if gap else math.inf
    if not SMALLEST_GAP <= size < SMALL_GAP:
        return ()
    return (footnotes.number(notes.small_gap(encoder.title, size)),)


def _zero_shot_rows(
    grid: Grid, shift: Shift, columns: list[Column], footnotes: Footnotes
) -> list[Row]:
    """The row of class names alone, where an encoder has a record of it."""
    having = {encoder.name: encoder for encoder in zero_shot.encoders(grid, shift)}
    if not having:
        return []
    found = []
    for column in columns:
        encoder = having.get(dict(column.keys)["encoder"])
        if encoder is None or column.quantity.derived:
            found.append(TableCell(column.quantity, "inapplicable"))
            continue
        read = zero_shot.miou((shift.target,))
        if column.quantity != MIOU:
            read = _mean_reader(shift, column.title)
        found.append(zero_shot.cell(grid, shift, encoder, read, footnotes, column.quantity))
    return [Row((zero_shot.LABEL,), tuple(found), zero_shot.keys(), ranked=False)]


def _mean_reader(shift: Shift, name: str) -> zero_shot.Read:
    """Reads another mean of the target."""

    def read(outcome: Outcome) -> float | None:
        metrics = outcome.metrics.get(shift.target.name)
        value = metrics.means.get(name, math.nan) if metrics is not None else math.nan
        return value if math.isfinite(value) else None

    return read


def _other_means(grid: Grid, shift: Shift) -> list[str]:
    """Names of further means of the target; those over groups are in the table of conditions."""
    found = {name for scores in grid.scores(shift, shift.target) for name in scores.means}
    return sorted(found - {POOLED, OF_GROUPS})


def _mean_cells(
    grid: Grid, shift: Shift, method: Method, encoder: Encoder, footnotes: Footnotes
) -> list[TableCell]:
    found = []
    for name in _other_means(grid, shift):

        def lacking(_: Outcome, name: str = name) -> str:
            return f"mean {name}"

        sample = grid.sampled(method, encoder, shift, _mean_reader(shift, name), lacking)
        quantity = Quantity(f"miou.{name}", "mIoU", 1)
        found.append(cells.over_seeds(sample, footnotes, quantity))
    return found
