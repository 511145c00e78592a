"""Numbers that others have published: `results/published/*.csv`, read strictly.

`results/published/README.md` says what every column means. A row is one number with its citation.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from benchmark import paths, registry
from benchmark.errors import PublishedError

FILES = ("uda.csv", "dg.csv")
SPLITS = ("val", "test", "not stated")
CLASSES = ("19", "16", "13", "")
OTHER = "other"
MEAN = "mean of "
"""A published mean over domains: this, then their names joined by ``+``."""

_SCORE = re.compile(r"\d{1,3}(\.\d+)?")
_ARXIV = re.compile(r"\d{4}\.\d{4,5}")
_COUNT = re.compile(r"[1-9]\d*")
_CROP = re.compile(r"[1-9]\d*x[1-9]\d*")
REQUIRED = ("study", "method", "encoder", "source", "domain", "split", "miou", "protocol", "where")


@dataclass(frozen=True)
class PublishedResult:
    """One published number.

    ``miou`` and ``spread`` are in percent. ``target`` is empty for a method that saw no target
    image. ``protocol`` is a preset of ``configs/evaluations`` or ``OTHER``; ``variant`` is empty
    for a number that compares with all others of its protocol and split. ``shown``: the comparison
    table prints it.
    """

    study: str
    arxiv: str
    year: int | None
    method: str
    encoder: str
    pretraining: str
    source: str
    target: str
    domain: str
    split: str
    classes: int | None
    miou: float
    spread: float | None
    seeds: int | None
    iterations: int | None
    crop: str
    protocol: str
    variant: str
    shown: bool
    where: str
    note: str

    @property
    def key(self) -> tuple[str, ...]:
        """What no two rows share."""
        system = (self.study, self.method, self.encoder, self.source, self.target)
        return (*system, self.domain, self.split, self.variant)

    @property
    def domains(self) -> tuple[str, ...]:
        """The evaluated domain, or those that the number is the mean of."""
        return tuple(self.domain.removeprefix(MEAN).split("+"))


COLUMNS = tuple(field.name for field in fields(PublishedResult))


def load() -> tuple[PublishedResult, ...]:
    """All published results that this installation has.

    Raises:
        PublishedError: a file is missing or breaks a rule.
    """
    return _load(paths.published_root())


@functools.lru_cache(maxsize=4)
def _load(root: Path) -> tuple[PublishedResult, ...]:
    found: dict[tuple[str, ...], str] = {}
    results = []
    for name in FILES:
        for line, result in read(root / name):
            place = f"{paths.shown(root / name)}:{line}"
            if result.key in found:
                raise PublishedError(
                    f"{place}: the same number as {found[result.key]}; say in column 'variant' how "
                    "they differ, or remove one"
                )
            found[result.key] = place
            results.append(result)
    return tuple(results)


def read(path: Path) -> Iterator[tuple[int, PublishedResult]]:
    """Line number and result of every row of one file.

    Raises:
        PublishedError: with file, line and column.
    """
    place = paths.shown(path)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream, strict=True)
            header = tuple(next(rows, ()))
            if header != COLUMNS:
                raise PublishedError(f"{place}:1: expected the columns {', '.join(COLUMNS)}")
            for row in rows:
                here = f"{place}:{rows.line_num}"
                if len(row) != len(COLUMNS):
                    raise PublishedError(
                        f"{here}: expected {len(COLUMNS)} columns, found {len(row)}"
                    )
                yield rows.line_num, _result(dict(zip(COLUMNS, row, strict=True)), here)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PublishedError(f"{place}: cannot be read as CSV ({error})") from error


def _result(row: Mapping[str, str], place: str) -> PublishedResult:
    def refuse(column: str, expected: str) -> PublishedError:
        return PublishedError(
            f"{place}: column {column!r}: expected {expected}, found {row[column]!r}"
        )

    def optional(column: str, pattern: re.Pattern[str], expected: str) -> str:
        if row[column] and not pattern.fullmatch(row[column]):
            raise refuse(column, f"{expected} or nothing")
        return row[column]

    def choice(column: str, valid: tuple[str, ...]) -> str:
        if row[column] not in valid:
            raise PublishedError(
                f"{place}: column {column!r}: {registry.unknown(column, row[column], valid)}"
            )
        return row[column]

    def score(column: str) -> float | None:
        text = optional(column, _SCORE, "a number from 0 to 100")
        if text and float(text) > 100:
            raise refuse(column, "a number from 0 to 100")
        return float(text) if text else None

    def count(column: str) -> int | None:
        text = optional(column, _COUNT, "a whole number above 0")
        return int(text) if text else None

    for column in REQUIRED:
        if not row[column].strip():
            raise refuse(column, "a text")
    for column, text in row.items():
        if text != " ".join(text.split()):
            raise refuse(column, "single blanks between words and none around them")
    miou = score("miou")
    assert miou is not None
    classes = choice("classes", CLASSES)
    return PublishedResult(
        study=row["study"],
        arxiv=optional("arxiv", _ARXIV, "an arXiv id"),
        year=count("year"),
        method=row["method"],
        encoder=row["encoder"],
        pretraining=row["pretraining"],
        source=row["source"],
        target=row["target"],
        domain=row["domain"],
        split=choice("split", SPLITS),
        classes=int(classes) if classes else None,
        miou=miou,
        spread=score("spread"),
        seeds=count("seeds"),
        iterations=count("iterations"),
        crop=optional("crop", _CROP, "a size such as 512x512"),
        protocol=optional("protocol", registry.NAME, "the name of an evaluation preset"),
        variant=row["variant"],
        shown=choice("shown", ("yes", "")) == "yes",
        where=row["where"],
        note=row["note"],
    )
