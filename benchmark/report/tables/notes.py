"""The words of the foot-notes: why a number is missing or stands for fewer seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from benchmark.report.model import one_line
from benchmark.report.sample import Gap, Sample
from benchmark.report.statistics.seeds import SMALLEST_GAP

LONGEST_REASON = 200
SELF_EXPLAINING = ("missing", "running")
"""States whose word in the table says everything."""


def shorten(reason: str) -> str:
    """``reason`` on one line of at most ``LONGEST_REASON`` characters."""
    line = one_line(reason)
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 3].rstrip() + "..."


def of_sample(sample: Sample) -> str | None:
    """The foot-note of a value over seeds, ``None`` where the cell speaks for itself."""
    if not sample.gaps:
        return None
    listed = "; ".join(_gaps(sample.gaps))
    if sample.values:
        if len(sample.values) == sample.expected:
            return listed
        return f"{len(sample.values)} of {sample.expected} seeds: {listed}"
    kinds = {(gap.state, _told(gap)) for gap in sample.gaps}
    if len(kinds) > 1:
        return listed
    ((state, reason),) = kinds
    if state in SELF_EXPLAINING:
        return None
    return _phrase(state, reason)


def of_remarks(sample: Sample) -> str:
    """What to know about the values themselves; empty for plain ones."""
    told = [dataclasses.replace(each, state=shorten(each.state)) for each in sample.remarks]
    if len(told) == sample.expected and len({each.state for each in told}) == 1:
        return told[0].state
    return "; ".join(_gaps(told))


def reference_remarks(title: str, sample: Sample) -> str:
    """What to know about the values that others are compared with; empty for plain ones."""
    told = of_remarks(sample)
    return f"{title}: {told}" if told else ""


def fewer_seeds(what: str, used: int, available: int, lacking: Sequence[str]) -> str:
    """The foot-note of a derived number over fewer seeds than its value has."""
    return f"{what} over {used} of {available} seeds: {_lacks(lacking)} the others"


def no_reference(what: str, lacking: Sequence[str]) -> str:
    """The foot-note of a derived number that has no reference."""
    return f"no {what}: {_lacks(lacking)} a result with the same seed"


def no_gap(floor: str, ceiling: str) -> str:
    """The foot-note of a share of a gap that is not there."""
    return f"no gap to close: {ceiling} is less than {SMALLEST_GAP} points above {floor}"


def small_gap(encoder: str, size: float) -> str:
    """The foot-note of shares of a gap that is little more than what seeds differ by."""
    return f"{encoder}: shares of {size:.1f} points only, of which one is {100 / size:.0f} %"


def _lacks(names: Sequence[str]) -> str:
    return f"{' and '.join(names)} {'lacks' if len(names) == 1 else 'lack'}"


def _gaps(gaps: Iterable[Gap]) -> list[str]:
    """One phrase for each kind of gap, in the order of their first seeds."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for gap in gaps:
        seeds.setdefault((gap.state, _told(gap)), []).append(gap.seed)
    return [
        f"seed{'s' if len(members) > 1 else ''} {', '.join(map(str, members))} "
        + _phrase(state, reason)
        for (state, reason), members in seeds.items()
    ]


def _told(gap: Gap) -> str:
    return "" if gap.state in SELF_EXPLAINING else shorten(gap.reason)


def _phrase(state: str, reason: str) -> str:
    return f"{state} ({reason})" if reason else state
