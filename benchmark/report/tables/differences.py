"""Rows that do not compare as they seem to, told as foot-notes.

Either they were not trained or scored by the same protocol, or they are the same thing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from benchmark.cell import Cell
from benchmark.report.grid import Encoder, Grid, Method, Shift
from benchmark.report.model import Footnotes
from benchmark.report.tables.wording import inferred

Facts = Mapping[str, str]


def row_notes(grid: Grid, method: Method, footnotes: Footnotes) -> tuple[int, ...]:
    """What to know about a method's row: inferred settings, another protocol."""
    return (
        *inferred(method, footnotes),
        *differing(grid, method, footnotes),
    )


def differing(grid: Grid, method: Method, footnotes: Footnotes) -> tuple[int, ...]:
    """The foot-note of a method whose protocol is not that of most methods, in what it differs.

    Compared are training length, images in a step, crops, and how whole images are predicted;
    only cells that ran are known. What most methods share is told beside each difference.
    """
    known = {each.name: found for each in grid.methods if (found := _of_method(grid, each))}
    if method.name not in known:
        return ()
    told = []
    for what, value in known[method.name].items():
        values = [facts[what] for facts in known.values()]
        ((usual, count),) = Counter(values).most_common(1)
        if value != usual and count > values.count(value):
            told.append(f"{what} {value}, others {usual}")
    return (footnotes.number(f"{method.title}: {'; '.join(told)}"),) if told else ()


def repeated(
    grid: Grid, shift: Shift, method: Method, encoder: Encoder, footnotes: Footnotes
) -> tuple[int, ...]:
    """The foot-note of a method that scores exactly what a method above it scores.

    Two trainings that differ in anything differ in their last digits: such a method did nothing
    with this encoder (statistics of norms that have none).
    """
    for other in grid.methods[: grid.methods.index(method)]:
        if _are_equal(grid, shift, encoder, method, other):
            text = f"{method.title}: every score equals that of {other.title} to the last digit"
            return (footnotes.number(text),)
    return ()


def _are_equal(grid: Grid, shift: Shift, encoder: Encoder, method: Method, other: Method) -> bool:
    """Whether all that both have done scores the same, and there is any of it."""
    cells = [Cell(method.name, encoder.name, shift.name, seed) for seed in grid.seeds]
    pairs = [
        (outcome.metrics, twin.metrics)
        for cell in cells
        if (outcome := grid.outcomes.get(cell)) is not None
        and (twin := grid.outcomes.get(replace(cell, method=other.name))) is not None
        and outcome.state == twin.state == "done"
    ]
    return bool(pairs) and all(first and first == second for first, second in pairs)


def _of_method(grid: Grid, method: Method) -> Facts:
    """What all done cells of a method say; several values stand beside each other."""
    found: dict[str, dict[str, None]] = {}
    for cell, outcome in grid.outcomes.items():
        if cell.method == method.name and outcome.state == "done" and outcome.config:
            for what, value in _facts(outcome.config).items():
                found.setdefault(what, {})[value] = None
    return {what: " or ".join(values) for what, values in found.items()}


def _facts(config: Mapping[str, Any]) -> Facts:
    loader = config.get("train_dataloader", {})
    model = config.get("model", {})
    segmentor = model.get("segmentor", model)
    crops = dict.fromkeys(_crops(loader.get("dataset", {})))
    return {
        "iterations": str(config.get("train_cfg", {}).get("max_iters")),
        "images of each domain in a step": str(loader.get("batch_size")),
        "crops of": " and ".join(crops) or "whole images",
        "prediction": _prediction(segmentor.get("test_cfg") or {}),
    }


def _crops(value: Any) -> Iterator[str]:
    """Sizes of all random crops below a configuration."""
    if isinstance(value, Mapping):
        if value.get("type") == "RandomCrop":
            yield _size(value.get("crop_size", ()))
        for each in value.values():
            yield from _crops(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _crops(each)


def _prediction(rules: Mapping[str, Any]) -> str:
    if rules.get("mode") != "slide":
        return "of whole images"
    return f"in windows of {_size(rules['crop_size'])} every {_size(rules['stride'])}"


def _size(height_width: Any) -> str:
    return "x".join(str(side) for side in reversed(tuple(height_width)))
