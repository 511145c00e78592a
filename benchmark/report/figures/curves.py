"""Curves of training by encoder, from the diagnostics of the records."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.cell import Cell
from benchmark.report.figures import style
from benchmark.report.grid import Encoder, Grid, Method, Shift

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMOOTHED_OVER = 1 / 20
"""Width of the running mean as a share of the curve."""


@dataclass(frozen=True)
class Curve:
    """A quantity over iterations: the mean over ``n`` seeds as recorded and smoothed.

    ``spread`` is the sample standard deviation of the smoothed curves, ``None`` for one seed. All
    arrays have one value for each of the iterations that every seed has.
    """

    method: Method
    encoder: Encoder
    iterations: NDArray[Any]
    raw: NDArray[Any]
    smooth: NDArray[Any]
    spread: NDArray[Any] | None
    n: int


def measured(grid: Grid, shift: Shift, method: Method, key: str) -> list[Curve]:
    """The curves of ``key`` by encoder; an encoder without any has none."""
    found = (_curve(grid, shift, method, encoder, key) for encoder in grid.encoders)
    return [curve for curve in found if curve is not None]


def smoothed(values: NDArray[Any]) -> NDArray[Any]:
    """The centred running mean of a curve over its finite values; shorter at the ends."""
    import numpy as np

    half = int(len(values) * SMOOTHED_OVER / 2)
    window = np.ones(2 * half + 1)
    finite = np.isfinite(values)
    sums = np.convolve(np.where(finite, values, 0.0), window)
    counts = np.convolve(finite.astype(float), window)
    keep = slice(half, half + len(values))
    means: NDArray[Any] = np.full(len(values), math.nan)
    np.divide(sums[keep], counts[keep], out=means, where=counts[keep] > 0)
    return means


def _curve(grid: Grid, shift: Shift, method: Method, encoder: Encoder, key: str) -> Curve | None:
    import numpy as np

    runs = []
    for seed in grid.seeds:
        outcome = grid.outcomes.get(Cell(method.name, encoder.name, shift.name, seed))
        if outcome is None or outcome.state != "done":
            continue
        recorded = outcome.diagnostics.get("curves", {})
        points = recorded.get(key, [])
        # A term that sets in later has fewer points: they are the last ones.
        steps = recorded.get("iteration", [])[-len(points) :] if points else []
        run = {
            step: math.nan if value is None else float(value)
            for step, value in zip(steps, points, strict=False)
        }
        if any(math.isfinite(value) for value in run.values()):
            runs.append(run)
    steps = sorted(set(runs[0]).intersection(*runs[1:])) if runs else []
    if not steps:
        return None
    values = np.array([[run[step] for step in steps] for run in runs])
    smooth = np.array([smoothed(each) for each in values])
    spread = smooth.std(axis=0, ddof=1) if len(runs) > 1 else None
    raw, mean = values.mean(axis=0), smooth.mean(axis=0)
    return Curve(method, encoder, np.array(steps), raw, mean, spread, len(runs))


def draw(grid: Grid, name: str, title: str, quantity: str, key: str) -> Any:
    """The drawing: a panel a shift and method, a line an encoder; ``None`` without curves."""
    shown = panels(grid, key)
    if not shown:
        return None
    columns = min(len(shown), 4)
    rows = -(-len(shown) // columns)
    # A single panel needs room for the title.
    width = min(style.WIDTH, max(4.0, 2.2 * columns))
    entries = _entries(grid, shown)
    legend_columns = min(len(entries), 4)
    legend_rows = -(-len(entries) // legend_columns)
    height = rows * 1.55 + 0.75 + 0.15 * legend_rows
    drawing = style.new(name, title, width, height)
    axes = style.panels(drawing, len(shown), columns)
    for panel, (shift, method, curves) in zip(axes, shown, strict=True):
        heading = [method.title, *([shift.title] if len(grid.shifts) > 1 else [])]
        style.head(panel, heading, columns)
        _panel(panel, grid, curves)
    style.name_x(axes, columns, "iteration")
    drawing.supylabel(quantity, fontsize=7.5)
    style.legend(drawing, entries, "lower center", legend_columns)
    return drawing


def panels(grid: Grid, key: str) -> list[tuple[Shift, Method, list[Curve]]]:
    """What is drawn: shift, method and the curves of its encoders, where there are any."""
    return [
        (shift, method, curves)
        for shift in grid.shifts
        for method in grid.methods
        if (curves := measured(grid, shift, method, key))
    ]


def _panel(axes: Any, grid: Grid, curves: list[Curve]) -> None:
    import numpy as np

    looks = style.encoder_looks(grid)
    for curve in curves:
        look = looks[curve.encoder.name]
        axes.plot(curve.iterations, curve.raw, color=look.colour, alpha=0.25, linewidth=0.5)
        if curve.spread is not None:
            low, high = curve.smooth - curve.spread, curve.smooth + curve.spread
            axes.fill_between(
                curve.iterations, low, high, color=look.colour, alpha=0.2, linewidth=0
            )
        axes.plot(
            curve.iterations, curve.smooth, color=look.colour, linestyle=look.line,
            label=f"{curve.method.name}/{curve.encoder.name}",
        )  # fmt: skip
    # Single spikes of a raw curve may leave the panel: the smoothed one must be readable.
    highest = max(float(np.nanmax(curve.smooth + _or_zero(curve.spread))) for curve in curves)
    lowest = min(float(np.nanmin(curve.smooth - _or_zero(curve.spread))) for curve in curves)
    if highest > lowest:
        margin = 0.12 * (highest - lowest)
        axes.set_ylim(min(0.0, lowest - margin) if lowest < 0 else 0.0, highest + margin)


def _or_zero(spread: Any) -> Any:
    return 0.0 if spread is None else spread


def _entries(grid: Grid, shown: list[tuple[Shift, Method, list[Curve]]]) -> list[tuple[str, Any]]:
    """The encoders that have a line in any panel."""
    from matplotlib.lines import Line2D

    drawn = {curve.encoder.name for *_, curves in shown for curve in curves}
    looks = style.encoder_looks(grid)
    return [
        (
            style.label(encoder.title),
            Line2D([], [], color=looks[encoder.name].colour, linestyle=looks[encoder.name].line),
        )
        for encoder in grid.encoders
        if encoder.name in drawn
    ]


def sentences(grid: Grid, key: str) -> list[str]:
    """What each curve does, in words: its first and its last smoothed value."""
    return [
        f"{method.title}, {curve.encoder.title}, {shift.title}: from {curve.smooth[0]:.3g} to "
        f"{curve.smooth[-1]:.3g}."
        for shift, method, curves in panels(grid, key)
        for curve in curves
    ]


def explained(grid: Grid) -> str:
    """How to read the lines."""
    spread = ", the band one standard deviation" if len(grid.seeds) > 1 else ""
    share = f"{SMOOTHED_OVER:.0%}".replace("%", " %")
    return (
        f"Lines are running means over {share} of the training and means over seeds{spread}; "
        "the values as recorded are pale."
    )
