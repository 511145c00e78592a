"""Whether the cells of a grid bear a claim out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

from benchmark.claim_formulas import (
    Close,
    Combined,
    Condition,
    Expression,
    Flips,
    Greater,
    Leaf,
    Loss,
    Miou,
    Number,
    Several,
)
from benchmark.claims import Claim
from benchmark.report.grid import Grid, Outcome
from benchmark.report.model import RecordRef
from benchmark.report.sample import Sample
from benchmark.report.statistics import seeds as stats
from benchmark.report.statistics.smoothing import smoothed

REPRODUCED, NOT_REPRODUCED, NOT_RUN = "reproduced", "not reproduced", "not run"
MOST_NAMED = 4

Samples = Mapping[Leaf, Sample]


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    ``figure`` is the claim's figure by seed; ``spread`` and ``interval`` (95 %, over seeds, by
    Student's t) are ``None`` for one seed and for a number that belongs to no single seed.
    ``missing`` says what a claim that is not run waits for, ``against`` are the seeds with which
    alone an order that is not reproduced does not hold.
    """

    word: str
    figure: Mapping[int, float] = field(default_factory=dict)
    spread: float | None = None
    interval: tuple[float, float] | None = None
    records: tuple[RecordRef, ...] = ()
    missing: tuple[str, ...] = ()
    against: tuple[int, ...] = ()


def judge(claim: Claim, grid: Grid) -> Verdict:
    """The verdict on ``claim``: it counts as run once all its cells share enough seeds."""
    obstacles = _obstacles(claim, grid)
    if obstacles:
        return Verdict(NOT_RUN, missing=tuple(obstacles))
    samples = {atom: _sample(atom, grid) for atom in claim.needs()}
    common = stats.common(*(sample.values for sample in samples.values())) if samples else ()
    if len(common) < claim.seeds:
        return Verdict(NOT_RUN, missing=tuple(_absent(samples, common, claim.seeds)))
    figure = series(claim.figure, common, samples)
    single = not _counts(claim.figure)
    refs = (ref for sample in samples.values() for ref in sample.refs(common))
    met = holds(claim.holds, claim.tolerance, common, samples)
    alone = [] if met or isinstance(claim.holds, Close) else common
    return Verdict(
        REPRODUCED if met else NOT_REPRODUCED,
        figure,
        stats.spread(figure) if single else None,
        stats.interval(figure) if single else None,
        tuple(dict.fromkeys(refs)),
        against=tuple(
            seed for seed in alone if not holds(claim.holds, claim.tolerance, (seed,), samples)
        ),
    )


def series(expression: Expression, seeds: Sequence[int], samples: Samples) -> dict[int, float]:
    """The value of ``expression`` for each of ``seeds``."""
    if isinstance(expression, Number):
        return dict.fromkeys(seeds, expression.value)
    if isinstance(expression, (Miou, Loss)):
        return stats.restrict(samples[expression].values, seeds)
    if isinstance(expression, Flips):
        return dict.fromkeys(seeds, float(_flips(expression, seeds, samples)))
    parts = [series(part, seeds, samples) for part in expression.parts]
    return _combined(expression, parts, seeds)


def _combined(
    expression: Combined, parts: Sequence[dict[int, float]], seeds: Sequence[int]
) -> dict[int, float]:
    if expression.operation == "difference":
        return stats.differences(*parts)
    if expression.operation == "ratio":
        return {seed: parts[0][seed] / parts[1][seed] for seed in seeds}
    if expression.operation == "mean":
        return {seed: math.fsum(part[seed] for part in parts) / len(parts) for seed in seeds}
    largest, smallest = max(parts, key=stats.mean), min(parts, key=stats.mean)
    if expression.operation == "range":
        return stats.differences(largest, smallest)
    return largest if expression.operation == "largest" else smallest


def _flips(flips: Flips, seeds: Sequence[int], samples: Samples) -> int:
    def lead(first: str, second: str, region: str) -> int:
        """1 or -1 if the first is above or below the second with every seed, else 0."""
        ours, theirs = (
            samples[Miou(method, flips.encoder, flips.shift, (region,))].values
            for method in (first, second)
        )
        signs = {(ours[seed] > theirs[seed]) - (ours[seed] < theirs[seed]) for seed in seeds}
        return signs.pop() if len(signs) == 1 else 0

    pairs = combinations(flips.methods, 2)
    return sum(lead(*pair, "target") * lead(*pair, "unseen") < 0 for pair in pairs)


def holds(condition: Condition, tolerance: float, seeds: Sequence[int], samples: Samples) -> bool:
    """Whether ``condition`` is met over ``seeds``."""
    if isinstance(condition, Several):
        met = [holds(part, tolerance, seeds, samples) for part in condition.parts]
        return all(met) if condition.every else any(met)
    difference = stats.differences(
        series(condition.left, seeds, samples), series(condition.right, seeds, samples)
    )
    if isinstance(condition, Close):
        # The printed decimals of a published figure have no exact binary form.
        return abs(stats.mean(difference)) <= tolerance + 1e-9
    assert isinstance(condition, Greater)
    return min(difference.values()) > 0


def _counts(expression: Expression) -> bool:
    if isinstance(expression, Combined):
        return any(_counts(part) for part in expression.parts)
    return isinstance(expression, Flips)


def _obstacles(claim: Claim, grid: Grid) -> list[str]:
    """Why no cell of this suite can test the claim; empty if the suite is made for it."""
    needed = dict.fromkeys(atom.method for atom in claim.needs())
    ours = dict.fromkeys(grid.evaluation_of(method) for method in needed)
    if claim.protocol and [*ours] != [claim.protocol]:
        scored = " and ".join(each or "rules of its own" for each in ours)
        return [f"the figure was scored as in {claim.protocol}, this suite scores by {scored}"]
    if claim.published is not None and grid.iterations is not None:
        return [f"trained for {grid.iterations} iterations only"]
    axes = {
        "method": {each.name for each in grid.methods},
        "encoder": {each.name for each in grid.encoders},
        "shift": {each.name for each in grid.shifts},
    }
    lacking = dict.fromkeys(
        f"the suite has no {axis} {getattr(atom, axis)}"
        for atom in claim.needs()
        for axis, present in axes.items()
        if getattr(atom, axis) not in present
    )
    return list(lacking)


def _sample(atom: Leaf, grid: Grid) -> Sample:
    method = next(each for each in grid.methods if each.name == atom.method)
    encoder = next(each for each in grid.encoders if each.name == atom.encoder)
    shift = next(each for each in grid.shifts if each.name == atom.shift)
    if isinstance(atom, Loss):
        curve = f"loss_{atom.term}"

        def last(outcome: Outcome) -> float | None:
            points = smoothed(outcome.diagnostics.get("curves", {}).get(curve, ()))
            return points[-1] if points and points[-1] > 0 else None

        return grid.sampled(method, encoder, shift, last, lambda _: f"curve {curve} above 0")
    regions = {"target": [shift.target], "unseen": shift.unseen}
    known = {domain.name: [domain] for domain in (shift.target, *shift.unseen)} | regions
    if not set(atom.domains) <= set(known):
        return Sample({}, {}, ())
    domains = [domain for name in atom.domains for domain in known[name]]
    if not atom.condition:
        return grid.sample(method, encoder, shift, domains)
    read = partial(Outcome.miou, domain=domains[0].name, condition=atom.condition)
    return grid.sampled(method, encoder, shift, read, lambda _: f"score for {atom.condition}")


def _absent(samples: Samples, common: Sequence[int], needed: int) -> list[str]:
    """The cells that a claim still waits for, methods with the same gaps together.

    Where none is missing, it needs more seeds.
    """
    waiting: dict[tuple[str, str], dict[str, None]] = {}
    for atom, sample in samples.items():
        lacking = [gap.seed for gap in sample.gaps]
        if lacking or not sample.values:
            seeds = f" seed {', '.join(map(str, lacking))}" if lacking else ""
            place = f"{atom.encoder} / {atom.shift}"
            # A cell that was not run has no condition either; a record may lack just this one.
            absent = any(gap.state == "absent" for gap in sample.gaps)
            if isinstance(atom, Miou) and atom.condition and absent:
                place += f" by {atom.condition}"
            waiting.setdefault((place, seeds), {})[atom.method] = None
    if not waiting:
        return [f"its cells share {len(common)} of the {needed} seeds that it needs"]
    return _first(
        f"{', '.join(methods)} / {place}{seeds}" for (place, seeds), methods in waiting.items()
    )


def _first(names: Iterable[str]) -> list[str]:
    listed = list(names)
    if len(listed) <= MOST_NAMED:
        return listed
    return [*listed[:MOST_NAMED], f"{len(listed) - MOST_NAMED} more"]
