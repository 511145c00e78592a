"""Figure: what a result costs, device time of a cell against its target mIoU."""

from __future__ import annotations

import dataclasses
from typing import Any

from benchmark.cell import Cell
from benchmark.report.figures import style
from benchmark.report.figures.model import Figure, save
from benchmark.report.figures.points import Point, extremes, partial, scatter
from benchmark.report.grid import Encoder, Grid, Method, Shift
from benchmark.report.model import MIOU, one_line
from benchmark.report.statistics import seeds as stats
from benchmark.report.tables.wording import measurement

NAME = "cost"
TITLE = "mIoU on the target against device time"
WIDE = 8.0
"""Ratio of the dearest to the cheapest from which the axis of the cost is logarithmic."""


def cost(grid: Grid) -> Figure | None:
    """Target mIoU over device time of a cell; ``None`` where no done cell has a cost."""
    points = measured(grid)
    if not points:
        return None
    unit, factor = _unit(points)
    with style.styled():
        files = save(draw(grid))
    caption = [
        *measurement(grid),
        f"Device time of one run, training and evaluation, in {unit}, of the device it ran on.",
        *(["Bars: one standard deviation over seeds."] if len(grid.seeds) > 1 else []),
        partial(grid, points),
    ]
    alt = [f"Scatter plot, device {unit} across and target mIoU up."]
    for shift, every in points:
        found = extremes(every)
        ends = [
            f"{found[key].x * factor:.3g} {unit} ({found[key].method.title}, "
            f"{found[key].encoder.title}, {MIOU.format(found[key].y)} %)"
            for key in ("left", "right")
        ]
        high = found["high"]
        alt.append(
            f"{shift.title}: from {ends[0]} to {ends[1]}; highest mIoU {MIOU.format(high.y)} % "
            f"({high.method.title}, {high.encoder.title})."
        )
    title = one_line(f"{grid.title}: {TITLE}")
    return Figure(NAME, title, " ".join(filter(None, caption)), one_line(" ".join(alt)), files)


def measured(grid: Grid) -> list[tuple[Shift, list[Point]]]:
    """The points of every shift that has any; x in device hours."""
    found = []
    for shift in grid.shifts:
        points = [
            point
            for method in grid.methods
            for encoder in grid.encoders
            if (point := _point(grid, shift, method, encoder)) is not None
        ]
        if points:
            found.append((shift, points))
    return found


def draw(grid: Grid) -> Any:
    """The drawing itself, unsaved; x in hours, or in minutes where no cell took an hour."""
    found = measured(grid)
    unit, factor = _unit(found)
    scaled = [(shift, [_times(point, factor) for point in every]) for shift, every in found]
    xs = [point.x for _, every in scaled for point in every]
    labels = f"device time of a run ({unit})", "mIoU on the target (%)"
    return scatter(grid, NAME, TITLE, scaled, labels, log=max(xs) / min(xs) > WIDE)


def _times(point: Point, factor: float) -> Point:
    spread = None if point.x_spread is None else point.x_spread * factor
    return dataclasses.replace(point, x=point.x * factor, x_spread=spread)


def _unit(points: Any) -> tuple[str, float]:
    longest = max(point.x for _, every in points for point in every)
    return ("hours", 1.0) if longest >= 1 else ("minutes", 60.0)


def _point(grid: Grid, shift: Shift, method: Method, encoder: Encoder) -> Point | None:
    scores = grid.sample(method, encoder, shift, (shift.target,)).values
    hours = {}
    for seed in scores:
        outcome = grid.outcomes[Cell(method.name, encoder.name, shift.name, seed)]
        spent = outcome.device_hours
        if spent is not None and spent > 0:
            hours[seed] = spent
    if not hours:
        return None
    kept = stats.restrict(scores, hours)
    return Point(
        method, encoder, stats.mean(hours), stats.mean(kept),
        stats.spread(hours), stats.spread(kept), len(hours),
    )  # fmt: skip
