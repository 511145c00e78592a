"""Figures: example images, ground truth, what each method predicts, and where it is wrong."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.report import panels as stored
from benchmark.report.figures import style
from benchmark.report.figures.model import Figure, save
from benchmark.report.gather import PlanLike
from benchmark.report.grid import Domain, Encoder, Grid, Method, Shift
from benchmark.report.model import one_line
from benchmark.report.panels import Panel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WRONG, RIGHT = "#D55E00", "#D8D8D8"
LARGEST_SVG = 1_500_000
WIDTHS = (256, 192, 128, 96, 64)
"""Pixels of a picture at most; the first at which the figure is not too large is taken."""
HEADING, LEFT, GAP, EDGE = 0.36, 0.18, 0.05, 0.02
"""Inches: above and beside the pictures, between rows, and between pictures."""
PER_LINE = 8
"""Classes in a line of the legend."""


@dataclass(frozen=True)
class Row:
    """The first image of a domain or of a group of its images, and what some methods predict."""

    domain: Domain
    panel: Panel
    predictions: Mapping[str, bytes]

    @property
    def label(self) -> str:
        """What the figure calls the row."""
        return self.panel.group or self.domain.short


def panels(plan: PlanLike, grid: Grid) -> tuple[Figure, ...]:
    """A figure for each shift and encoder of which examples are on disk."""
    found = stored.gather(plan)
    figures = []
    for shift in grid.shifts:
        for encoder in grid.encoders:
            rows = _rows(grid, shift, encoder, found)
            if rows:
                figures.append(_figure(grid, shift, encoder, rows))
    return tuple(figures)


def _rows(grid: Grid, shift: Shift, encoder: Encoder, found: Sequence[Panel]) -> list[Row]:
    """Rows of the target and the unseen domains, in the order of the tables' columns."""
    shown = {domain.name: domain for domain in (shift.target, *shift.unseen)}
    rows: dict[tuple[str, str], Row] = {}
    for panel in found:
        seeds: dict[str, tuple[int, bytes]] = {}
        for each in panel.predictions:
            if (each.shift, each.encoder) != (shift.name, encoder.name):
                continue
            if each.method not in seeds or each.seed < seeds[each.method][0]:
                seeds[each.method] = (each.seed, each.png)
        key = panel.domain, panel.group
        if seeds and key not in rows and panel.domain in shown:
            predictions = {method: png for method, (_, png) in seeds.items()}
            rows[key] = Row(shown[panel.domain], panel, predictions)
    return [rows[key] for name in shown for key in sorted(rows) if key[0] == name]


def _figure(grid: Grid, shift: Shift, encoder: Encoder, rows: Sequence[Row]) -> Figure:
    name = "panels-" + re.sub(r"[^\w.-]+", "-", f"{shift.name}-{encoder.name}")
    title = f"Predictions with {encoder.title}, {shift.title}"
    methods = _methods(grid, rows)
    for width in WIDTHS:
        with style.styled():
            files = save(draw(name, title, methods, rows, width))
        if len(files["svg"]) <= LARGEST_SVG:
            break
    shown = ", ".join(row.label for row in rows)
    what = "domain or condition" if any(row.panel.group for row in rows) else "domain"
    caption = (
        f"{title}. A row shows one fixed image of a {what} ({shown}), its ground truth and the "
        "predictions of the first seed; below each prediction its wrong pixels in orange, pixels "
        "that are not scored in white. The images were chosen by their place in the data set."
    )
    alt = (
        f"Rows: {shown}. Columns: image, ground truth, "
        + ", ".join(method.title for method in methods)
        + ". Wrong pixels: "
        + "; ".join(_told(row, methods) for row in rows)
        + "."
    )
    return Figure(name, one_line(f"{grid.title}: {title}"), caption, one_line(alt), files)


def _methods(grid: Grid, rows: Sequence[Row]) -> list[Method]:
    return [each for each in grid.methods if any(each.name in row.predictions for row in rows)]


def _told(row: Row, methods: Sequence[Method]) -> str:
    truth = _ids(row.panel.truth)
    shares = [
        f"{method.title} {100 * _errors(truth, _ids(row.predictions[method.name])):.0f} %"
        for method in methods
        if method.name in row.predictions
    ]
    return f"{row.label}: {', '.join(shares)}"


def draw(name: str, title: str, methods: Sequence[Method], rows: Sequence[Row], width: int) -> Any:
    """The drawing itself, unsaved; pictures are at most ``width`` pixels wide.

    All pictures are in one pair of axes, in inches from the upper left corner: a pair for each of
    a hundred pictures takes seconds to draw.
    """
    from matplotlib.figure import Figure as Drawing

    height, full = _ids(rows[0].panel.truth).shape
    wide = (style.WIDTH - LEFT) / (2 + len(methods))
    tall = wide * min(height / full, 1.2)
    lines = -(-(len(_classes(rows)) + 1) // PER_LINE)
    total = HEADING + len(rows) * (2 * tall + GAP) + 0.12 + 0.115 * lines
    drawing = Drawing(figsize=(style.WIDTH, total), label=name)
    drawing.suptitle(title, x=0.01, y=1 - 0.03 / total, ha="left", va="top")
    axes = drawing.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, style.WIDTH), ylim=(total, 0))
    axes.set_axis_off()
    for column in range(2 + len(methods)):
        middle = LEFT + (column + 0.5) * wide
        size = 6 if len(methods) < 8 else 5
        heading = _heading(column, methods, int(wide * 72 / (0.58 * size)))
        axes.text(middle, HEADING - 0.03, heading, ha="center", fontsize=size, linespacing=1)
    for index, row in enumerate(rows):
        top = HEADING + index * (2 * tall + GAP)
        axes.text(
            LEFT - 0.04, top + tall / 2, style.label(row.label, 14), rotation=90,
            ha="right", va="center", fontsize=6,
        )  # fmt: skip
        for column, pair in enumerate(_pictures(row, methods, width)):
            left = LEFT + column * wide
            for place, picture in enumerate(pair):
                if picture is not None:
                    upper = top + place * tall
                    box = (left, left + wide - EDGE, upper + tall - EDGE, upper)
                    axes.imshow(picture, extent=box, interpolation="none", aspect="auto")
    axes.set(xlim=(0, style.WIDTH), ylim=(total, 0))  # each picture has moved them
    _legend(drawing, rows)
    return drawing


def _heading(column: int, methods: Sequence[Method], longest: int) -> str:
    """A title above its pictures, in two lines of ``longest`` letters where one does not do."""
    title = ("image", "ground truth")[column] if column < 2 else methods[column - 2].title
    lines = textwrap.wrap(style.label(title), longest)
    return "\n".join(style.label(line, longest) for line in (lines[0], " ".join(lines[1:])) if line)


def _pictures(row: Row, methods: Sequence[Method], width: int) -> Iterator[tuple[Any, Any]]:
    """Upper and lower picture of each column."""
    truth = _small(_ids(row.panel.truth), width)
    yield _photograph(row.panel.image, truth.shape[1], truth.shape[0]), None
    yield _coloured(truth), None
    for method in methods:
        if method.name not in row.predictions:
            yield None, None
            continue
        prediction = _small(_ids(row.predictions[method.name]), width)
        yield _coloured(prediction), _error_map(truth, prediction)


def _legend(drawing: Any, rows: Sequence[Row]) -> None:
    from matplotlib.patches import Patch

    from mmseg_ext.datasets.classes import CLASSES, PALETTE

    entries = [
        Patch(color=f"#{bytes(PALETTE[each]).hex()}", label=CLASSES[each])
        for each in _classes(rows)
    ]
    entries.append(Patch(color=WRONG, label="wrong"))
    drawing.legend(
        handles=entries, loc="lower center", ncols=PER_LINE, fontsize=6, borderpad=0.2,
        handlelength=1.0, handleheight=0.8, columnspacing=1.2, labelspacing=0.25,
    )  # fmt: skip


def _classes(rows: Sequence[Row]) -> list[int]:
    """Train ids that are seen in any of the label maps."""
    maps = [png for row in rows for png in (row.panel.truth, *row.predictions.values())]
    found = {int(value) for png in maps for value in set(_ids(png).ravel().tolist())}
    return sorted(found - {255})


def _ids(png: bytes) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)))


def _small(ids: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Every n-th pixel, so that the classes stay what they are."""
    step = -(-ids.shape[1] // width)
    return ids[step // 2 :: step, step // 2 :: step]


def _photograph(jpeg: bytes, width: int, height: int) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image

    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))


def _coloured(ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import numpy as np

    from mmseg_ext.datasets.classes import PALETTE

    colours = np.full((256, 3), 255, np.uint8)  # void is white
    colours[: len(PALETTE)] = PALETTE
    return colours[ids]


def _error_map(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGBA: wrong pixels in one colour, right ones grey, those that are not scored transparent."""
    import numpy as np

    wrong, right = (tuple(bytes.fromhex(each[1:])) for each in (WRONG, RIGHT))
    shown = np.zeros((*truth.shape, 4), np.uint8)
    shown[truth == prediction] = (*right, 255)
    shown[truth != prediction] = (*wrong, 255)
    shown[truth == 255] = 0
    return shown


def _errors(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> float:
    """Share of scored pixels that are wrong."""
    scored = truth != 255
    return float((truth != prediction)[scored].mean()) if scored.any() else 0.0
