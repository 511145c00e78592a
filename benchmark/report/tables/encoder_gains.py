"""What an encoder is worth: its difference to another one with the same method and seed."""

from __future__ import annotations

from benchmark.report.grid import Encoder, Grid, Method, Shift
from benchmark.report.model import Column, Footnotes, Quantity, TableCell
from benchmark.report.tables import cells
from benchmark.report.tables.cells import Reference

OVER = Quantity("encoder_gain", "difference", decimals=1, signed=True, derived=True)
"""The difference to the reference encoder."""
PRETRAINING = Quantity("pretraining_gain", "difference", decimals=1, signed=True, derived=True)
"""The difference to the same network from random weights."""


def caption(grid: Grid) -> list[str]:
    """A sentence on each kind of difference that the grid has."""
    ground = grid.encoder_reference()
    sentences = []
    if ground:
        sentences.append(
            f"Over {ground.title}: difference with the same method and seed, in points."
        )
    return sentences + [
        f"{each.title} over {other.title}: the same network, pre-trained and from random weights."
        for each, other, quantity in _pairs(grid)
        if quantity == PRETRAINING
    ]


def columns(grid: Grid, shift: Shift) -> list[Column]:
    """A column for each encoder that is compared with another one."""
    return [
        Column(
            f"{each.title} over {ground.title}",
            quantity,
            (("encoder", each.name), ("domain", shift.target.name)),
        )
        for each, ground, quantity in _pairs(grid)
    ]


def gains(grid: Grid, shift: Shift, method: Method, footnotes: Footnotes) -> list[TableCell]:
    """One method's cells of ``columns``: means over seeds that both encoders have."""

    def reference(ground: Encoder) -> Reference:
        titled = Method(method.name, f"{method.title} with {ground.title}", method.role)
        return Reference(titled, grid.sample(method, ground, shift, (shift.target,)))

    return [
        cells.gain(
            grid.sample(method, encoder, shift, (shift.target,)),
            reference(ground),
            footnotes,
            quantity=quantity,
            intervals=grid.intervals,
            domain=shift.target.name,
        )
        for encoder, ground, quantity in _pairs(grid)
    ]


def _pairs(grid: Grid) -> list[tuple[Encoder, Encoder, Quantity]]:
    """Encoders beside the one they are compared with.

    That is the reference encoder, then, where it is another, the same network from random weights.
    """
    ground = grid.encoder_reference()
    named = {each.name: each for each in grid.encoders}
    found = [(each, ground, OVER) for each in grid.encoders if ground and each != ground]
    return found + [
        (each, named[each.untrained], PRETRAINING)
        for each in grid.encoders
        if each.untrained in named and named[each.untrained] != ground
    ]
