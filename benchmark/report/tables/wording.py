"""Sentences and foot-notes that several tables share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeAlias

from benchmark.report.grid import Domain, Encoder, Grid, Method, Shift
from benchmark.report.model import INFERRED, Footnotes, TableCell

Keys: TypeAlias = tuple[tuple[str, str], ...]

LAST = "mIoU in %, of the last iteration: nothing is selected on target labels."


def measurement(grid: Grid) -> list[str]:
    """What was measured, and after how much training where that is not the protocol's."""
    sentences = [LAST]
    if grid.iterations is not None:
        sentences.append(
            f"Trained for {grid.iterations} iterations instead of the protocol's number: "
            "no benchmark result."
        )
    if len(grid.seeds) == 1:
        return [*sentences, "One seed, so no spread is known."]
    return [*sentences, f"Mean ± sample standard deviation over {len(grid.seeds)} seeds."]


def settings_inferred(grid: Grid) -> list[str]:
    """What the suite says of its settings that no source prints."""
    told = {key: text for key, text in grid.provenance.items() if text.startswith("inferred")}
    return [f"{INFERRED}{key} ({_reason(text)})." if _reason(text) else f"{INFERRED}{key}."
            for key, text in told.items()]  # fmt: skip


def ranking(grid: Grid, among: str) -> list[str]:
    """How to read the marks, and who takes no part."""
    sentence = f"Bold is the best {among}, underlined the second"
    oracles = [method.title for method in grid.methods if method.role == "oracle"]
    if oracles:
        verb = "does" if len(oracles) == 1 else "do"
        sentence += f"; {' and '.join(oracles)} saw target labels and {verb} not compete"
    if len(grid.seeds) == 1:
        return [sentence + "."]
    return [sentence + ".", "A mean that lacks a seed does not compete either."]


def column_notes(
    grid: Grid, shift: Shift, domains: Sequence[Domain], footnotes: Footnotes
) -> tuple[int, ...]:
    """The foot-notes of a column: how its domains are scored, where that is not as everywhere."""
    return tuple(footnotes.number(note) for note in grid.notes(shift, domains))


def row_keys(method: Method, encoder: Encoder) -> Keys:
    """The coordinates of a row that stands for a method and an encoder."""
    return (("method", method.name), ("encoder", encoder.name))


def inferred(thing: Method | Encoder, footnotes: Footnotes) -> tuple[int, ...]:
    """The foot-note of a method or encoder some of whose settings no source prints."""
    reasons: dict[str, list[str]] = {}
    for key, source in (thing.card.get("provenance") or {}).items():
        if str(source).startswith("inferred"):
            reason = _reason(str(source))
            reasons.setdefault(reason, []).append(str(key))
    if not reasons:
        return ()
    told = [
        f"{', '.join(keys)} inferred{': ' + reason if reason else ''}"
        for reason, keys in reasons.items()
    ]
    return (footnotes.number(f"{thing.title}: {'; '.join(told)}"),)


def _reason(source: str) -> str:
    return source.removeprefix("inferred").lstrip(":, ")


def noted(cells: Sequence[TableCell], marks: Sequence[int]) -> tuple[TableCell, ...]:
    """A row's cells, with what holds for the whole row at the first of them."""
    if not marks:
        return tuple(cells)
    first = dataclasses.replace(
        cells[0], footnotes=tuple(dict.fromkeys((*marks, *cells[0].footnotes)))
    )
    return (first, *cells[1:])
