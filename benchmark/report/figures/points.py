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


def scatter(
    grid: Grid, name: str, title: str, points: Points, labels: tuple[str, str], log: bool = False
) -> Any:
    """The drawing: a panel a shift, or one a shift and encoder where there are many encoders.

    A panel of one encoder shows the points of the others of its shift in pale grey.
    """
    from matplotlib.ticker import LogLocator

    few = len(grid.encoders) <= style.FEW
    shown: list[tuple[str, Sequence[Point], Sequence[Point]]] = []
    for shift, every in points:
        if few:
            shown.append((style.label(shift.title, 45), every, every))
            continue
        for encoder in grid.encoders:
            own: Sequence[Point] = [point for point in every if point.encoder == encoder]
            heading = style.label(encoder.title)
            if len(points) > 1:
                heading += "\n" + style.label(shift.title)
            if own:
                shown.append((heading, own, every))
    columns = min(len(shown), 2 if few else 4)
    rows = -(-len(shown) // columns)
    width = 5.4 if few and columns == 1 else style.WIDTH
    height = rows * (3.0 if few else 1.75) + (0.4 if width < 6 else 1.1)
    drawing = style.new(name, title, width, height)
    axes = style.panels(drawing, len(shown), columns)
    for panel, (heading, own, every) in zip(axes, shown, strict=True):
        panel.set_title(heading, loc="left")
        if log:
            panel.set_xscale("log", subs=[])
            panel.xaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))
            panel.xaxis.set_major_formatter("{x:g}")  # powers would need mathtext
        _draw(panel, grid, own, every)
    style.name_x(axes, columns, labels[0])
    drawing.supylabel(labels[1], fontsize=7.5)
    side = width < 6
    entries = _entries(grid, points, few)
    style.legend(drawing, entries, "right center" if side else "lower center", 1 if side else 5)
    return drawing


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
    return f"Over fewer seeds: {', '.join(named)}." if named else ""


def extremes(every: Sequence[Point]) -> Mapping[str, Point]:
    """The points with the smallest and largest x and y; ``every`` must not be empty."""
    return {
        "left": min(every, key=lambda point: point.x),
        "right": max(every, key=lambda point: point.x),
        "low": min(every, key=lambda point: point.y),
        "high": max(every, key=lambda point: point.y),
    }
