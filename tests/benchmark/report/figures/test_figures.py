"""The figures draw the grid's numbers, in every state a grid can be in, with equal bytes."""

from __future__ import annotations

import dataclasses
import io
import math
import re
import statistics
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from importlib import util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from benchmark.cell import Cell
from benchmark.report import figures
from benchmark.report.figures import curves, style
from benchmark.report.grid import Domain, Grid, Outcome
from benchmark.report.model import MISSING_STATES


def module(name: str) -> ModuleType:
    __import__(f"benchmark.report.figures.{name}")
    return sys.modules[f"benchmark.report.figures.{name}"]


def local(name: str) -> Any:
    spec = util.spec_from_file_location("figures_conftest", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    loaded = util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return getattr(loaded, name)


made = local("made")
NAMES = ("target_unseen", "gains", "per_class", "losses", "feature_distance", "cost")


def build(grid: Grid) -> tuple[figures.Figure, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return figures.build(cast(Any, SimpleNamespace(entries=())), grid)


def drawn(name: str, grid: Grid) -> Any:
    with style.styled():
        return module(name).draw(grid)


def labelled(drawing: Any) -> dict[str, tuple[list[float], list[float]]]:
    """Position of every labelled marker or line, by its label."""
    return {
        container.get_label(): tuple(np.asarray(each).tolist() for each in container[0].get_data())
        for axes in drawing.axes
        for container in axes.containers
    }


def test_every_figure_has_words_and_readable_files(small: Grid) -> None:
    found = build(small)
    assert tuple(figure.name for figure in found) == NAMES
    for figure in found:
        assert figure.caption
        assert len(figure.alt) > 60
        assert set(figure.files) == {"svg", "pdf", "png"}
        root = ElementTree.fromstring(figure.files["svg"])
        assert "stroke-linejoin" in root.attrib["style"]
        assert not {"style", "metadata"} & {each.tag.partition("}")[2] for each in root.iter()}
        assert figure.files["pdf"].startswith(b"%PDF")
        assert Image.open(io.BytesIO(figure.files["png"])).width > 500


def test_equal_grids_give_equal_bytes_without_dates_or_versions(small: Grid) -> None:
    first, second = build(small), build(dataclasses.replace(small))
    assert first == second
    for figure in first:
        for content in figure.files.values():
            assert b"Matplotlib v" not in content
            assert b"CreationDate" not in content
            assert b"dc:date" not in content


def test_a_users_style_changes_nothing(small: Grid) -> None:
    import matplotlib

    plain = build(small)
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 9, "svg.fonttype": "path"}):
        assert build(small) == plain
        assert matplotlib.rcParams["font.size"] == 20


def test_the_scatter_draws_means_over_seeds(small: Grid) -> None:
    found = labelled(drawn("target_unseen", small))
    assert len(found) == 8
    for m in range(4):
        for e in range(2):
            value = 20.0 + 3 * m + e + 1  # the middle of three seeds
            assert found[f"m{m}/e{e}"] == ([value], [value - 7])


def test_the_rank_correlation_leaves_oracles_out(small: Grid) -> None:
    target_unseen = module("target_unseen")
    ((_, points),) = target_unseen.measured(small)
    values = [(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0), (5.0, 5.0), (6.0, 6.0)]
    kept = [p for p in points if p.method.role != "oracle"]
    oracles = [p for p in points if p.method.role == "oracle"]
    moved = [dataclasses.replace(p, x=x, y=y) for p, (x, y) in zip(kept, values, strict=True)]
    squares = sum((x - y) ** 2 for x, y in values)  # the values are their own ranks
    rho = 1 - 6 * squares / (6 * 35)
    tau = (13 - 2) / 15  # two of fifteen pairs are the other way round
    said = target_unseen.correlation([*moved, *oracles])
    ends = r"\[(-?\d\.\d\d), (-?\d\.\d\d)\]"
    assert re.fullmatch(f"Spearman ρ = {rho:.2f} {ends}\nKendall τ = {tau:.2f} {ends}", said)
    assert target_unseen.correlation(moved[:2]) == ""
    assert target_unseen.correlation([dataclasses.replace(p, y=1.0) for p in moved]) == ""
    assert drawn("target_unseen", small).axes[0].texts[0].get_text().startswith("Spearman ρ = 1.00")


def test_the_oracle_is_hollow(small: Grid) -> None:
    faces = {
        container.get_label(): container[0].get_markerfacecolor()
        for container in drawn("target_unseen", small).axes[0].containers
    }
    assert {label for label, face in faces.items() if face == "white"} == {"m3/e0", "m3/e1"}


def test_the_gains_are_seed_by_seed_and_gaps_are_told(story: Grid) -> None:
    drawing = drawn("gains", story)
    found = labelled(drawing)
    assert found["dacs/resnet"][0] == [pytest.approx(statistics.fmean([10, 10, 13]))]
    assert found["oracle/vit_b"][0] == [pytest.approx(statistics.fmean([21, 24]))]  # seeds 1, 2
    assert "source-aug/vit_b" not in found
    assert [text.get_text() for text in drawing.axes[0].texts] == ["stale", "excluded"]
    assert sum(line.get_gid() == "gap" for line in drawing.axes[0].lines) == 2
    figure = module("gains").gains(story)
    assert "DACS with ResNet +11.0" in figure.alt
    assert "AdvEnt with ViT_B excluded" in figure.alt


def test_the_heat_map_draws_the_classes_and_masks_absent_ones(small: Grid) -> None:
    drawing = drawn("per_class", small)
    values = drawing.axes[0].collections[0].get_array()
    assert np.ma.getmaskarray(values).tolist() == [[False, True, False]] * 4
    assert values[:, 0].tolist() == [21.0, 24.0, 27.0, 30.0]
    swatches = [patch for patch in drawing.axes[0].patches if patch.get_gid() == "swatch"]
    assert swatches[0].get_facecolor()[:3] == (128 / 255, 64 / 255, 128 / 255)  # road
    assert [text.get_text() for text in drawing.axes[1].get_xticklabels()] == [
        "road",
        "sky",
        "odd_$",
    ]


def test_the_curves_draw_the_recorded_and_the_smoothed_values(small: Grid) -> None:
    steps = np.arange(10, 410, 10)
    axes = drawn("losses", small).axes
    assert len(axes) == 4
    raw, smooth = axes[0].lines[:2]
    assert raw.get_xdata().tolist() == steps.tolist()
    assert raw.get_ydata() == pytest.approx(5.0 / (1 + steps / 50))
    expected = [raw.get_ydata()[max(i - 1, 0) : i + 2].mean() for i in range(len(steps))]
    assert smooth.get_ydata() == pytest.approx(expected)
    distances = drawn("feature_distance", small).axes[2].lines
    assert distances[1].get_ydata() == pytest.approx([0.03] * len(steps))


def test_smoothing_steps_over_what_is_not_finite() -> None:
    values = np.ones(40)
    values[[0, 20]] = math.nan, math.inf
    assert curves.smoothed(values) == pytest.approx(np.ones(40))


def test_the_cost_is_in_minutes_below_an_hour(small: Grid) -> None:
    drawing = drawn("cost", small)
    found = labelled(drawing)
    assert found["m1/e0"] == ([pytest.approx(12.0)], [24.0])
    assert drawing.axes[0].get_xlabel() == "device time of a run (minutes)"


@pytest.mark.parametrize("name", NAMES)
def test_seven_methods_and_twelve_encoders_with_gaps(name: str) -> None:
    grid = made(7, 12, 1, 2, gaps=True)
    figure = getattr(module(name), name)(grid)
    assert figure is not None
    text = "".join(ElementTree.fromstring(figure.files["svg"]).itertext())
    assert "$y$" in text  # as it stands, not as a formula


@pytest.mark.parametrize("state", MISSING_STATES)
def test_a_grid_without_results_has_no_figures(state: str) -> None:
    grid = made(3, 2, 1, 1)
    undone = {cell: Outcome(state) for cell in grid.outcomes}
    assert build(dataclasses.replace(grid, outcomes=undone)) == ()
    assert build(dataclasses.replace(grid, outcomes={})) == ()


def test_one_seed_no_unseen_domains_and_no_baseline() -> None:
    grid = made(3, 1, 2, 1)
    plain = dataclasses.replace(
        grid,
        methods=grid.methods[1:],
        shifts=tuple(dataclasses.replace(shift, unseen=()) for shift in grid.shifts),
    )
    assert [each.name for each in build(plain)] == list(NAMES[2:])
    assert all("deviation" not in each.caption for each in build(plain))


def test_what_is_not_finite_is_left_out(small: Grid) -> None:
    cell = Cell("m1", "e0", "s0", 0)
    outcome = small.outcomes[cell]
    broken = dataclasses.replace(
        outcome.metrics["t"], miou=math.nan, per_class_iou={"road": math.nan}
    )
    odd = dataclasses.replace(
        outcome,
        metrics={**outcome.metrics, "t": broken},
        diagnostics={"curves": {"iteration": [1, 2], "loss": [math.nan, None]}},
    )
    grid = dataclasses.replace(small, outcomes={**small.outcomes, cell: odd})
    found = labelled(drawn("target_unseen", grid))
    assert found["m1/e0"] == ([24.5], [17.5])  # seeds 1 and 2
    scatter = build(grid)[0]
    assert "m1 with" in scatter.caption
    assert "(2 of 3)" in scatter.caption


def test_odd_titles_are_drawn(story: Grid) -> None:
    domain = Domain("real", "")
    shift = dataclasses.replace(story.shifts[0], title="漢字 \n\ud800 $", target=domain)
    encoders = tuple(dataclasses.replace(each, title="") for each in story.encoders)
    assert build(dataclasses.replace(story, shifts=(shift,), encoders=encoders))


def test_importing_the_figures_is_light() -> None:
    code = (
        "import sys, benchmark.report.figures;"
        "print(sorted({'matplotlib', 'numpy', 'mmseg_ext', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def overlaps(drawing: Any, boxes: list[Any]) -> list[tuple[int, int]]:
    """Pairs of texts that touch each other; every text must stay on the page."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(drawing).get_renderer()
    drawing.draw(renderer)
    extents = [text.get_window_extent(renderer) for text in boxes]
    assert all(each.x0 >= 0 and each.x1 <= drawing.bbox.x1 + 1 for each in extents)
    pairs = [(i, j) for j in range(len(extents)) for i in range(j)]
    return [(i, j) for i, j in pairs if extents[i].overlaps(extents[j])]


@pytest.mark.parametrize("name", ["gains", "target_unseen", "cost", "per_class", "losses"])
def test_headings_of_eight_panels_stand_apart(name: str) -> None:
    """As many encoders, and titles as long, as those of MiniDrive in full."""
    grid = made(3, 4, 2, 1)
    titles = ("ResNet-mini", "ResNet-mini (supervised)", "EVA02-mini", "EVA02-mini (CLIP)")
    shifts = ("MiniDrive synthetic -> real", "MiniDrive real -> adverse")
    grid = dataclasses.replace(
        grid,
        encoders=tuple(
            dataclasses.replace(each, title=title)
            for each, title in zip(grid.encoders, titles, strict=True)
        ),
        shifts=tuple(
            dataclasses.replace(each, title=title)
            for each, title in zip(grid.shifts, shifts, strict=True)
        ),
    )
    drawing = drawn(name, grid)
    with style.styled():
        headings = [axes._left_title for axes in drawing.axes if axes._left_title.get_text()]
        assert any("synthetic -> real" in each.get_text() for each in headings)
        assert overlaps(drawing, headings) == []
        names = [axes.xaxis.label for axes in drawing.axes if axes.get_xlabel()]
        assert overlaps(drawing, names) == []


def test_a_resumed_cell_has_no_device_time(small: Grid) -> None:
    """Its record has the part behind the resume point only: 5 of 100 steps of a second."""
    cell = Cell("m1", "e0", next(iter(small.outcomes)).shift, 0)
    outcomes = {
        each: dataclasses.replace(outcome, config={"train_cfg": {"max_iters": 100}})
        for each, outcome in small.outcomes.items()
    }
    whole = outcomes[cell]
    assert whole.cost is not None
    cost = dataclasses.replace(whole.cost, train_seconds=101.0, seconds_per_iteration=1.0)
    assert dataclasses.replace(whole, cost=cost).device_hours == whole.cost.device_hours
    resumed = dataclasses.replace(whole, cost=dataclasses.replace(cost, train_seconds=5.0))
    assert resumed.device_hours is None
    grid = dataclasses.replace(small, seeds=(0,), outcomes={**small.outcomes, cell: resumed})
    before = labelled(drawn("cost", dataclasses.replace(small, seeds=(0,))))
    assert {*before} - {*labelled(drawn("cost", grid))} == {"m1/e0"}


def test_many_points_over_fewer_seeds_are_counted() -> None:
    from benchmark.report.figures.points import Point, partial

    grid = made(3, 4, 1, 3)
    points = [
        Point(method, encoder, 1.0, 2.0, None, None, 2)
        for method in grid.methods
        for encoder in grid.encoders
    ]
    few = partial(grid, [(grid.shifts[0], points[:2])])
    assert few.startswith("Over fewer seeds: ")
    assert few.count("(2 of 3)") == 2
    expected = "12 of 12 points stand for fewer than 3 seeds."
    assert partial(grid, [(grid.shifts[0], points)]) == expected
