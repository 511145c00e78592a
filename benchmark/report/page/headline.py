"""What the suite asks, and its answer in two sentences a shift, read from the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.report.grid import Grid, Shift
from benchmark.report.model import MIOU, Table, TableCell
from benchmark.report.tables.generalization import MEAN_UNSEEN

if TYPE_CHECKING:
    from benchmark.report.gather import PlanLike


@dataclass(frozen=True)
class Best:
    """The best complete combination on one column of scores.

    ``names`` has more than one where several share the best printed value. ``value``, ``gain``
    and ``second`` are as printed; the latter two are empty where there is none.
    """

    label: str
    names: tuple[str, ...]
    value: str
    spread: str = ""
    gain: str = ""
    second: str = ""


@dataclass(frozen=True)
class Answer:
    """What one shift says: the best on its target and on its unseen domains, and in words."""

    shift: str
    title: str
    best: tuple[Best, ...]
    sentences: tuple[str, ...]


def question(plan: PlanLike, grid: Grid) -> str:
    """What the suite asks: its summary, or what follows from its axes."""
    summary: str = getattr(plan.suite, "summary", "")
    if summary:
        return summary
    unseen = any(shift.unseen for shift in grid.shifts)
    tail = ", and does it carry over to domains that nobody trained on?" if unseen else "?"
    return (
        "Which of "
        f"{_count(len(grid.methods), 'method')} with {_count(len(grid.encoders), 'encoder')} "
        f"segments the target domain best{tail}"
    )


def answers(grid: Grid, tables: Sequence[Table]) -> tuple[Answer, ...]:
    """The answer of every shift. The oracle, which saw target labels, does not compete."""
    return tuple(_answer(grid, shift, tables) for shift in grid.shifts)


def _answer(grid: Grid, shift: Shift, tables: Sequence[Table]) -> Answer:
    on_target = list(_scores(grid, shift, tables, "uda", shift.target.name))
    on_unseen = list(_scores(grid, shift, tables, "generalization", MEAN_UNSEEN))
    target = _best(f"on {shift.target.short} (target)", on_target)
    unseen = _best(f"on {_count(len(shift.unseen), 'unseen domain')}", on_unseen)
    if target is None:
        told = ["No cell with all of its seeds is done yet, so nothing can be said."]
        return Answer(shift.name, shift.title, (), tuple(told))
    sentences = [_on_target(grid, shift, target, on_target)]
    if unseen is not None:
        sentences.append(_on_unseen(shift, target, unseen))
    waiting = _incomplete(grid, shift)
    if waiting:
        verb = "lacks" if waiting == 1 else "lack"
        sentences.append(
            f"{_count(waiting, 'combination')} of method and encoder {verb} a seed and could still "
            "be better."
        )
    found = tuple(best for best in (target, unseen) if best)
    return Answer(shift.name, shift.title, found, tuple(sentences))


def _scores(
    grid: Grid, shift: Shift, tables: Sequence[Table], name: str, domain: str
) -> Iterator[tuple[str, TableCell]]:
    """Each competing combination's mIoU on ``domain``, over all seeds, with its title."""
    methods = {method.name: method.title for method in grid.methods}
    encoders = {encoder.name: encoder.title for encoder in grid.encoders}
    for table in tables:
        if table.name != name:
            continue
        for section, row, column, cell in table.cells():
            keys = dict((*section.keys, *row.keys, *column.keys))
            wanted = keys.get("shift") == shift.name and keys.get("domain") == domain
            if not wanted or not row.ranked or row.source or cell.quantity != MIOU:
                continue
            if cell.state == "done" and cell.value is not None:
                title = f"{methods[keys['method']]} with {encoders[keys['encoder']]}"
                yield title, cell


def _incomplete(grid: Grid, shift: Shift) -> int:
    """How many competing combinations are not done with every seed that the suite asks for."""
    samples = [
        grid.sample(method, encoder, shift, (shift.target,))
        for method in grid.methods
        if method.role != "oracle"
        for encoder in grid.encoders
    ]
    return sum(sample.expected > 0 and sample.state != "done" for sample in samples)


def _best(label: str, scores: Sequence[tuple[str, TableCell]]) -> Best | None:
    """The largest printed value, and the one behind it."""
    if not scores:
        return None
    rounded = [MIOU.round(cell.value or 0.0) for _, cell in scores]
    top = max(rounded)
    names = tuple(title for (title, _), value in zip(scores, rounded, strict=True) if value == top)
    cell = next(cell for title, cell in scores if title == names[0])
    lower = [value for value in rounded if value < top]
    second = ""
    if lower:
        place = rounded.index(max(lower))
        second = f"{scores[place][0]}: {MIOU.format(scores[place][1].value or 0.0)}"
    delta = cell.delta
    gained = delta is not None and delta.value is not None
    return Best(
        label,
        names,
        MIOU.format(cell.value or 0.0),
        MIOU.format_spread(cell.spread) if cell.spread is not None else "",
        delta.quantity.format(delta.value) if delta and gained and delta.value is not None else "",
        second,
    )


def _on_target(
    grid: Grid, shift: Shift, best: Best, scores: Sequence[tuple[str, TableCell]]
) -> str:
    text = f"{_names(best)} best on {shift.target.short}, the target: {best.value} mIoU"
    baseline = grid.reference("baseline")
    if best.gain and baseline:
        text += f", {best.gain} points over {baseline.title}"
    return f"{text}; {_certainty(grid, best, scores)}."


def _certainty(grid: Grid, best: Best, scores: Sequence[tuple[str, TableCell]]) -> str:
    """Whether the best one's gain is marked, in words."""
    deltas = [cell.delta for title, cell in scores if title in best.names]
    if len(grid.seeds) < 2:
        return "one seed cannot mark a difference"
    if not any(delta is not None and delta.value is not None for delta in deltas):
        return "no difference to a baseline is known"
    if any(delta is not None and delta.marked for delta in deltas):
        return "this gain survives both seeds and images"
    if all(delta is None or delta.interval is None for delta in deltas):
        return "this gain is not marked: no interval over images is known"
    return "this gain is not marked: it does not survive both seeds and images"


def _on_unseen(shift: Shift, target: Best, unseen: Best) -> str:
    domains = ", ".join(domain.short for domain in shift.unseen)
    mean = f"{unseen.value} mIoU" + (" on average" if len(shift.unseen) > 1 else "")
    if unseen.names == target.names:
        again = "is best again" if len(unseen.names) == 1 else "are best again"
        who = "It" if len(unseen.names) == 1 else "They"
        return f"{who} {again} on domains that nobody trained on ({domains}): {mean}."
    return f"On domains that nobody trained on ({domains}), {_names(unseen)} best: {mean}."


def _names(best: Best) -> str:
    if len(best.names) == 1:
        return f"{best.names[0]} is"
    return f"{', '.join(best.names[:-1])} and {best.names[-1]} are equally"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
