"""Figure: does what helps on the target help on domains that nobody trained on?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmark.report.figures import style
from benchmark.report.figures.model import Figure, save
from benchmark.report.figures.points import Point, extremes, partial, scatter
from benchmark.report.grid import Grid, Shift
from benchmark.report.model import MIOU, one_line
from benchmark.report.statistics import seeds as stats
from benchmark.report.statistics.correlation import Coefficient, rank_correlation
from benchmark.report.tables.wording import measurement

NAME = "target_unseen"
TITLE = "Mean mIoU on unseen domains against mIoU on the target"


def target_unseen(grid: Grid) -> Figure | None:
    """Mean unseen mIoU over target mIoU, a panel a shift; ``None`` without unseen domains."""
    points = measured(grid)
    if not points:
        return None
    with style.styled():
        files = save(draw(grid))
    caption = [
        *measurement(grid),
        "Each point is one method with one encoder; hollow markers are trained with target labels.",
        *(["Bars: one standard deviation over seeds."] if len(grid.seeds) > 1 else []),
        "Only seeds with a score on the target and on all unseen domains count.",
        "Rank correlations are over all points of a shift but hollow ones; in brackets the 95 % "
        "interval over drawn points, as if methods with a common encoder were independent.",
        partial(grid, points),
    ]
    alt = ["Scatter plot, target mIoU across and mean mIoU of the unseen domains up."]
    alt += [
        " ".join(filter(None, [_sentence(shift, every), correlation(every).replace("\n", ", ")]))
        for shift, every in points
    ]
    title = one_line(f"{grid.title}: {TITLE}")
    return Figure(NAME, title, " ".join(filter(None, caption)), " ".join(alt), files)


def measured(grid: Grid) -> list[tuple[Shift, list[Point]]]:
    """The points of every shift that has any."""
    found = []
    for shift in grid.shifts:
        points = [
            point
            for method in grid.methods
            for encoder in grid.encoders
            if shift.unseen and (point := _point(grid, shift, method, encoder)) is not None
        ]
        if points:
            found.append((shift, points))
    return found


def draw(grid: Grid) -> Any:
    """The drawing itself, unsaved."""
    labels = "mIoU on the target (%)", "mean mIoU on unseen domains (%)"
    points = measured(grid)
    words = {shift.name: correlation(every) for shift, every in points}
    return scatter(grid, NAME, TITLE, points, labels, words=words)


def correlation(every: Sequence[Point]) -> str:
    """Rank correlations of target and unseen mIoU over the points but for those of oracles.

    Empty where too few points, or equal ones, leave nothing to rank.
    """
    kept = [point for point in every if point.method.role != "oracle"]
    found = rank_correlation([point.x for point in kept], [point.y for point in kept])
    if found is None:
        return ""
    return f"Spearman ρ = {_told(found.spearman)}\nKendall τ = {_told(found.kendall)}"


def _told(found: Coefficient) -> str:
    if found.interval is None:
        return f"{found.value:.2f}"
    low, high = found.interval
    return f"{found.value:.2f} [{low:.2f}, {high:.2f}]"


def _point(grid: Grid, shift: Shift, method: Any, encoder: Any) -> Point | None:
    target = grid.sample(method, encoder, shift, (shift.target,)).values
    unseen = grid.sample(method, encoder, shift, shift.unseen).values
    seeds = stats.common(target, unseen)
    if not seeds:
        return None
    x, y = stats.restrict(target, seeds), stats.restrict(unseen, seeds)
    return Point(
        method, encoder, stats.mean(x), stats.mean(y), stats.spread(x), stats.spread(y), len(seeds)
    )


def _sentence(shift: Shift, every: list[Point]) -> str:
    found = extremes(every)
    low, high, right = found["low"], found["high"], found["right"]
    return one_line(
        f"{shift.title}: {len(every)} points; target from {MIOU.format(found['left'].x)} to "
        f"{MIOU.format(right.x)} % ({right.method.title}, {right.encoder.title}), unseen from "
        f"{MIOU.format(low.y)} to {MIOU.format(high.y)} % ({high.method.title}, "
        f"{high.encoder.title})."
    )
