"""Table 4: what was measured here beside what others have published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmark import published, registry
from benchmark.published import MEAN, OTHER, PublishedResult
from benchmark.report.grid import Domain, Grid, Method, Shift
from benchmark.report.model import (
    MIOU,
    Column,
    Footnotes,
    Row,
    Section,
    Table,
    TableCell,
    rank,
)
from benchmark.report.tables import cells
from benchmark.report.tables.wording import column_notes, measurement, noted, ranking

YES, NO = "yes", "no"
OTHER_MAP = "-openseg"
"""Ends the name of a domain that is another by its label map only."""


@dataclass(frozen=True)
class Scored:
    """A column: one domain of the shift, or several of which it holds the mean."""

    title: str
    domains: tuple[Domain, ...]

    def has(self, result: PublishedResult) -> bool:
        """Whether ``result`` belongs into this column, if need be with a foot-note."""
        names = {name.removesuffix(OTHER_MAP) for name in result.domains}
        return names == {domain.name for domain in self.domains}


def comparison(grid: Grid) -> Table:
    """For each shift, our rows beside published ones for the same source and domains.

    Published numbers are ranked with ours only where they were scored by the same preset, on the
    same split, classes and label map; all others stand in a section of their own without ranks.
    A shift whose source nobody has published on has no section.
    """
    footnotes = Footnotes()
    sections = [section for shift in grid.shifts for section in _sections(grid, shift, footnotes)]
    caption = ["Nothing is published for the shifts of this suite."]
    if sections:
        caption = [
            *measurement(grid),
            "Rows with a source are published numbers, not measured here; their spreads and seeds "
            "are as printed there.",
            "A published row stands beside ours where it was scored by the same preset, on the "
            "same split, classes and label map; training may differ all the same.",
            *ranking(grid, "among them"),
        ]
    return Table(
        name="comparison",
        title=f"{grid.title}: comparison with published results",
        caption=tuple(caption),
        sections=tuple(sections),
        notes=footnotes.texts,
    )


def _sections(grid: Grid, shift: Shift, footnotes: Footnotes) -> list[Section]:
    own = [Scored(domain.short, (domain,)) for domain in (shift.target, *shift.unseen)]
    related = [
        result
        for result in published.load()
        if result.shown and result.source == shift.source
        if result.target in ("", shift.target.name)
    ]
    scored = [*own, *_means(shift, related)]
    fitting = [result for result in related if any(each.has(result) for each in scored)]
    if not fitting:
        return []
    alike = [result for result in fitting if _compares(result, grid, shift)]
    others = [result for result in fitting if result not in alike]
    columns = [
        Column(
            each.title,
            MIOU,
            (("domain", "+".join(domain.name for domain in each.domains)),),
            ranked=True,
            footnotes=column_notes(grid, shift, each.domains, footnotes),
        )
        for each in scored
    ]
    rows = [
        *_measured(grid, shift, scored, footnotes),
        *_published(alike, grid, shift, scored, footnotes, tell_protocol=False),
    ]
    stub, keys = ("Method", "Encoder", "Target images"), (("shift", shift.name),)
    found = [Section(shift.title, stub, tuple(columns), rank(rows, columns), keys)]
    if others:
        title = f"{shift.title}: another protocol, not ranked with ours"
        plain = tuple(Column(c.title, c.quantity, c.keys) for c in columns)
        apart = _published(others, grid, shift, scored, footnotes, tell_protocol=True)
        found.append(Section(title, (*stub, "Scored as"), plain, tuple(apart), keys))
    return found


def _means(shift: Shift, results: Iterable[PublishedResult]) -> list[Scored]:
    """The means over several of the shift's domains that others publish."""
    known = {domain.name: domain for domain in (shift.target, *shift.unseen)}
    found: dict[tuple[Domain, ...], None] = {}
    for result in results:
        names = [name.removesuffix(OTHER_MAP) for name in result.domains]
        if result.domain.startswith(MEAN) and set(names) <= set(known):
            found[tuple(domain for name, domain in known.items() if name in names)] = None
    return [
        Scored(f"mean of {', '.join(domain.short for domain in domains)}", domains)
        for domains in sorted(found, key=len)
    ]


def _compares(result: PublishedResult, grid: Grid, shift: Shift) -> bool:
    """Whether ``result`` may be ranked with what was measured here."""
    return (
        bool(grid.evaluation)
        and result.protocol == grid.evaluation
        and not result.variant
        and result.split == "val"
        and result.classes == shift.classes
        and not any(name.endswith(OTHER_MAP) for name in result.domains)
    )


def _measured(
    grid: Grid, shift: Shift, scored: Sequence[Scored], footnotes: Footnotes
) -> list[Row]:
    return [
        Row(
            labels=(
                method.title,
                encoder.title,
                YES if method.role in ("uda", "oracle") else NO,
            ),
            cells=noted(
                [
                    cells.over_seeds(grid.sample(method, encoder, shift, each.domains), footnotes)
                    for each in scored
                ],
                _scored_apart(grid, method, footnotes),
            ),
            keys=(("method", method.name), ("encoder", encoder.name)),
            ranked=method.role != "oracle" and grid.evaluation_of(method.name) == grid.evaluation,
        )
        for method in grid.methods
        for encoder in grid.encoders
    ]


def _scored_apart(grid: Grid, method: Method, footnotes: Footnotes) -> tuple[int, ...]:
    """The foot-note of a method that the suite scores by another preset than the others."""
    own = grid.evaluation_of(method.name)
    if own == grid.evaluation:
        return ()
    scored = own or "rules of its own"
    return (footnotes.number(f"{method.title}: scored as in {scored}, so not ranked"),)


def _published(
    results: Sequence[PublishedResult],
    grid: Grid,
    shift: Shift,
    scored: Sequence[Scored],
    footnotes: Footnotes,
    *,
    tell_protocol: bool,
) -> list[Row]:
    """A row a published system, those that saw target images last, by name."""
    systems: dict[tuple[str, ...], list[PublishedResult]] = {}
    for result in results:
        system = (result.target, result.protocol, result.study, result.method, result.encoder)
        systems.setdefault(system, []).append(result)
    titles = _encoder_titles(grid, results)
    rows = []
    for (target, protocol, study, method, encoder), members in sorted(systems.items()):
        labels = [method, titles.get(encoder, encoder), YES if target else NO]
        if tell_protocol:
            labels.append("not known" if protocol == OTHER else protocol)
        rows.append(
            Row(
                labels=tuple(labels),
                cells=tuple(_cell(each, members, shift, footnotes) for each in scored),
                keys=(("method", method), ("encoder", encoder)),
                source=_source(study, members),
            )
        )
    return rows


def _encoder_titles(grid: Grid, results: Iterable[PublishedResult]) -> dict[str, str]:
    """Titles of the encoders that this benchmark has; the suite's own may be made distinct."""
    having = set(registry.names("encoder"))
    cards = {
        result.encoder: str(registry.find("encoder", result.encoder).card["title"])
        for result in results
        if result.encoder in having
    }
    return cards | {encoder.name: encoder.title for encoder in grid.encoders}


def _source(study: str, members: Sequence[PublishedResult]) -> str:
    arxiv = next((f" (arXiv {each.arxiv})" for each in members if each.arxiv), "")
    places = dict.fromkeys(each.where for each in members)
    return f"{study}{arxiv}: {'; '.join(places)}"


def _cell(
    scored: Scored, members: Sequence[PublishedResult], shift: Shift, footnotes: Footnotes
) -> TableCell:
    """The number of one column, that of the validation split where there are two."""
    fitting = [result for result in members if scored.has(result)]
    if not fitting:
        return TableCell(MIOU, "inapplicable")
    result = min(fitting, key=lambda each: (each.split != "val", each.split))
    return TableCell(
        MIOU,
        "done",
        value=result.miou,
        spread=result.spread,
        n=result.seeds or 0,
        expected=result.seeds or 0,
        footnotes=tuple(footnotes.number(text) for text in _remarks(result, shift)),
    )


def _remarks(result: PublishedResult, shift: Shift) -> list[str]:
    """What keeps a published number from comparing with others of its column."""
    found = []
    if result.split != "val":
        found.append("split not stated" if result.split == "not stated" else "on the test split")
    if result.classes is None:
        found.append("number of classes not stated")
    elif result.classes != shift.classes:
        found.append(f"mean of {result.classes} classes")
    if any(name.endswith(OTHER_MAP) for name in result.domains):
        found.append("Mapillary labels by the map openseg")
    if result.variant:
        found.append(result.variant)
    return found
