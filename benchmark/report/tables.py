"""The tables of a suite, built from the measured grid alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from benchmark.report import cells
from benchmark.report.cells import Reference
from benchmark.report.grid import Domain, Encoder, Grid, Method, Sample, Shift
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

MEAN_UNSEEN = "mean of unseen"
"""The ``domain`` coordinate of a mean over a shift's unseen domains."""

LAST = "mIoU in %, of the last iteration: nothing is selected on target labels."


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


def generalization(grid: Grid) -> Table:
    """mIoU on the unseen domains of each shift and their mean, a row a method and encoder.

    The target column stands beside them for reference. The mean is taken within a seed over all
    unseen domains, then over seeds. A shift without unseen domains has no section.
    """
    footnotes = Footnotes()
    shifts = [shift for shift in grid.shifts if shift.unseen]
    sentences = [
        *_measurement(grid),
        "None of the unseen domains was trained on, with or without labels.",
        *_ranking(grid, "of all methods and encoders"),
    ]
    return Table(
        name="generalization",
        title=f"{grid.title}: generalization to unseen domains",
        caption=tuple(sentences if shifts else ["No shift of this suite names unseen domains."]),
        sections=tuple(_generalization_section(grid, shift, footnotes) for shift in shifts),
        notes=footnotes.texts,
    )


def _uda_caption(grid: Grid) -> tuple[str, ...]:
    baseline, oracle = grid.reference("baseline"), grid.reference("oracle")
    sentences = _measurement(grid)
    if baseline:
        sentences.append(
            f"Gain: difference to {baseline.title} with the same encoder and seed, in points."
        )
    if baseline and oracle:
        sentences.append(
            f"Gap closed: share of the distance from {baseline.title} to {oracle.title} "
            "that is covered."
        )
    return (*sentences, *_ranking(grid, "of an encoder's methods"))


def _measurement(grid: Grid) -> list[str]:
    """What was measured, and after how much training where that is not the protocol's."""
    sentences = [LAST]
    if grid.iterations is not None:
        sentences.append(
            f"Trained for {grid.iterations} iterations instead of the protocol's number: "
            "no benchmark result."
        )
    if len(grid.seeds) == 1:
        return [*sentences, "One seed, so no spread is known."]
    return [*sentences, f"Mean ± sample standard deviation over {len(grid.seeds)} seeds."]


def _ranking(grid: Grid, among: str) -> list[str]:
    """How to read the marks, and who takes no part."""
    sentence = f"Bold is the best {among}, underlined the second"
    oracles = [method.title for method in grid.methods if method.role == "oracle"]
    if oracles:
        verb = "does" if len(oracles) == 1 else "do"
        sentence += f"; {' and '.join(oracles)} saw target labels and {verb} not compete"
    if len(grid.seeds) == 1:
        return [sentence + "."]
    return [sentence + ".", "A mean that lacks a seed does not compete either."]


def _uda_section(grid: Grid, shift: Shift, footnotes: Footnotes) -> Section:
    baseline, oracle = grid.reference("baseline"), grid.reference("oracle")
    columns: list[Column] = []
    for encoder in grid.encoders:
        keys = (("encoder", encoder.name), ("domain", shift.target.name))
        delta = GAIN.title if baseline else None
        marks = _marks(grid, shift, (shift.target,), footnotes)
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


def _generalization_section(grid: Grid, shift: Shift, footnotes: Footnotes) -> Section:
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
            footnotes=_marks(grid, shift, domains, footnotes),
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


def _marks(
    grid: Grid, shift: Shift, domains: Sequence[Domain], footnotes: Footnotes
) -> tuple[int, ...]:
    """The foot-notes of a column: how its domains are scored, where that is not as everywhere."""
    return tuple(footnotes.number(note) for note in grid.notes(shift, domains))
