"""How one table cell comes about: a mean over seeds, a gain over a reference, a share of a gap."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.report.grid import Method
from benchmark.report.intervals import Intervals
from benchmark.report.model import GAIN, GAP_CLOSED, MIOU, Footnotes, Quantity, TableCell
from benchmark.report.sample import Sample
from benchmark.report.statistics import seeds as stats
from benchmark.report.tables import notes


@dataclass(frozen=True)
class Reference:
    """A method that others are compared with, and its values where they are compared."""

    method: Method
    sample: Sample


def over_seeds(sample: Sample, footnotes: Footnotes, quantity: Quantity = MIOU) -> TableCell:
    """The mean over seeds, or the state that stands in its place."""
    words = notes.of_sample(sample), notes.of_remarks(sample)
    marks = tuple(footnotes.number(text) for text in words if text)
    if not sample.values:
        return TableCell(quantity, sample.state, expected=sample.expected, footnotes=marks)
    return TableCell(
        quantity,
        sample.state,
        value=stats.mean(sample.values),
        spread=stats.spread(sample.values),
        n=len(sample.values),
        expected=sample.expected,
        footnotes=marks,
        records=sample.refs(sorted(sample.values)),
    )


def gain(
    sample: Sample,
    reference: Reference,
    footnotes: Footnotes,
    *,
    quantity: Quantity = GAIN,
    intervals: Intervals | None = None,
    domain: str = "",
) -> TableCell:
    """The difference to a reference, taken seed by seed and averaged over the shared seeds.

    With ``intervals`` and the ``domain`` of both samples the cell has a 95 % interval over images.
    It is marked if that interval and the one over seeds both leave out 0: never with one seed.
    """
    if not sample.values:
        return TableCell(quantity, sample.state, expected=sample.expected)
    paired = stats.differences(sample.values, reference.sample.values)
    marks = _marks(quantity.title, sample, len(paired), (reference,), footnotes)
    if not paired:
        return _undefined(quantity, sample, marks)
    seeds = tuple(sorted(paired))
    pairs = list(zip(sample.refs(seeds), reference.sample.refs(seeds), strict=False))
    over_images = None
    if intervals is not None and domain and len(pairs) == len(seeds):
        over_images = intervals.of(pairs, domain)
        if over_images is None:
            marks = (*marks, footnotes.number(intervals.why(pairs, domain)))
    return TableCell(
        quantity,
        _state(sample, seeds),
        value=stats.mean(paired),
        spread=stats.spread(paired),
        n=len(paired),
        expected=sample.expected,
        footnotes=marks,
        records=sample.refs(seeds) + reference.sample.refs(seeds),
        interval=over_images,
        marked=stats.excludes_zero(over_images) and stats.excludes_zero(stats.interval(paired)),
    )


def gap_closed(
    sample: Sample, floor: Reference, ceiling: Reference, footnotes: Footnotes
) -> TableCell:
    """The share of the way from ``floor`` to ``ceiling``, over the seeds that all three have.

    A ratio of means, not a mean of ratios: a seed with a small gap must not decide it. It has no
    spread for the same reason.
    """
    if not sample.values:
        return TableCell(GAP_CLOSED, sample.state, expected=sample.expected)
    samples = (sample, floor.sample, ceiling.sample)
    seeds = stats.common(*(each.values for each in samples))
    marks = _marks("share of the gap", sample, len(seeds), (floor, ceiling), footnotes)
    if not seeds:
        return _undefined(GAP_CLOSED, sample, marks)
    means = [stats.mean(stats.restrict(each.values, seeds)) for each in samples]
    share = stats.gap_closed(*means)
    if share is None:
        note = notes.no_gap(floor.method.title, ceiling.method.title)
        return _undefined(GAP_CLOSED, sample, (footnotes.number(note),))
    return TableCell(
        GAP_CLOSED,
        _state(sample, seeds),
        value=share,
        n=len(seeds),
        expected=sample.expected,
        footnotes=marks,
        records=tuple(ref for each in samples for ref in each.refs(seeds)),
    )


def _state(sample: Sample, seeds: tuple[int, ...]) -> str:
    return "done" if len(seeds) == sample.expected else "partial"


def _undefined(quantity: Quantity, sample: Sample, marks: tuple[int, ...]) -> TableCell:
    return TableCell(quantity, "undefined", expected=sample.expected, footnotes=marks)


def _marks(
    what: str,
    sample: Sample,
    used: int,
    references: tuple[Reference, ...],
    footnotes: Footnotes,
) -> tuple[int, ...]:
    """The foot-notes of a derived number: seeds it could not use, words on its references."""
    words = [notes.reference_remarks(each.method.title, each.sample) for each in references]
    marks = tuple(footnotes.number(text) for text in words if text) if used else ()
    available = len(sample.values)
    if used == available:
        return marks
    lacking = [
        reference.method.title
        for reference in references
        if not set(sample.values) <= set(reference.sample.values)
    ]
    if used == 0:
        return (footnotes.number(notes.no_reference(what, lacking)),)
    return (footnotes.number(notes.fewer_seeds(what, used, available, lacking)), *marks)
