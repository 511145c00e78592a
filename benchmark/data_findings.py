"""What a check of a domain's files found: the numbers, and the problems in groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmseg_ext.datasets.inspection import Finding, Size, Subject

ERROR, WARNING, NOTE = "error", "warning", "note"
KEPT = 1000
"""Sentences about one kind of problem in a report; all are counted."""


@dataclass
class Problem:
    """One kind of problem: how often it was found, and the first sentences about it."""

    level: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class SplitReport:
    """What was found of the split a domain is trained or scored on.

    Attributes:
        layout: name of the layout that fits, ``None`` where nothing does.
        published: how many images there are in the data set, where that is known.
        shares: of each class in the labelled pixels, by class; ``ignored``: in all pixels.
        usable: training on it, or scoring on it, could start.
    """

    split: str
    layout: str | None = None
    images: int = 0
    labels: int = 0
    excluded: int = 0
    published: int | None = None
    image_sizes: dict[str, int] = field(default_factory=dict)
    image_modes: dict[str, int] = field(default_factory=dict)
    label_sizes: dict[str, int] = field(default_factory=dict)
    label_modes: dict[str, int] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    ignored: float | None = None
    never_seen: list[str] = field(default_factory=list)
    problems: dict[str, Problem] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        return self.layout is not None and not has_errors(self.problems)

    def report(self, kind: str, level: str, *texts: str) -> None:
        """Count a problem once for each sentence about it."""
        add_problem(self.problems, kind, level, *texts)


@dataclass
class DomainReport:
    """What was found of a domain; ``ready``: everything it is for could start."""

    domain: str
    dataset: str
    label_map: str
    folder: str
    is_there: bool = False
    is_export: bool = False
    splits: list[SplitReport] = field(default_factory=list)
    problems: dict[str, Problem] = field(default_factory=dict)
    excluded: dict[str, str] = field(default_factory=dict)
    download: dict[str, Any] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        whole = self.is_there and not has_errors(self.problems)
        return whole and all(split.usable for split in self.splits)


def has_errors(problems: Mapping[str, Problem]) -> bool:
    """Whether one of the problems stops training or scoring."""
    return any(problem.level == ERROR for problem in problems.values())


def add_problem(problems: dict[str, Problem], kind: str, level: str, *texts: str) -> None:
    """Count a problem once for each sentence about it."""
    for text in texts:
        problem = problems.setdefault(kind, Problem(level))
        problem.count += 1
        if len(problem.examples) < KEPT:
            problem.examples.append(text)


class Tally:
    """Adds up findings into a split's report.

    Args:
        label_map: train id of the data set's ids.
        sizes: of the published images; empty where they differ.
    """

    def __init__(self, label_map: Mapping[Any, int], sizes: Sequence[Size]) -> None:
        from mmseg_ext.datasets.classes import IGNORE_LABEL

        self._train_ids = {int(k): v for k, v in label_map.items() if v != IGNORE_LABEL}
        self._sizes = {tuple(size) for size in sizes}
        self._pixels: defaultdict[int, int] = defaultdict(int)  # of the data set's ids

    def add(self, report: SplitReport, subject: Subject, finding: Finding) -> None:
        """Add what was found of one image and its label."""
        from mmseg_ext.datasets.inspection import ERRORS, RESIZED

        if finding.image_size is not None:
            _add(report.image_sizes, "{}x{}".format(*finding.image_size))
            _add(report.image_modes, finding.image_mode or "unknown")
            if self._sizes and finding.image_size not in self._sizes:
                text = "{}: {}x{}".format(subject.image, *finding.image_size)
                report.report("image of another size than published", NOTE, text)
        if finding.label_size is not None:
            _add(report.label_sizes, "{}x{}".format(*finding.label_size))
            _add(report.label_modes, finding.label_mode or "unknown")
            if not any(kind in ERRORS for kind, _ in finding.problems):
                self._count(report, subject, finding)
        for kind, text in finding.problems:
            level = ERROR if kind in ERRORS else NOTE if kind == RESIZED else WARNING
            report.report(kind, level, text)

    def _count(self, report: SplitReport, subject: Subject, finding: Finding) -> None:
        for value, pixels in finding.ids.items():
            self._pixels[value] += pixels
        if self._train_ids.keys().isdisjoint(finding.ids):
            report.report("label without a class", WARNING, f"{subject.label}: nothing to learn")

    def finish(self, report: SplitReport) -> None:
        """Fill in what depends on all findings."""
        from mmseg_ext.datasets.classes import CLASSES

        for counts in (
            report.image_sizes,
            report.image_modes,
            report.label_sizes,
            report.label_modes,
        ):
            ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            counts.clear()
            counts.update(ordered)
        for problem in report.problems.values():
            problem.examples.sort()  # worker processes finish in any order
        if self._look_converted():
            text = f"no id above {len(CLASSES) - 1} in any label; restore the data set's own labels"
            report.report("labels that look like train ids", ERROR, text)
        of_class = [0] * len(CLASSES)
        for value, pixels in self._pixels.items():
            if value in self._train_ids:
                of_class[self._train_ids[value]] += pixels
        total, labelled = sum(self._pixels.values()), sum(of_class)
        if total:
            report.ignored = 1 - labelled / total
            shares = {n: c / max(1, labelled) for n, c in zip(CLASSES, of_class, strict=True)}
            report.shares = {name: share for name, share in shares.items() if share}
            report.never_seen = [name for name, share in shares.items() if not share]

    def _look_converted(self) -> bool:
        """Whether all labels together hold train ids alone, where other ids are the rule.

        A single label that was converted before is known by its 255; one without void pixels holds
        nothing that may not occur.
        """
        from mmseg_ext.datasets.classes import CLASSES

        last = len(CLASSES) - 1
        above = sum(value > last for value in self._train_ids)
        usual = above > len(self._train_ids) / 2
        return usual and len(self._pixels) > 1 and max(self._pixels) <= last


def _add(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
