"""Scatter plots of two quantities: a point a method and encoder, marker by method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.report.figures import style
from benchmark.report.grid import Encoder, Grid, Method, Shift


@dataclass(frozen=True)
class Point:
    """Means over ``n`` seeds and their sample standard deviations (``None`` for one seed)."""

    method: Method
    encoder: Encoder
    x: float
    y: float
    x_spread: float | None
    y_spread: float | None
    n: int


Points = Sequence[tuple[Shift, Sequence[Point]]]
MOST_NAMED = 6
"""Points over fewer seeds that a caption names before it counts them."""


def scatter(
    grid: Grid,
    name: str,
    title: str,
    points: Points,
    labels: tuple[str, str],
    *,
    log: bool = False,
    words: Mapping[str, str] = {},
) -> Any:
    """The drawing: a panel a shift, or one a shift and encoder where there are many encoders.

    A panel of one encoder shows the points of the others of its shift in pale grey. ``words`` are
    written into the panel of a whole shift, by its name.
    """
    few = len(grid.encoders) <= style.FEW
    shown = _panels(grid, points, few)
    columns = min(len(shown), 2 if few else 4)
    rows = -(-len(shown) // columns)
    side = few and columns == 1
    height = rows * (3.0 if few else 1.75) + (0.4 if side else 1.1)
    drawing = style.new(name, title, 5.4 if side else style.WIDTH, height)
    axes = style.panels(drawing, len(shown), columns)
    for panel, (shift, heading, own, every) in zip(axes, shown, strict=True):
        style.head(panel, heading, columns)
        _draw(panel, grid, own, every)
        if log:
            _log(panel)
        if few:
            panel.text(
                0.03, 0.97, words.get(shift.name, ""), va="top", transform=panel.transAxes
            )  # fmt: skip
    style.name_x(axes, columns, labels[0])
    drawing.supylabel(labels[1], fontsize=7.5)
    entries = _entries(grid, points, few)
    style.legend(drawing, entries, "right center" if side else "lower center", 1 if side else 5)
    return drawing


def _panels(
    grid: Grid, points: Points, few: bool
) -> list[tuple[Shift, list[str], Sequence[Point], Sequence[Point]]]:
    """Shift, lines of the heading, the points of the panel and all points of the shift."""
    if few:
        return [(shift, [shift.title], every, every) for shift, every in points]
    shown: list[tuple[Shift, list[str], Sequence[Point], Sequence[Point]]] = []
    for shift, every in points:
        for encoder in grid.encoders:
            own = [point for point in every if point.encoder == encoder]
            heading = [encoder.title, *([shift.title] if len(points) > 1 else [])]
            if own:
                shown.append((shift, heading, own, every))
    return shown


def _log(axes: Any) -> None:
    from matplotlib.ticker import LogLocator

    axes.set_xscale("log", subs=[])
    axes.xaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))
    axes.xaxis.set_major_formatter("{x:g}")  # powers would need mathtext


def _draw(axes: Any, grid: Grid, own: Sequence[Point], every: Sequence[Point]) -> None:
    looks, markers = style.encoder_looks(grid), style.method_markers(grid)
    others = [point for point in every if point not in own]
    axes.scatter(
        [point.x for point in others],
        [point.y for point in others],
        s=7, color=style.PALE, linewidths=0, gid="others", zorder=1,
    )  # fmt: skip
    for point in own:
        colour = looks[point.encoder.name].colour
        axes.errorbar(
            [point.x],
            [point.y],
            xerr=None if point.x_spread is None else [point.x_spread],
            yerr=None if point.y_spread is None else [point.y_spread],
            fmt=markers[point.method.name],
            color=colour,
            markerfacecolor=style.face(point.method, colour),
            markeredgewidth=0.9,
            markersize=5.5,
            elinewidth=0.7,
            label=f"{point.method.name}/{point.encoder.name}",
        )


def _entries(grid: Grid, points: Points, encoders: bool) -> list[tuple[str, Any]]:
    from matplotlib.lines import Line2D

    drawn = [point for _, every in points for point in every]
    looks, markers = style.encoder_looks(grid), style.method_markers(grid)
    nothing: dict[str, Any] = {"linestyle": "None", "marker": "None"}
    entries: list[tuple[str, Any]] = []
    if encoders:
        entries.append(("Encoder", Line2D([], [], **nothing)))
        entries += [
            (
                style.label(encoder.title),
                Line2D([], [], linestyle="None", marker="s", color=looks[encoder.name].colour),
            )
            for encoder in grid.encoders
            if any(point.encoder == encoder for point in drawn)
        ]
    entries.append(("Method", Line2D([], [], **nothing)))
    entries += [
        (
            style.label(method.title),
            Line2D(
                [], [], linestyle="None", marker=markers[method.name], color=style.GREY,
                markerfacecolor=style.face(method, style.GREY), markersize=5.5,
            ),
        )
        for method in grid.methods
        if any(point.method == method for point in drawn)
    ]  # fmt: skip
    return entries


def partial(grid: Grid, points: Points) -> str:
    """A sentence that names the points which stand for fewer seeds, empty if there is none."""
    named = [
        f"{point.method.title} with {point.encoder.title} ({point.n} of {len(grid.seeds)})"
        for _, every in points
        for point in every
        if point.n < len(grid.seeds)
    ]
    if len(named) > MOST_NAMED:
        total = sum(len(every) for _, every in points)
        return f"{len(named)} of {total} points stand for fewer than {len(grid.seeds)} seeds."
    return f"Over fewer seeds: {', '.join(named)}." if named else ""


def extremes(every: Sequence[Point]) -> Mapping[str, Point]:
    """The points with the smallest and largest x and y; ``every`` must not be empty."""
    return {
        "left": min(every, key=lambda point: point.x),
        "right": max(every, key=lambda point: point.x),
        "low": min(every, key=lambda point: point.y),
        "high": max(every, key=lambda point: point.y),
    }
