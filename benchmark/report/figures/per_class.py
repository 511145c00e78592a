"""Figure: IoU of every class on the target as a heat map, a row a method."""

from __future__ import annotations

import math
from typing import Any

from benchmark.cell import Cell
from benchmark.report.figures import style
from benchmark.report.figures.model import Figure, save
from benchmark.report.grid import Encoder, Grid, Method, Shift
from benchmark.report.model import MIOU, one_line
from benchmark.report.statistics import seeds as stats
from benchmark.report.tables.wording import measurement

NAME = "per_class"
TITLE = "IoU of each class on the target"
UNKNOWN = (255, 255, 255)
Panel = tuple[Shift, Encoder]


def per_class(grid: Grid) -> Figure | None:
    """IoU by class and method, a panel a shift and encoder; ``None`` where no cell has any."""
    found, names = _panels(grid), classes(grid)
    if not found:
        return None
    with style.styled():
        files = save(draw(grid))
    caption = [
        *measurement(grid),
        "IoU in %, mean over seeds; the square above a class has its Cityscapes colour.",
        "Hatched: no result, or the class never occurs in the ground truth.",
    ]
    alt = ["Heat map of IoU in percent, rows are methods and columns are classes."]
    for shift, encoder in found:
        rows = [values(grid, method, encoder, shift) for method in grid.methods]
        means = {
            name: stats.mean(dict(enumerate(having)))
            for name in names
            if (having := [row[name] for row in rows if name in row])
        }
        best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
        alt.append(
            f"{shift.title}, {encoder.title}: averaged over methods, highest for {best} "
            f"({MIOU.format(means[best])}), lowest for {worst} ({MIOU.format(means[worst])})."
        )
    title = one_line(f"{grid.title}: {TITLE}")
    return Figure(NAME, title, " ".join(caption), one_line(" ".join(alt)), files)


def values(grid: Grid, method: Method, encoder: Encoder, shift: Shift) -> dict[str, float]:
    """IoU in percent by class on the target, the mean over the done seeds that have one."""
    found: dict[str, dict[int, float]] = {}
    for seed in grid.seeds:
        outcome = grid.outcomes.get(Cell(method.name, encoder.name, shift.name, seed))
        if outcome is None or outcome.state != "done" or shift.target.name not in outcome.metrics:
            continue
        for name, iou in outcome.metrics[shift.target.name].per_class_iou.items():
            if iou is not None and math.isfinite(iou):
                found.setdefault(name, {})[seed] = iou
    return {name: stats.mean(by_seed) for name, by_seed in found.items()}


def classes(grid: Grid) -> list[str]:
    """Class names of all targets: those of Cityscapes in its order, then any others."""
    from mmseg_ext.datasets.classes import CLASSES

    targets = {shift.target.name for shift in grid.shifts}
    named = {
        name
        for outcome in grid.outcomes.values()
        if outcome.state == "done"
        for domain, scores in outcome.metrics.items()
        if domain in targets
        for name in scores.per_class_iou
    }
    known = [name for name in CLASSES if name in named]
    return known + sorted(named - {*known})


def _panels(grid: Grid) -> list[Panel]:
    return [
        (shift, encoder)
        for shift in grid.shifts
        for encoder in grid.encoders
        if any(values(grid, method, encoder, shift) for method in grid.methods)
    ]


def draw(grid: Grid) -> Any:
    """The drawing itself, unsaved; numbers are printed where the panels are wide."""
    shown, names = _panels(grid), classes(grid)
    few = len(grid.encoders) <= style.FEW
    # As many as encoders where they fit: then a row is a shift.
    columns = 1 if few else 4 if len(grid.encoders) == 4 else 3
    rows = -(-len(shown) // columns)
    height = 0.8 + rows * (0.3 + (0.17 if few else 0.11) * (len(grid.methods) + 1)) + 0.75
    drawing = style.new(NAME, TITLE, style.WIDTH, height)
    axes = style.panels(drawing, len(shown), columns)
    mesh, small = None, 7 if few else 5 if columns == 3 else 4.5
    for index, (panel, (shift, encoder)) in enumerate(zip(axes, shown, strict=True)):
        heading = [encoder.title, *([shift.title] if len(grid.shifts) > 1 else [])]
        style.head(panel, [", ".join(heading)] if few else heading, columns)
        mesh = _heat(panel, grid, shift, encoder, names, few)
        last_row = index + columns >= len(shown)
        panel.set_xticklabels(names if last_row else [], rotation=90, fontsize=small)
        if index % columns:
            panel.set_yticklabels([])
    if mesh is not None:
        bar = drawing.colorbar(mesh, ax=axes, shrink=0.5 if rows > 2 else 0.9, aspect=25, pad=0.01)
        bar.set_label("IoU (%)")
        bar.outline.set_visible(False)
    return drawing


def _heat(
    axes: Any, grid: Grid, shift: Shift, encoder: Encoder, names: list[str], numbers: bool
) -> Any:
    import numpy as np

    found = [values(grid, method, encoder, shift) for method in grid.methods]
    matrix = np.array([[row.get(name, math.nan) for name in names] for row in found])
    axes.set_facecolor("#F4F4F4")
    axes.patch.set(hatch="//////", edgecolor="#BBBBBB", linewidth=0)
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(matrix), cmap="cividis", vmin=0, vmax=100, edgecolors="white",
        linewidth=0.4,
    )  # fmt: skip
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=2)
    axes.set_ylim(len(found), -0.9)
    axes.set_xticks([column + 0.5 for column in range(len(names))])
    small = 7 if numbers else 5
    axes.set_yticks(
        [row + 0.5 for row in range(len(found))],
        [style.label(method.title, 24) for method in grid.methods],
        fontsize=small,
    )
    _swatches(axes, names)
    for row, column in np.argwhere(np.isfinite(matrix)) if numbers else ():
        value = matrix[row, column]
        axes.text(
            column + 0.5, row + 0.53, f"{value:.0f}", ha="center", va="center", fontsize=6,
            color="white" if value < 55 else "black",
        )  # fmt: skip
    return mesh


def _swatches(axes: Any, names: list[str]) -> None:
    from matplotlib.patches import Rectangle

    from mmseg_ext.datasets.classes import CLASSES, PALETTE

    colours = dict(zip(CLASSES, PALETTE, strict=True))
    axes.add_patch(Rectangle((0, -1), len(names), 1, facecolor="white", zorder=1))
    for column, name in enumerate(names):
        colour = [channel / 255 for channel in colours.get(name, UNKNOWN)]
        axes.add_patch(
            Rectangle(
                (column + 0.15, -0.75), 0.7, 0.55, facecolor=colour, edgecolor="black",
                linewidth=0.3, zorder=2, gid="swatch",
            )
        )  # fmt: skip
