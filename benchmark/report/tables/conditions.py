"""How a method does in each adverse condition of a domain."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from benchmark.report.grid import Domain, Encoder, Grid, Method, Outcome, Shift
from benchmark.report.model import Column, Footnotes, Quantity, Row, Section, Table, TableCell, rank
from benchmark.report.tables import cells, zero_shot
from benchmark.report.tables.wording import measurement, ranking, row_keys
from benchmark.scores import LEVEL, OF_GROUPS, POOLED

Read = Callable[[Outcome], float | None]


def conditions(grid: Grid) -> Table:
    """mIoU on each group of a domain's images (fog, night, rain, snow), a row a method and encoder.

    A section a shift and domain that has groups. Read along a row for the condition a method is
    weakest in. The two means differ: one averages the conditions' mIoU, the other counts the pixels
    of all images together. Which of them the other tables show is the suite's choice. Corruptions
    are conditions, too: each is a mean over severities, and each severity has the mean over them.
    """
    footnotes = Footnotes()
    sections = [
        _section(grid, shift, domain, names, footnotes)
        for shift in grid.shifts
        for domain in (shift.target, *shift.unseen)
        if (names := _groups(grid, shift, domain))
    ]
    sentences = [
        *measurement(grid),
        "Every column is a mean over the same classes as the domain's mIoU in the other tables.",
        *ranking(grid, "of all methods and encoders"),
        *zero_shot.caption(grid),
    ]
    return Table(
        name="conditions",
        title=f"{grid.title}: by condition",
        caption=tuple(sentences if sections else ["No domain of this suite has conditions."]),
        sections=tuple(sections),
        notes=footnotes.texts,
    )


def _groups(grid: Grid, shift: Shift, domain: Domain) -> list[str]:
    """Names of the domain's groups in any done record of the shift."""
    return sorted({name for scores in grid.scores(shift, domain) for name in scores.groups})


def _levels(grid: Grid, shift: Shift, domain: Domain) -> list[str]:
    """Names of the means at one severity in any done record of the shift."""
    means = {name for scores in grid.scores(shift, domain) for name in scores.means}
    return sorted(name for name in means if name.startswith(LEVEL))


def _section(
    grid: Grid, shift: Shift, domain: Domain, names: list[str], footnotes: Footnotes
) -> Section:
    reads: dict[str, Read] = {
        name: partial(Outcome.miou, domain=domain.name, condition=name) for name in names
    }
    means = (*_levels(grid, shift, domain), OF_GROUPS, POOLED)
    reads |= {name: partial(_mean, domain=domain.name, name=name) for name in means}
    titles = {OF_GROUPS: "mean of conditions", POOLED: "all images pooled"}
    columns = [
        Column(
            titles.get(name, name),
            Quantity(f"miou.{name}", "mIoU", decimals=1),
            (("domain", domain.name),),
            ranked=True,
        )
        for name in reads
    ]
    rows = [
        Row(
            labels=(method.title, encoder.title),
            cells=tuple(
                _cell(grid, shift, method, encoder, (column, name, reads[name]), footnotes)
                for column, name in zip(columns, reads, strict=True)
            ),
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
                zero_shot.cell(grid, shift, encoder, reads[name], footnotes, column.quantity)
                for column, name in zip(columns, reads, strict=True)
            ),
            keys=zero_shot.keys(encoder),
            ranked=False,
        )
        for encoder in zero_shot.encoders(grid, shift)
    ]
    return Section(
        f"{shift.title}, {domain.short}",
        ("Method", "Encoder"),
        tuple(columns),
        rank(rows, columns),
        keys=(("shift", shift.name),),
    )


def _cell(
    grid: Grid,
    shift: Shift,
    method: Method,
    encoder: Encoder,
    wanted: tuple[Column, str, Read],
    footnotes: Footnotes,
) -> TableCell:
    column, name, read = wanted
    sample = grid.sampled(method, encoder, shift, read, lambda _: f"score for {name}")
    return cells.over_seeds(sample, footnotes, column.quantity)


def _mean(outcome: Outcome, domain: str, name: str) -> float | None:
    metrics = outcome.metrics.get(domain)
    value = metrics.means.get(name, math.nan) if metrics is not None else math.nan
    return value if math.isfinite(value) else None
