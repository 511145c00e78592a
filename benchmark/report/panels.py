"""Panels: example images with their ground truth and what the methods predict on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark import examples
from benchmark.examples import Example
from benchmark.report.gather import EntryLike, PlanLike


@dataclass(frozen=True)
class Prediction:
    """What one cell predicts on the panel's image; ``png`` is an indexed PNG of train ids."""

    method: str
    encoder: str
    shift: str
    seed: int
    png: bytes


@dataclass(frozen=True)
class Panel:
    """One image of a domain, of its group ``group`` where it has groups such as weathers.

    ``image`` is a JPEG, ``truth`` an indexed PNG like those of the predictions: train ids with the
    colours of Cityscapes, 255 where nothing is labelled. All have one size.
    """

    domain: str
    image_id: str
    image: bytes
    truth: bytes
    predictions: tuple[Prediction, ...]
    group: str = ""


def gather(plan: PlanLike) -> tuple[Panel, ...]:
    """The panels on disk, domains in the order of the suite's shifts, cells in that of the plan.

    Only what done cells of the present records predict is in them.
    """
    found: dict[Path, list[Prediction]] = {}
    shown: dict[Path, Example] = {}
    for entry in plan.entries:
        for example in _of(plan, entry):
            shown[example.folder] = example
            cell = entry.cell
            found.setdefault(example.folder, []).append(
                Prediction(cell.method, cell.encoder, cell.shift, cell.seed, example.png)
            )
    order = _domains(plan.entries)
    ranked = sorted(shown.values(), key=lambda each: (order.index(each.domain), each.image_id))
    return tuple(
        Panel(
            each.domain,
            each.image_id,
            (each.folder / examples.IMAGE).read_bytes(),
            (each.folder / examples.TRUTH).read_bytes(),
            tuple(found[each.folder]),
            each.group,
        )
        for each in ranked
    )


def _of(plan: PlanLike, entry: EntryLike) -> list[Example]:
    if entry.state != "done" or entry.record is None:
        return []
    scored = entry.config.get("roles", {})
    found = examples.read(plan.folder, entry.cell, entry.record.identity.id)
    return [example for example in found if example.domain in scored]


def _domains(entries: Sequence[EntryLike]) -> list[str]:
    """Domains as the shifts name them: source, target, unseen."""
    return list(dict.fromkeys(name for entry in entries for name in entry.config.get("roles", {})))
