"""How far training moves the encoder's features from those it began with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.report.grid import Encoder, Grid, Method, Outcome, Shift
from benchmark.report.model import Column, Footnotes, Quantity, Row, Section, Table
from benchmark.report.statistics.smoothing import WINDOW as WINDOW
from benchmark.report.statistics.smoothing import smoothed
from benchmark.report.tables import cells
from benchmark.report.tables.wording import row_keys

CURVE = "loss_feature_distance"
"""The curve of the loss; with layers apart, the layer stands behind it and an underscore."""
SHOWN = ("first", "last", "least")


def feature_distance(grid: Grid) -> Table:
    """First, last and least value of the smoothed feature-distance loss, a row a method x encoder.

    Read: a last value near the first says that the encoder kept its distance to the frozen one, a
    larger one that training moved it away. Values compare within one encoder and weight only, since
    features of different encoders differ in scale. The settings are in the foot-notes.
    """
    footnotes = Footnotes()
    sections = [
        section for shift in grid.shifts if (section := _section(grid, shift, footnotes)).rows
    ]
    return Table(
        name="feature_distance",
        title=f"{grid.title}: feature distance",
        caption=(
            (
                f"Loss, weight included, as a running mean over {WINDOW} recorded points.",
                "Values compare within an encoder only: features differ in scale.",
            )
            if sections
            else ("No method of this suite trains with a feature distance.",)
        ),
        sections=tuple(sections),
        notes=footnotes.texts,
    )


def _section(grid: Grid, shift: Shift, footnotes: Footnotes) -> Section:
    quantities = [Quantity(f"feature_distance_{name}", name, decimals=4) for name in SHOWN]
    found = {
        (method, encoder): _curves(grid, shift, method, encoder)
        for method in range(len(grid.methods))
        for encoder in range(len(grid.encoders))
    }
    layered = any(name != CURVE for names in found.values() for name in names)
    rows = [
        _row(grid, shift, grid.methods[m], grid.encoders[e], (name, layered), quantities, footnotes)
        for (m, e), names in found.items()
        for name in names
    ]
    return Section(
        shift.title,
        ("Method", "Encoder", *(["Layer"] if layered else [])),
        tuple(Column(quantity.title, quantity) for quantity in quantities),
        tuple(rows),
        keys=(("shift", shift.name),),
    )


def _outcomes(grid: Grid, shift: Shift, method: int, encoder: int) -> list[Outcome]:
    names = grid.methods[method].name, grid.encoders[encoder].name, shift.name
    return [
        outcome
        for cell, outcome in grid.outcomes.items()
        if (cell.method, cell.encoder, cell.shift) == names
    ]


def _curves(grid: Grid, shift: Shift, method: int, encoder: int) -> list[str]:
    """The curves of the distance that were recorded; the one to come where cells will have it."""
    outcomes = _outcomes(grid, shift, method, encoder)
    recorded = {
        name
        for outcome in outcomes
        if outcome.state == "done"
        for name, curve in outcome.diagnostics.get("curves", {}).items()
        if (name == CURVE or name.startswith(f"{CURVE}_")) and smoothed(curve)
    }
    planned = any(_settings(each.config) for each in outcomes if each.state != "done")
    return sorted(recorded) or [CURVE] * planned


def _row(
    grid: Grid,
    shift: Shift,
    method: Method,
    encoder: Encoder,
    curve: tuple[str, bool],
    quantities: Sequence[Quantity],
    footnotes: Footnotes,
) -> Row:
    name, layered = curve
    points: dict[int, list[float]] = {}  # of each outcome, for all three quantities
    found = []
    for quantity, pick in zip(quantities, (lambda c: c[0], lambda c: c[-1], min), strict=True):

        def read(outcome: Outcome, pick: Any = pick) -> float | None:
            if id(outcome) not in points:
                curve = outcome.diagnostics.get("curves", {}).get(name, ())
                points[id(outcome)] = smoothed(curve)
            return float(pick(points[id(outcome)])) if points[id(outcome)] else None

        sample = grid.sampled(method, encoder, shift, read, lambda _: f"curve {name}")
        found.append(cells.over_seeds(sample, footnotes, quantity))
    place = (grid.methods.index(method), grid.encoders.index(encoder))
    told = {_settings(outcome.config) for outcome in _outcomes(grid, shift, *place)}
    marks = [footnotes.number(text) for text in sorted(told) if text]
    found[0] = dataclasses.replace(found[0], footnotes=(*found[0].footnotes, *marks))
    layer = name.removeprefix(CURVE).strip("_") or "all"
    return Row(
        (method.title, encoder.title, *([layer] if layered else [])),
        tuple(found),
        row_keys(method, encoder),
        ranked=False,
    )


def _settings(config: Mapping[str, Any]) -> str:
    """The distance's settings in words; a teacher of its own is named by its encoder."""
    distance = config.get("model", {}).get("feature_distance") or {}
    if not distance:
        return ""
    teacher = distance.get("teacher", "initial")
    if isinstance(teacher, Mapping):
        encoder = teacher.get("encoder", {})
        kind = encoder.get("weights_of") if isinstance(encoder, Mapping) else encoder
        teacher = kind or "another encoder"
    kept = [
        f"{key} {distance[key]}"
        for key in ("level", "min_ratio", "weight", "channel_norm", "features")
        if key in distance
    ]
    return ", ".join([f"teacher {teacher}", *kept])
