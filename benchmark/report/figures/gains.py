"""Figure: what each method gains over the baseline, by encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmark.report.figures import style
from benchmark.report.figures.model import Figure, save
from benchmark.report.grid import Encoder, Grid, Method, Shift
from benchmark.report.model import GAIN, one_line
from benchmark.report.statistics import seeds as stats
from benchmark.report.tables.wording import measurement

NAME = "gains"


@dataclass(frozen=True)
class Gain:
    """Differences to the baseline in points by seed; ``state`` says why there are none."""

    method: Method
    encoder: Encoder
    values: stats.Seeds
    state: str


def gains(grid: Grid) -> Figure | None:
    """Gain in target mIoU over the baseline; ``None`` without a baseline or any gain."""
    shown = [(shift, measured(grid, shift)) for shift in grid.shifts]
    if not any(gain.values for _, every in shown for gain in every):
        return None
    with style.styled():
        files = save(draw(grid))
    caption = [
        *measurement(grid),
        f"Points: mean difference to {_baseline(grid)} with the same encoder and seed.",
        *(
            ["Bars: one standard deviation over seeds; pale dots: single seeds."]
            if len(grid.seeds) > 1
            else []
        ),
        "A cross with a word stands where there is no number. Hollow: trained with target labels.",
    ]
    alt = [f"Dot plot of the gain over {_baseline(grid)} in points of target mIoU."]
    alt += [f"{shift.title}: {_listed(every)}." for shift, every in shown]
    title = one_line(f"{grid.title}: {_title(grid)}")
    return Figure(NAME, title, one_line(" ".join(caption)), one_line(" ".join(alt)), files)


def measured(grid: Grid, shift: Shift) -> list[Gain]:
    """The gains of every method but the baseline, in the grid's order."""
    baseline = grid.reference("baseline")
    found = []
    for method in grid.methods if baseline else ():
        for encoder in grid.encoders:
            if baseline is None or method == baseline:
                continue
            sample = grid.sample(method, encoder, shift, (shift.target,))
            floor = grid.sample(baseline, encoder, shift, (shift.target,))
            values = stats.differences(sample.values, floor.values)
            state = "no baseline" if sample.values else sample.state
            found.append(Gain(method, encoder, values, "" if values else state))
    return found


def draw(grid: Grid) -> Any:
    """The drawing itself, unsaved: a panel a shift, or one a shift and encoder."""
    few = len(grid.encoders) <= style.FEW
    shown: list[tuple[list[str], tuple[Encoder, ...], list[Gain]]] = []
    for shift in grid.shifts:
        every = measured(grid, shift)
        if few:
            shown.append(([shift.title], grid.encoders, every))
            continue
        for encoder in grid.encoders:
            heading = [encoder.title, *([shift.title] if len(grid.shifts) > 1 else [])]
            shown.append((heading, (encoder,), [g for g in every if g.encoder == encoder]))
    columns = min(len(shown), 2 if few else 4)
    rows = -(-len(shown) // columns)
    lanes = 1 + (len(grid.encoders) - 1) * 0.7 if few else 1
    height = rows * (0.45 + 0.17 * lanes * max(len(grid.methods) - 1, 2)) + 0.8
    width = 5.4 if columns == 1 else style.WIDTH
    drawing = style.new(NAME, _title(grid), width, height)
    axes = style.panels(drawing, len(shown), columns)
    methods = [method for method in grid.methods if method != grid.reference("baseline")]
    for index, (panel, (heading, encoders, every)) in enumerate(zip(axes, shown, strict=True)):
        if index:
            panel.sharex(axes[0])
        style.head(panel, heading, columns)
        _panel(panel, grid, methods, encoders, every)
        if index % columns:
            panel.set_yticklabels([])
    style.name_x(axes, columns, "gain in mIoU (points)")
    if few:
        style.legend(drawing, _entries(grid), "lower center", len(grid.encoders))
    return drawing


def _panel(
    axes: Any, grid: Grid, methods: list[Method], encoders: tuple[Encoder, ...], every: list[Gain]
) -> None:
    looks = style.encoder_looks(grid)
    axes.axvline(0, color=style.GREY, linewidth=0.8)
    axes.set_yticks(range(len(methods)), [style.label(method.title) for method in methods])
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    for row in range(1, len(methods), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="#F6F6F6", zorder=0)
    for gain in every:
        lane = (encoders.index(gain.encoder) - (len(encoders) - 1) / 2) * 0.8 / len(encoders)
        y = methods.index(gain.method) + lane
        look = looks[gain.encoder.name]
        if not gain.values:
            axes.plot([0], [y], "x", color=style.GREY, markersize=4, gid="gap")
            axes.annotate(
                gain.state, (0, y), (5, 0), textcoords="offset points", va="center",
                fontsize=6, color=style.GREY, style="italic",
            )  # fmt: skip
            continue
        if len(gain.values) > 1:
            axes.plot(
                list(gain.values.values()), [y] * len(gain.values), ".", color=look.colour,
                alpha=0.35, markersize=3, gid="seeds",
            )  # fmt: skip
        spread = stats.spread(gain.values)
        axes.errorbar(
            [stats.mean(gain.values)], [y], xerr=None if spread is None else [spread],
            fmt=look.marker if len(encoders) > 1 else "o", color=look.colour, markersize=4.5,
            markerfacecolor=style.face(gain.method, look.colour), elinewidth=0.8,
            label=f"{gain.method.name}/{gain.encoder.name}",
        )  # fmt: skip


def _entries(grid: Grid) -> list[tuple[str, Any]]:
    from matplotlib.lines import Line2D

    return [
        (
            style.label(encoder.title),
            Line2D([], [], linestyle="None", marker=look.marker, color=look.colour, markersize=5),
        )
        for encoder in grid.encoders
        for look in [style.encoder_looks(grid)[encoder.name]]
    ]


def _title(grid: Grid) -> str:
    return f"Gain in target mIoU over {style.label(_baseline(grid))} by method and encoder"


def _baseline(grid: Grid) -> str:
    baseline = grid.reference("baseline")
    return baseline.title if baseline else ""


def _listed(every: list[Gain]) -> str:
    return "; ".join(
        f"{gain.method.title} with {gain.encoder.title} "
        + (GAIN.format(stats.mean(gain.values)) if gain.values else gain.state)
        for gain in every
    )
