"""From a plan to the plain grid that the table builders read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmark import claims, paths, probes, registry, zero_shot
from benchmark.cell import Cell
from benchmark.domains import FILES, dataset_of
from benchmark.errors import FragmentError, RecordError
from benchmark.records import Identity, Record
from benchmark.report.grid import Domain, Encoder, Grid, Method, Outcome, Shift
from benchmark.report.model import MISSING_STATES, RecordRef
from benchmark.report.statistics.image_intervals import ImageIntervals


class SuiteLike(Protocol):
    """What the report reads of a suite: its title, axes and choices of tables."""

    @property
    def title(self) -> str: ...
    @property
    def methods(self) -> Sequence[str]: ...
    @property
    def encoders(self) -> Sequence[str]: ...
    @property
    def shifts(self) -> Sequence[str]: ...
    @property
    def seeds(self) -> Sequence[int]: ...
    @property
    def reference_encoder(self) -> str: ...
    @property
    def tables(self) -> Sequence[str]: ...
    @property
    def protocol(self) -> str: ...
    @property
    def protocols(self) -> Mapping[str, str]: ...
    @property
    def provenance(self) -> Mapping[str, str]: ...
    @property
    def claims(self) -> Sequence[str]: ...


class EntryLike(Protocol):
    """What the report reads of a planned cell."""

    @property
    def cell(self) -> Cell: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def record(self) -> Record | None: ...
    @property
    def accepted(self) -> bool: ...
    @property
    def config(self) -> Mapping[str, Any]: ...
    @property
    def identity(self) -> Identity | None: ...


class PlanLike(Protocol):
    """What the report reads of a plan."""

    @property
    def suite(self) -> SuiteLike: ...
    @property
    def folder(self) -> Path: ...
    @property
    def entries(self) -> Sequence[EntryLike]: ...
    @property
    def iterations(self) -> int | None: ...


def from_plan(plan: PlanLike) -> Grid:
    """The measured grid of ``plan``, with titles from the fragments' cards.

    Raises:
        UsageError: the suite names a fragment that does not exist, or a file among its profiles
            is none.
        FragmentError: a shift names no target.
        RecordError: a record has a state that the report does not know.
    """
    suite = plan.suite
    intervals = ImageIntervals(plan)
    methods = {name: _card("method", name) for name in suite.methods}
    titles = _distinct({name: str(card["title"]) for name, card in methods.items()})
    towers = {name: _card("encoder", name) for name in suite.encoders}
    encoders = _distinct({name: str(card["title"]) for name, card in towers.items()})
    shifts = _distinct({name: str(_card("shift", name)["title"]) for name in suite.shifts})
    return Grid(
        title=suite.title,
        methods=tuple(
            Method(name, titles[name], str(card.get("role", "uda")), card)
            for name, card in methods.items()
        ),
        encoders=tuple(
            Encoder(name, title, towers[name], _untrained(name, suite.encoders))
            for name, title in encoders.items()
        ),
        shifts=tuple(_shift(name, title) for name, title in shifts.items()),
        seeds=tuple(suite.seeds),
        outcomes={entry.cell: outcome(entry) for entry in plan.entries},
        iterations=plan.iterations,
        reference_encoder=suite.reference_encoder,
        tables=tuple(suite.tables),
        evaluation=_evaluation(suite.protocol),
        evaluations={name: _evaluation(other) for name, other in suite.protocols.items()},
        provenance=suite.provenance,
        claims=tuple(claims.load(name) for name in suite.claims),
        intervals=intervals if intervals.known_counts else None,
        probes=probes.beside_records(plan.folder),
        zero_shot=_zero_shot(plan),
    )


def outcome(entry: EntryLike) -> Outcome:
    """What the tables may say about one planned cell.

    Only a done cell lends its numbers: those of a stale record answer another question. A stale
    record that was accepted is done, and its reason says so. What a record notes of its training
    (micro-batches after out of memory) is told with its numbers.
    """
    record = entry.record
    if entry.state == "done" and record is not None:
        ref = RecordRef(record.cell.stem, record.identity.id)
        told = [entry.reason] if entry.accepted and entry.reason else []
        return Outcome(
            "done",
            record.metrics,
            "; ".join([*told, *record.notes]),
            ref,
            record.cost,
            record.diagnostics,
            entry.config.get("scoring", {}),
            record.provenance,
            entry.config,
        )
    reason = entry.reason or ""
    if entry.state == "failed" and record is not None and record.failure is not None:
        failure = record.failure
        reason = f"{failure.kind}: {failure.message}" if failure.message else failure.kind
    if entry.state not in MISSING_STATES:
        raise RecordError(
            f"{entry.cell}: cannot show a cell in state {entry.state!r}; delete its record to run "
            "the cell again"
        )
    return Outcome(entry.state, reason=reason, config=entry.config)


def _zero_shot(plan: PlanLike) -> dict[tuple[str, str], Outcome]:
    """The zero-shot records on disk by encoder and shift; those that are not current say why."""
    if not (plan.folder / zero_shot.FOLDER).is_dir():
        return {}
    outcomes = {}
    for probe in zero_shot.probes(plan.entries, plan.suite.protocols):
        found = zero_shot.find(probe, plan.folder)
        if found.state == "done" and found.record is not None:
            ref = RecordRef(probe.stem, found.record.identity.id, zero_shot.FOLDER)
            outcome = Outcome("done", found.record.metrics, record=ref)
        elif found.state == "missing":
            continue
        else:
            outcome = Outcome(found.state, reason=found.reason)
        outcomes[probe.encoder, probe.shift] = outcome
    return outcomes


def _evaluation(protocol: str) -> str:
    """The preset that a protocol scores by; empty where it states rules of its own."""
    if protocol not in registry.names("protocol"):
        return ""
    named = registry.find("protocol", protocol).values.get("evaluation")
    return named if isinstance(named, str) else ""


def _card(kind: str, name: str) -> Mapping[str, object]:
    return registry.find(kind, name).card


def _untrained(name: str, others: Sequence[str]) -> str:
    """Which of the encoders is ``name``'s network from random weights, empty if none is."""

    def backbone(of: str) -> dict[str, Any]:
        given = registry.find("encoder", of).values.get("backbone") or {}
        return {key: value for key, value in given.items() if value is not None}

    own = backbone(name)
    if own.pop("pretrained", None) is None:
        return ""
    return next((each for each in others if backbone(each) == own), "")


def _shift(name: str, title: str) -> Shift:
    fragment = registry.find("shift", name)
    target, unseen = fragment.values.get("target"), fragment.values.get("unseen", ())
    if not isinstance(target, str):
        raise FragmentError(
            f"{paths.shown(fragment.path)}: a shift must name its target domain, found {target!r}"
        )
    names = [target, *unseen]
    shorts = _distinct({each: _short(each) for each in names})
    first, *others = (Domain(each, shorts[each], _variant(each, shorts[each])) for each in names)
    source = fragment.values.get("source", "")
    return Shift(
        name,
        title,
        first,
        tuple(others),
        source if isinstance(source, str) else "+".join(source),
        len(fragment.values.get("classes", ())) or Shift.classes,
    )


def _short(name: str) -> str:
    card = _card("domain", name)
    return str(card.get("short") or card["title"])


def _variant(name: str, short: str) -> str:
    """Which label map a domain is scored with, if its data set has several.

    The variant is a domain's own: two of them never share a column, whatever their titles.
    """
    domain = registry.find("domain", name)
    if domain.values.get("reader") != FILES:
        return ""
    dataset = dataset_of(domain)
    if len(dataset.values.get("label_maps", ())) < 2:
        return ""
    return (
        f"{short}: labels of {dataset.card['title']} by the map {domain.require('label_map')}; "
        "scores by another map do not compare"
    )


def _distinct(titles: Mapping[str, str]) -> dict[str, str]:
    """``titles``, with the name behind every title that stands for more than one thing."""
    counts = Counter(titles.values())
    return {
        name: title if counts[title] == 1 else f"{title} ({name})" for name, title in titles.items()
    }
