"""Grids for the figures: one of full size whose names try every escape."""

from __future__ import annotations

import itertools

import pytest

from benchmark.cell import Cell
from benchmark.records import Cost, DomainMetrics
from benchmark.report.grid import Domain, Encoder, Grid, Method, Outcome, Shift
from benchmark.report.model import MISSING_STATES

ODD = "_x & 50 % <b> $y$ {z} \\alpha ^2"


def cost(hours: float) -> Cost:
    return Cost(60.0, 5.0, 0.1, 20.0, 900.0, 10, 10, hours)


def made(methods: int, encoders: int, shifts: int, seeds: int, *, gaps: bool = False) -> Grid:
    """A grid of this size; mIoU is 20 + 3 method + encoder + seed on the target."""
    roles = ["baseline", *["uda"] * (methods - 2), "oracle"][:methods]
    outcomes = {}
    axes = itertools.product(range(methods), range(encoders), range(shifts), range(seeds))
    for index, (m, e, s, seed) in enumerate(axes):
        cell = Cell(f"m{m}", f"e{e}", f"s{s}", seed)
        if gaps and index % 5 == 3:
            outcomes[cell] = Outcome(MISSING_STATES[index % len(MISSING_STATES)], reason=ODD)
            continue
        value = 20.0 + 3 * m + e + seed
        steps = list(range(10, 410, 10))
        curves = {
            "iteration": steps,
            "loss": [5.0 / (1 + step / 50) + 0.1 * e for step in steps],
            "loss_feature_distance": [0.01 * (1 + m + e) for _ in steps],
        }
        metrics = {
            name: DomainMetrics(
                role, value - less, {"road": value, "sky": None, "odd_$": 3.0}, 2, 90.0, 10
            )
            for name, role, less in (("t", "target", 0.0), ("u", "unseen", 7.0))
        }
        outcomes[cell] = Outcome(
            "done", metrics, cost=cost(0.1 * (m + 1)), diagnostics={"curves": curves}
        )
    return Grid(
        ODD,
        tuple(Method(f"m{m}", f"{ODD} m{m}", role) for m, role in enumerate(roles)),
        tuple(Encoder(f"e{e}", f"{ODD} e{e}") for e in range(encoders)),
        tuple(
            Shift(f"s{s}", f"{ODD} s{s}", Domain("t", "t"), (Domain("u", "u"),))
            for s in range(shifts)
        ),
        tuple(range(seeds)),
        outcomes,
    )


@pytest.fixture(scope="module")
def small() -> Grid:
    return made(4, 2, 1, 3)
