"""The measured grid as plain data: what the table builders read.

No file, registry or plan is needed to make a ``Grid``; ``benchmark.report.gather`` makes one from
a plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmark.cell import Cell
from benchmark.claims import Claim
from benchmark.probes import Probe
from benchmark.records import Cost, DomainMetrics
from benchmark.report.intervals import Intervals
from benchmark.report.model import RecordRef
from benchmark.report.sample import Gap, Sample
from benchmark.report.statistics.collapse import collapsed
from benchmark.report.statistics.seeds import mean


@dataclass(frozen=True)
class Method:
    """A method as the tables show it; ``role`` is baseline, control, uda or oracle."""

    name: str
    title: str
    role: str = "uda"
    card: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Encoder:
    """An encoder as the tables show it, with the card of its fragment.

    ``untrained`` names the encoder of the suite that is the same network from random weights.
    """

    name: str
    title: str
    card: Mapping[str, Any] = field(default_factory=dict)
    untrained: str = ""


@dataclass(frozen=True)
class Domain:
    """A domain as the tables show it; ``short`` heads a column.

    ``note`` says which of several label maps of its data set it is scored with.
    """

    name: str
    short: str
    note: str = ""


@dataclass(frozen=True)
class Shift:
    """A shift: the target domain and the unseen domains, in the order of the columns.

    ``source`` names the labelled domain, several joined by ``+``; ``classes`` is the number of
    classes whose mean is the headline.
    """

    name: str
    title: str
    target: Domain
    unseen: tuple[Domain, ...] = ()
    source: str = ""
    classes: int = 19


RESUMED = 0.7
"""Share of its steps' time below which a training was not measured from its beginning."""


@dataclass(frozen=True)
class Outcome:
    """What is known of one cell.

    ``state`` is ``done`` or one of ``MISSING_STATES``; ``metrics`` (by domain name), ``cost`` and
    ``diagnostics`` are those of its record and count only where the state is ``done``; ``reason``
    says why a cell is not done, or what to know about one that is: that its stale record was
    accepted, or what its record notes. ``scoring`` is the part of its configuration that says which
    classes count and how groups of images are averaged (see ``benchmark.scores``); ``config`` is
    the whole configuration, empty for an excluded cell, and ``provenance`` the record's.
    """

    state: str
    metrics: Mapping[str, DomainMetrics] = field(default_factory=dict)
    reason: str = ""
    record: RecordRef | None = None
    cost: Cost | None = None
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    scoring: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    def miou(self, domain: str, condition: str = "") -> float | None:
        """mIoU on ``domain``, or on its images of a condition, in percent; ``None`` if unusable."""
        if (scores := self.metrics.get(domain)) is None:
            return None
        value = scores.groups.get(condition, math.nan) if condition else scores.miou
        return value if math.isfinite(value) else None

    @property
    def device_hours(self) -> float | None:
        """What the whole cell took; ``None`` where nobody knows.

        That is the case where a part of an interrupted training was not timed: then it took less
        than its steps take.
        """
        if self.cost is None or not math.isfinite(self.cost.device_hours):
            return None
        length = self.config.get("train_cfg", {}).get("max_iters", 0)
        steps = length * self.cost.seconds_per_iteration
        return None if self.cost.train_seconds < RESUMED * steps else self.cost.device_hours


@dataclass(frozen=True)
class Grid:
    """A suite's axes and the outcome of every cell. A cell without an outcome is missing.

    ``iterations`` is the training length that replaces the protocol's, if one does. ``intervals``
    knows the intervals over images, where there are any. ``reference_encoder`` and ``tables`` are
    the suite's choices, empty where it makes none. ``evaluation`` names the preset that cells are
    scored by, if it has a name, and ``evaluations`` that of methods with a protocol of their own.
    ``claims`` are those that the suite puts to the test. ``provenance`` says of the suite's
    settings where they are from. ``probes`` are steps that were profiled by themselves.
    ``zero_shot`` has, by encoder and shift, what was labelled by class names alone.
    """

    title: str
    methods: tuple[Method, ...]
    encoders: tuple[Encoder, ...]
    shifts: tuple[Shift, ...]
    seeds: tuple[int, ...]
    outcomes: Mapping[Cell, Outcome]
    iterations: int | None = None
    intervals: Intervals | None = None
    reference_encoder: str = ""
    tables: tuple[str, ...] = ()
    evaluation: str = ""
    claims: tuple[Claim, ...] = ()
    evaluations: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    probes: tuple[Probe, ...] = ()
    zero_shot: Mapping[tuple[str, str], Outcome] = field(default_factory=dict)

    def scores(self, shift: Shift, domain: Domain) -> list[DomainMetrics]:
        """What the done cells of a shift scored on a domain."""
        return [
            outcome.metrics[domain.name]
            for cell, outcome in self.outcomes.items()
            if cell.shift == shift.name and outcome.state == "done"
            if domain.name in outcome.metrics
        ]

    def evaluation_of(self, method: str) -> str:
        """Name of the preset that cells of a method are scored by, empty if it has none."""
        return self.evaluations.get(method, self.evaluation)

    def encoder_reference(self) -> Encoder | None:
        """The encoder that others are compared with, ``None`` where there is nothing to compare.

        It is the suite's choice, else the first one that was pre-trained on ImageNet.
        """
        if len(self.encoders) < 2:
            return None
        named = [each for each in self.encoders if each.name == self.reference_encoder]
        plain = [e for e in self.encoders if str(e.card.get("pretraining")).startswith("ImageNet")]
        return next(iter(named + plain), None)

    def reference(self, role: str) -> Method | None:
        """The method that gains are measured from (``baseline``) or to (``oracle``).

        Where several have the role, the one of the conventional name (``source-only``,
        ``oracle``) is meant, else the first in the suite's order.
        """
        conventional = "source-only" if role == "baseline" else role
        having = [method for method in self.methods if method.role == role]
        named = [method for method in having if method.name == conventional]
        return next(iter(named + having), None)

    def notes(self, shift: Shift, domains: Sequence[Domain]) -> list[str]:
        """What a reader must know of scores on these domains, each sentence once."""
        found: list[str] = []
        for domain in domains:
            measured = [
                note
                for cell, outcome in self.outcomes.items()
                if cell.shift == shift.name
                if domain.name in outcome.metrics
                for note in outcome.metrics[domain.name].notes
            ]
            found += [domain.note] if domain.note else []
            found += [f"{domain.short}: {note}" for note in measured]
        return list(dict.fromkeys(found))

    def sample(
        self, method: Method, encoder: Encoder, shift: Shift, domains: Sequence[Domain]
    ) -> Sample:
        """The mIoU over seeds, averaged over ``domains`` within each seed.

        A seed that lacks one of the domains has no value: a mean over fewer domains would be
        another quantity. A value on one domain that alarms (see ``collapsed``) has a remark.
        """

        def score(outcome: Outcome) -> float | None:
            scores = {i: outcome.miou(domain.name) for i, domain in enumerate(domains)}
            known = {i: value for i, value in scores.items() if value is not None}
            return mean(known) if known and len(known) == len(scores) else None

        def lacking(outcome: Outcome) -> str:
            return "score on " + ", ".join(
                domain.name for domain in domains if outcome.miou(domain.name) is None
            )

        found = self.sampled(method, encoder, shift, score, lacking)
        if len(domains) != 1:
            return found
        cells = [Cell(method.name, encoder.name, shift.name, seed) for seed in found.values]
        alarms = [Gap(c.seed, text, "") for c in cells for text in self.alarms(c, domains[0])]
        return replace(found, remarks=(*found.remarks, *alarms))

    def alarms(self, cell: Cell, domain: Domain) -> tuple[str, ...]:
        """What is alarming about the scores of a done cell, beside those of the baseline."""
        baseline = self.reference("baseline")
        metrics = self.outcomes[cell].metrics[domain.name]
        other = replace(cell, method=baseline.name) if baseline is not None else cell
        ground = self.outcomes.get(other) if other != cell else None
        done = ground is not None and ground.state == "done"
        return collapsed(metrics, ground.metrics.get(domain.name) if ground and done else None)

    def sampled(
        self,
        method: Method,
        encoder: Encoder,
        shift: Shift,
        value: Callable[[Outcome], float | None],
        lacking: Callable[[Outcome], str],
    ) -> Sample:
        """``value`` of each done seed; where it is ``None`` the seed is absent.

        ``lacking`` names what the record of such a seed does not have.
        """
        values: dict[int, float] = {}
        records: dict[int, RecordRef] = {}
        gaps: list[Gap] = []
        remarks: list[Gap] = []
        for seed in sorted(self.seeds):
            cell = Cell(method.name, encoder.name, shift.name, seed)
            outcome = self.outcomes.get(cell, Outcome("missing"))
            if outcome.state != "done":
                gaps.append(Gap(seed, outcome.state, outcome.reason))
                continue
            found = value(outcome)
            if found is None:
                gaps.append(Gap(seed, "absent", f"the record has no {lacking(outcome)}"))
                continue
            values[seed] = found
            if outcome.reason:
                remarks.append(Gap(seed, outcome.reason, ""))
            if outcome.record is not None:
                records[seed] = outcome.record
        return Sample(values, records, tuple(gaps), tuple(remarks))
