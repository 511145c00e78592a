"""What training costs: time, memory and size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

from benchmark.records import Cost, DomainMetrics
from benchmark.report.grid import Encoder, Grid, Method, Outcome, Shift
from benchmark.report.model import Column, Footnotes, Quantity, Row, Section, Table, TableCell
from benchmark.report.tables import cells
from benchmark.report.tables.wording import row_keys

Metrics = Mapping[str, DomainMetrics]


def _scoring(cost: Cost, metrics: Metrics) -> float:
    """Seconds of the evaluation for each of its images."""
    images = sum(each.images for each in metrics.values())
    return cost.evaluation_seconds / images if images else math.nan


def _device_hours(cost: Cost, _: Metrics) -> float:
    """Of a cell as its record has them; ``Outcome.device_hours`` knows whether they are all."""
    return cost.device_hours


MEASURED: tuple[tuple[Quantity, Callable[[Cost, Metrics], float]], ...] = (
    (Quantity("seconds_per_iteration", "s/iter", 3), lambda cost, _: cost.seconds_per_iteration),
    (Quantity("images_per_second", "images/s", 1), lambda cost, _: cost.images_per_second),
    (Quantity("scoring_seconds_per_image", "scoring s/image", 3), _scoring),
    (Quantity("peak_memory_mib", "peak memory (MiB)", 0), lambda cost, _: cost.peak_memory_mib),
    (Quantity("parameters_m", "parameters (M)", 2), lambda cost, _: cost.parameters / 1e6),
    (Quantity("trainable_m", "trainable (M)", 2), lambda cost, _: cost.trainable_parameters / 1e6),
    (Quantity("device_hours", "device hours", 3), _device_hours),
)
"""What a record measures, in the order of the columns."""
SIZES = ("parameters_m", "trainable_m")
"""Quantities that no seed changes: they have no spread."""


def overhead(grid: Grid) -> Table:
    """Time, memory and size of every method and encoder, a section a shift.

    Means over seeds. Nothing is ranked: the cheapest training is none. Compare rows only where the
    caption names a single machine. GMACs are those of the encoder alone, from its card; where the
    suite asks for this table by name, they are shown before anything is run.
    """
    footnotes = Footnotes()
    known = any(encoder.card.get("gmacs") for encoder in grid.encoders)
    asked = "overhead" in grid.tables and known
    shifts = [shift for shift in grid.shifts if asked or _costs(grid, shift)]
    return Table(
        name="overhead",
        title=f"{grid.title}: cost of training",
        caption=_caption(grid) if shifts else ("No record says what it cost.",),
        sections=tuple(_section(grid, shift, footnotes) for shift in shifts),
        notes=footnotes.texts,
    )


def _costs(grid: Grid, shift: Shift) -> bool:
    return any(
        outcome.state == "done" and outcome.cost is not None
        for cell, outcome in grid.outcomes.items()
        if cell.shift == shift.name
    )


def _caption(grid: Grid) -> tuple[str, ...]:
    """What was measured, and on which machines."""
    machines = sorted({_machine(o) for o in grid.outcomes.values() if o.state == "done" and o.cost})
    spread = " ± sample standard deviation" if len(grid.seeds) > 1 else ""
    sentences = [f"Mean{spread} over {len(grid.seeds)} seed{'s' if spread else ''}."]
    sentences.append("Memory is the largest that a process held during training.")
    sentences.append("Scoring is the whole evaluation by its images, reading them included.")
    if any(encoder.card.get("gmacs") for encoder in grid.encoders):
        sentences.append("GMACs are the encoder's alone, for one square image of that side.")
    sentences.append(f"Measured on {'; '.join(machines)}." if machines else "Nothing is measured.")
    if len(machines) > 1:
        sentences.append("Several machines: times of different rows do not compare.")
    return tuple(sentences)


def _machine(outcome: Outcome) -> str:
    """Device, processor and threads of one record in words."""
    told = outcome.provenance
    devices = [str(each) for each in told.get("devices", ())]
    names = sorted({each for each in devices if each != "cpu"})
    if names:
        return ", ".join(f"{devices.count(name)} x {name}" for name in names)
    threads = told.get("threads")
    ending = f" with {threads} thread{'' if threads == 1 else 's'}" if threads else ""
    return f"{told.get('processor') or 'an unknown processor'}{ending}"


def _section(grid: Grid, shift: Shift, footnotes: Footnotes) -> Section:
    sides = sorted({side for encoder in grid.encoders for side in encoder.card.get("gmacs") or ()})
    counted = [(side, Quantity(f"gmacs_{side}", f"GMACs at {side}", 1)) for side in sides]
    columns = [Column(quantity.title, quantity) for quantity, _ in MEASURED]
    columns += [Column(quantity.title, quantity) for _, quantity in counted]
    rows = [
        Row(
            (method.title, encoder.title),
            (
                *_measured(grid, shift, method, encoder, footnotes),
                *(_counted(encoder, side, quantity) for side, quantity in counted),
            ),
            row_keys(method, encoder),
            ranked=False,
        )
        for method in grid.methods
        for encoder in grid.encoders
    ]
    return Section(
        shift.title,
        ("Method", "Encoder"),
        tuple(columns),
        tuple(rows),
        keys=(("shift", shift.name),),
    )


def _measured(
    grid: Grid, shift: Shift, method: Method, encoder: Encoder, footnotes: Footnotes
) -> list[TableCell]:
    found = []
    for quantity, of_cost in MEASURED:

        def read(outcome: Outcome, of: Callable[[Cost, Metrics], float] = of_cost) -> float | None:
            if of is _device_hours:
                return outcome.device_hours
            value = of(outcome.cost, outcome.metrics) if outcome.cost is not None else math.nan
            return value if math.isfinite(value) else None

        sample = grid.sampled(method, encoder, shift, read, _lacking)
        cell = cells.over_seeds(sample, footnotes, quantity)
        spread = None if quantity.name in SIZES else cell.spread
        found.append(dataclasses.replace(cell, spread=spread))
    return found


def _lacking(outcome: Outcome) -> str:
    return "device time before it was resumed" if outcome.cost is not None else "cost"


def _counted(encoder: Encoder, side: int, quantity: Quantity) -> TableCell:
    value = (encoder.card.get("gmacs") or {}).get(side)
    if value is None:
        return TableCell(quantity, "inapplicable")
    return TableCell(quantity, "done", value=float(value), n=1, expected=1)
