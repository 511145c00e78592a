"""How all figures look, and how methods and encoders are told apart without colour alone.

Colours: Okabe and Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmark.report.grid import Grid, Method
from benchmark.report.model import one_line

# Neighbours differ in lightness too, so that three encoders can be told apart in grey.
COLOURS = (
    "#0072B2", "#E69F00", "#000000", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#777777",
)  # fmt: skip
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "d", "*", "8")
GREY, PALE = "#666666", "#D0D0D0"
WIDTH = 7.0
"""Inches: the text width of a page."""
FEW = 3
"""Encoders that share a panel; more of them get a panel each."""
LONGEST_LABEL = 30

RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "figure.titlesize": 9,
    "figure.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "hatch.linewidth": 0.4,
    "text.parse_math": False,  # a "$" in a title is a dollar
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw within it: the report's style, whatever a user's matplotlibrc says."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph ")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        yield


@dataclass(frozen=True)
class Look:
    """How an encoder is drawn: colour, line style and, where methods are rows, its marker."""

    colour: str
    line: Any
    marker: str


def encoder_looks(grid: Grid) -> dict[str, Look]:
    """The look of each encoder by name; twelve of them differ in colour or in line style."""
    count = len(COLOURS)
    return {
        encoder.name: Look(
            COLOURS[index % count],
            LINES[(index + index // count) % len(LINES)],
            MARKERS[index % len(MARKERS)],
        )
        for index, encoder in enumerate(grid.encoders)
    }


def method_markers(grid: Grid) -> dict[str, str]:
    """The marker of each method by name."""
    return {m.name: MARKERS[index % len(MARKERS)] for index, m in enumerate(grid.methods)}


def face(method: Method, colour: str) -> str:
    """The filling of a method's marker: an oracle's is hollow."""
    return "white" if method.role == "oracle" else colour


def label(text: str, longest: int = LONGEST_LABEL) -> str:
    """A title as it fits beside a drawing: one line, cut where it is too long."""
    line = one_line(text)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def head(axes: Any, lines: Sequence[str], columns: int) -> None:
    """The heading of a panel, in letters so small that it stays above it.

    Four panels in a row leave 1.4 inches to each: 30 letters of 6 points.
    """
    size = RC["axes.titlesize"] if columns < 3 else 7 if columns == 3 else 6
    longest = {1: 60, 2: 45}.get(columns, LONGEST_LABEL)
    text = "\n".join(label(line, longest) for line in lines)
    axes.set_title(text, loc="left", fontsize=size)


def new(name: str, title: str, width: float, height: float) -> Any:
    """An empty drawing of this size in inches with its title at the left."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(width, height), layout="constrained", label=name)
    drawing.suptitle(title, x=0.01, ha="left")
    return drawing


def panels(drawing: Any, count: int, columns: int) -> list[Any]:
    """``count`` axes in rows of ``columns``; no empty ones are left over."""
    rows = -(-count // columns)
    axes = drawing.subplots(rows, columns, squeeze=False).ravel()
    for unused in axes[count:]:
        unused.remove()
    return list(axes[:count])


def name_x(axes: list[Any], columns: int, text: str) -> None:
    """Name the horizontal axis below the lowest panel of each column."""
    for index, panel in enumerate(axes):
        if index + columns >= len(axes):
            panel.set_xlabel(text, fontsize=RC["axes.labelsize"] if columns < 4 else 6)


def legend(drawing: Any, entries: list[tuple[str, Any]], place: str, columns: int = 1) -> None:
    """A legend outside the panels. Names may begin with ``_``, which matplotlib would skip."""
    if not entries:
        return
    drawn = drawing.legend(
        [handle for _, handle in entries],
        [str(index) for index in range(len(entries))],
        loc=f"outside {place}",
        ncols=columns,
    )
    for text, (name, handle) in zip(drawn.get_texts(), entries, strict=True):
        text.set_text(name)
        if handle.get_linestyle() == "None" and handle.get_marker() == "None":
            text.set_fontweight("bold")
