"""The figures of a suite, a module each, drawn from the measured grid by matplotlib."""

from __future__ import annotations

from collections.abc import Callable

from benchmark.report.figures.cost import cost
from benchmark.report.figures.feature_distance import feature_distance
from benchmark.report.figures.gains import gains
from benchmark.report.figures.losses import losses
from benchmark.report.figures.model import Figure
from benchmark.report.figures.panels import panels
from benchmark.report.figures.per_class import per_class
from benchmark.report.figures.target_unseen import target_unseen
from benchmark.report.gather import PlanLike
from benchmark.report.grid import Grid

__all__ = ["FIGURES", "Figure", "build"]

FIGURES: tuple[Callable[[Grid], Figure | None], ...] = (
    target_unseen,
    gains,
    per_class,
    losses,
    feature_distance,
    cost,
)


def build(plan: PlanLike, grid: Grid) -> tuple[Figure, ...]:
    """Every figure that has something to show, in the order of the report."""
    drawn = (draw(grid) for draw in FIGURES)
    return (*(figure for figure in drawn if figure is not None), *panels(plan, grid))
