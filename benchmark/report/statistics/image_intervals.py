"""The intervals over images of a suite: read where they are known, else computed from counts."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from benchmark import artifacts
from benchmark.records import Record
from benchmark.report.model import RecordRef
from benchmark.report.statistics import images, interval_store
from benchmark.report.statistics.interval_store import Bounds, Question
from benchmark.scores import LEVEL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmark.report.gather import PlanLike

Pairs = Sequence[tuple[RecordRef, RecordRef]]

NO_COUNTS = "no interval over images: the per-image counts are not here"
NO_GROUPS = "no interval over images: which images belong to which group was not stored"
OTHER_IMAGES = "no interval over images: the two were scored on other images or labels"
TOO_FEW = "no interval over images: too few labelled images to draw from"
MANY_TIMES = "no interval over images: each image is there many times, corrupted in other ways"
DECIMALS = 6
"""Decimals of points that are kept: the last bits may differ from machine to machine."""
PATIENCE = 2.0
"""Seconds of computing before a line says so, and between such lines."""


class ImageIntervals:
    """Answers what ``benchmark.report.intervals.Intervals`` asks, for the records of a plan.

    A known answer costs no look at a cell's files. What had to be computed is in ``contents``,
    which the report writes.
    """

    def __init__(self, plan: PlanLike, stream: TextIO | None = None) -> None:
        """``stream`` is told how far long computations are; standard error by default."""
        found = [entry for entry in plan.entries if entry.record is not None]
        self._folder = plan.folder
        self._entries = {
            RecordRef(entry.record.cell.stem, entry.record.identity.id): (entry.record, entry)
            for entry in found
            if entry.record is not None
        }
        self._digests = {d for record, _ in self._entries.values() if (d := _sha256(record))}
        self._stored: dict[Question, Bounds] | None = None
        self._asked: dict[Question, Bounds] = {}
        self._failed: dict[Question, str] = {}
        self._stream = stream
        self._begun = self._told = 0.0
        self._sums = lru_cache(maxsize=32)(self._read_sums)
        self._counts = lru_cache(maxsize=4)(self._read_counts)

    @property
    def known_counts(self) -> bool:
        """Whether any record says that there were counts; without, nothing is ever known."""
        return bool(self._digests)

    def of(self, pairs: Pairs, domain: str) -> Bounds | None:
        """95 % interval of the seed-averaged mIoU of the first minus the second, in points.

        Raises:
            RecordError: the stored intervals cannot be read.
        """
        question, _ = self._question(pairs, domain)
        if question is None or question in self._failed:
            return None
        if self._stored is None:
            self._stored = interval_store.read(self._folder / interval_store.FILE)
        bounds = self._asked.get(question) or self._stored.get(question)
        if bounds is None:
            answer = self._compute(question, pairs)
            if isinstance(answer, str):
                self._failed[question] = answer
                return None
            bounds = answer
        self._asked[question] = bounds
        return bounds

    def why(self, pairs: Pairs, domain: str) -> str:
        """Why ``of`` gave no interval, for a foot-note."""
        question, _ = self._question(pairs, domain)
        return NO_COUNTS if question is None else self._failed.get(question, NO_COUNTS)

    def contents(self) -> Mapping[Path, str]:
        """The file that keeps the intervals, with what it is to hold; none if there are none."""
        if self._stored is None:
            return {}
        kept = interval_store.needed(self._stored, self._digests, self._asked)
        return {self._folder / interval_store.FILE: interval_store.text(kept)}

    def _question(self, pairs: Pairs, domain: str) -> tuple[Question | None, Pairs]:
        """The question and its pairs in the order of their digests; ``None`` without counts."""
        try:
            listed = [
                ((_sha256(self._entries[a][0]), _sha256(self._entries[b][0])), (a, b))
                for a, b in pairs
            ]
        except KeyError:
            return None, pairs
        if not listed or not all(a and b for (a, b), _ in listed):
            return None, pairs
        listed.sort(key=lambda each: each[0])
        record, entry = self._entries[listed[0][1][0]]
        scoring = entry.config.get("scoring", {})
        scores = record.metrics.get(domain)
        by_group = scoring.get("mean") == "per-condition" and scores is not None and scores.groups
        classes = scoring.get("classes")
        question = Question(
            pairs=tuple(digests for digests, _ in listed),
            domain=domain,
            classes=None if classes is None else tuple(classes),
            mean="per-condition" if by_group else "pooled",
        )
        return question, [refs for _, refs in listed]

    def _compute(self, question: Question, pairs: Pairs) -> Bounds | str:
        """The interval, or why there is none."""
        import numpy as np

        _, pairs = self._question(pairs, question.domain)
        if self._is_corrupted(pairs[0][0], question.domain):
            return MANY_TIMES  # drawn one by one they would look like so many other images
        self._tell()
        sides = [[self._sums(ref, question.domain) for ref in pair] for pair in pairs]
        flat = [side for pair in sides for side in pair]
        if any(side is None for side in flat):
            return NO_COUNTS
        first, truth = flat[0], flat[0][0][:, 1]
        if any(not np.array_equal(sums[:, 1], truth) for sums, _ in flat):
            return OTHER_IMAGES
        groups = None
        if question.mean == "per-condition":
            if first[1] is None:
                return NO_GROUPS
            groups = _places(first[1], truth)
        found = images.interval(
            [(a[0], b[0]) for a, b in sides],
            seed=question.seed,
            groups=groups,
            classes=question.classes,
        )
        return TOO_FEW if found is None else (round(found[0], DECIMALS), round(found[1], DECIMALS))

    def _is_corrupted(self, ref: RecordRef, domain: str) -> bool:
        """Whether a record has scores at single severities of a domain."""
        scores = self._entries[ref][0].metrics.get(domain)
        return scores is not None and any(name.startswith(LEVEL) for name in scores.means)

    def _read_sums(self, ref: RecordRef, domain: str) -> Any:
        """Class sums (N, 3, C) of a record on a domain and its groups, ``None`` if not here."""
        found = self._counts(ref)
        if found is None or domain not in found:
            return None
        return images.class_sums(found[domain]), found.get(domain + artifacts.GROUPS)

    def _read_counts(self, ref: RecordRef) -> dict[str, NDArray[Any]] | None:
        stated = self._entries[ref][0].diagnostics["confusion"]
        return artifacts.read_confusion(self._folder / stated["file"], stated["sha256"])

    def _tell(self) -> None:
        """A line from time to time: hundreds of intervals take a while, once."""
        now = time.monotonic()
        self._begun = self._begun or now
        if now - max(self._begun, self._told) >= PATIENCE:
            self._told = now
            stream = self._stream or sys.stderr
            print(f"computing intervals over images: {len(self._asked)} known", file=stream)


def _sha256(record: Record) -> str:
    """What the record says of its counts; empty if it says nothing."""
    stated = record.diagnostics.get("confusion")
    if not isinstance(stated, Mapping) or not isinstance(stated.get("file"), str):
        return ""
    return str(stated.get("sha256") or "")


def _places(names: NDArray[np.str_], truth_nc: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Where the images of each group with a labelled pixel are; those of no group are left out."""
    import numpy as np

    places = [np.flatnonzero(names == name) for name in sorted({*names.tolist()} - {""})]
    return [each for each in places if truth_nc[each].sum() > 0]
