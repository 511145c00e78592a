"""Figure: the loss that ties features to those of the pre-trained encoder, by encoder."""

from __future__ import annotations

from typing import Any

from benchmark.report.figures import curves, style
from benchmark.report.figures.model import Figure, save
from benchmark.report.grid import Grid
from benchmark.report.model import one_line

NAME = "feature_distance"
TITLE = "Feature-distance loss by encoder"
KEY = "loss_feature_distance"


def feature_distance(grid: Grid) -> Figure | None:
    """Feature-distance loss by encoder; ``None`` where no record has it."""
    if not curves.panels(grid, KEY):
        return None
    with style.styled():
        files = save(draw(grid))
    caption = f"{TITLE}, without unit. {curves.explained(grid)}"
    alt = one_line(f"Line plots over iterations. {' '.join(curves.sentences(grid, KEY))}")
    return Figure(NAME, one_line(f"{grid.title}: {TITLE}"), caption, alt, files)


def draw(grid: Grid) -> Any:
    """The drawing itself, unsaved."""
    return curves.draw(grid, NAME, TITLE, "feature-distance loss", KEY)
