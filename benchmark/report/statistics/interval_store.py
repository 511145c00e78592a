"""Intervals beside the records: ``intervals.json``, so that a report needs no per-image counts.

An interval is found by everything that it was computed from: the digests of both records' counts
for each seed, the domain, which classes and means are scored, and how it was drawn. A record with
other counts therefore never finds an old interval.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import RecordError
from benchmark.identity import digest
from benchmark.report.statistics import images

FILE = "intervals.json"
SCHEMA = 1
Bounds = tuple[float, float]


@dataclass(frozen=True)
class Question:
    """What an interval is of.

    Attributes:
        pairs: digests of the counts of both sides, a pair a seed, sorted: their order is nothing.
        domain: name of the domain.
        classes: train ids that are scored; ``None`` for all.
        mean: ``pooled`` or ``per-condition``.
    """

    pairs: tuple[tuple[str, str], ...]
    domain: str
    classes: tuple[int, ...] | None
    mean: str
    method: str = images.METHOD
    resamples: int = images.RESAMPLES
    confidence: float = images.CONFIDENCE

    @property
    def digests(self) -> set[str]:
        """The counts that the interval needs."""
        return {each for pair in self.pairs for each in pair}

    @property
    def seed(self) -> int:
        """Seed of the draws: another question draws anew, the same one the same again."""
        return int(digest(asdict(self))[:8], 16)


def read(path: Path) -> dict[Question, Bounds]:
    """All intervals of a file; none if there is no file.

    Raises:
        RecordError: the file is not what `text` writes.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or set(document) != {"schema", "intervals"}:
            raise ValueError("expected an object with 'schema' and 'intervals'")
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']!r}, this version reads {SCHEMA}")
        return dict(_entry(each) for each in document["intervals"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise RecordError(
            f"{path}: not readable intervals ({error}); restore the file, or delete it: with the "
            "cells' confusion.npz there, the next report computes them again"
        ) from error


def text(intervals: Mapping[Question, Bounds]) -> str:
    """The file of these intervals: one line each, in an order of its own."""
    lines = sorted(
        json.dumps({**asdict(question), "low": low, "high": high}, sort_keys=True)
        for question, (low, high) in intervals.items()
    )
    listed = ",\n".join(lines)
    return f'{{"schema": {SCHEMA}, "intervals": [\n{listed}\n]}}\n'


def _entry(given: Any) -> tuple[Question, Bounds]:
    expected = {*Question.__dataclass_fields__, "low", "high"}
    if not isinstance(given, dict) or set(given) != expected:
        raise ValueError(f"an interval needs exactly {', '.join(sorted(expected))}")
    low, high = _number(given["low"]), _number(given["high"])
    if not low <= high:
        raise ValueError(f"an interval goes from {low} to {high}")
    classes = given["classes"]
    question = Question(
        pairs=tuple((_text(first), _text(second)) for first, second in given["pairs"]),
        domain=_text(given["domain"]),
        classes=None if classes is None else tuple(_whole(each) for each in classes),
        mean=_text(given["mean"]),
        method=_text(given["method"]),
        resamples=_whole(given["resamples"]),
        confidence=_number(given["confidence"]),
    )
    if not question.pairs:
        raise ValueError("an interval has no records")
    return question, (low, high)


def needed(
    stored: Mapping[Question, Bounds], digests: Iterable[str], asked: Mapping[Question, Bounds]
) -> dict[Question, Bounds]:
    """What to keep: what was asked for, and what is about counts that records still have.

    The latter so that a report of a part, or of a suite that is being run again, drops nothing.
    """
    known = set(digests)
    return {q: bounds for q, bounds in stored.items() if q.digests <= known} | dict(asked)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected a text, found {value!r}")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"expected a whole number, found {value!r}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"expected a finite number, found {value!r}")
    return float(value)
