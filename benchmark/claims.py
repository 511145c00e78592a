"""Claims as data: what somebody says that cells show, and the formula that puts it to the test.

A claim is a file in ``configs/claims``; `benchmark.report.verdicts` judges it by a grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import registry, suitefile
from benchmark.claim_formulas import (
    Condition,
    Expression,
    Leaf,
    Number,
    leaves,
    leaves_of,
    read_condition,
    read_expression,
)
from benchmark.errors import SuiteError
from benchmark.paths import shown

QUANTITIES = ("miou", "gain", "ratio", "count")
MAX_SEEDS = 1000


@dataclass(frozen=True)
class Claim:
    """A claim: ``figure`` is shown beside ``published``, ``holds`` decides the verdict.

    ``seeds`` is the least number of seeds that all needed cells must share. ``protocol`` is the
    evaluation preset without which the published figure does not compare; empty if any will do.
    """

    name: str
    title: str
    statement: str
    source: str
    figure: Expression
    holds: Condition
    quantity: str
    seeds: int
    published: float | None
    tolerance: float
    reason: str
    protocol: str
    path: Path

    def facts(self) -> dict[str, Any]:
        """What ``udabench show`` prints beside title and statement."""
        needs = dict.fromkeys(
            f"{atom.method} / {atom.encoder} / {atom.shift}" for atom in self.needs()
        )
        return {
            "published": self.published,
            "tolerance": self.tolerance,
            "reason": self.reason,
            "source": self.source,
            "protocol": self.protocol or "any",
            "seeds": self.seeds,
            "cells": list(needs),
        }

    def needs(self) -> tuple[Leaf, ...]:
        """The cells' values that figure and condition are made of, each once."""
        found = [*leaves(self.figure), *leaves_of(self.holds)]
        return tuple(dict.fromkeys(found))


def load(name: str) -> Claim:
    """The claim of ``configs/claims/<name>.yaml``.

    Raises:
        UsageError: no claim has that name.
        SuiteError: the file breaks a rule; the message says which key and what was expected.
    """
    path = registry.locate("claim", name)
    section = suitefile.Section(suitefile.read(path, "claim"), shown(path))
    section.allow(
        required=("title", "statement", "source", "figure", "holds", "seeds"),
        optional=("quantity", "published", "tolerance", "reason", "protocol"),
    )
    if section.has("tolerance") != section.has("reason"):
        raise SuiteError(f"{section.place}: a tolerance needs a reason, and a reason a tolerance")
    published = _number(section, "published") if section.has("published") else None
    tolerance = _number(section, "tolerance") if section.has("tolerance") else 0.0
    if tolerance < 0:
        raise SuiteError(f"{section.place}: key 'tolerance': expected no negative number")
    words: dict[str, Expression] = {"tolerance": Number(tolerance)}
    if published is not None:
        words["published"] = Number(published)
    figure = read_expression(section.values["figure"], f"{section.place}: figure", words)
    words["figure"] = figure
    return Claim(
        name=name,
        title=section.text("title"),
        statement=section.text("statement"),
        source=section.text("source"),
        figure=figure,
        holds=read_condition(section.values["holds"], f"{section.place}: holds", words),
        quantity=section.choice("quantity", QUANTITIES) if section.has("quantity") else "miou",
        seeds=section.natural("seeds", MAX_SEEDS, least=1),
        published=published,
        tolerance=tolerance,
        reason=section.text("reason") if section.has("reason") else "",
        protocol=section.name("protocol", "evaluation") if section.has("protocol") else "",
        path=path,
    )


def _number(section: suitefile.Section, key: str) -> float:
    value = read_expression(section.values[key], f"{section.place}: {key}", {})
    if not isinstance(value, Number):
        raise SuiteError(f"{section.place}: key {key!r}: expected a number")
    return value.value
