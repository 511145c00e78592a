"""Claims as data: what somebody says that cells show, and the formula that puts it to the test.

A claim is a file in ``configs/claims``. Its formula is a tree of a few named operations, read from
plain YAML; nothing in it is executed. `benchmark.report.verdicts` computes it from a grid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from benchmark import registry, suitefile
from benchmark.errors import SuiteError
from benchmark.paths import shown

REGIONS = ("target", "unseen")
QUANTITIES = ("miou", "gain", "count")
COMBINATIONS = ("difference", "mean", "largest", "smallest", "range")
MAX_DEPTH = 20
MAX_SEEDS = 1000


@dataclass(frozen=True)
class Number:
    """A plain number."""

    value: float


@dataclass(frozen=True)
class Miou:
    """mIoU of cells in percent, by seed, averaged over ``domains`` within a seed.

    ``domains`` is ``("target",)``, ``("unseen",)`` (all of the shift) or names of domains.
    """

    method: str
    encoder: str
    shift: str
    domains: tuple[str, ...] = ("target",)


@dataclass(frozen=True)
class Flips:
    """Number of pairs of methods that target and unseen domains order differently, in every seed.

    A pair counts only where both differences have the same sign with all seeds, so that chance
    between seeds makes no flip.
    """

    methods: tuple[str, ...]
    encoder: str
    shift: str


@dataclass(frozen=True)
class Combined:
    """One of ``COMBINATIONS`` of other expressions.

    ``largest``, ``smallest`` and ``range`` (largest minus smallest) choose by the mean over seeds:
    the best of every single seed would be biased upwards.
    """

    operation: str
    parts: tuple[Expression, ...]


Expression = Union[Number, Miou, Flips, Combined]


@dataclass(frozen=True)
class Close:
    """The means of both differ by no more than the claim's tolerance."""

    left: Expression
    right: Expression


@dataclass(frozen=True)
class Greater:
    """Left is above right in the mean and with every seed."""

    left: Expression
    right: Expression


@dataclass(frozen=True)
class Several:
    """All of the conditions hold, or any."""

    every: bool
    parts: tuple[Condition, ...]


Condition = Union[Close, Greater, Several]


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
            f"{atom.method} / {atom.encoder} / {atom.shift}"
            for atom in self.needs()
            if isinstance(atom, Miou)
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

    def needs(self) -> tuple[Miou, ...]:
        """The cells' values that figure and condition are made of, each once."""
        found = [*_leaves(self.figure), *_of_condition(self.holds)]
        return tuple(dict.fromkeys(found))


def _leaves(expression: Expression) -> Iterator[Miou]:
    if isinstance(expression, Miou):
        yield expression
    elif isinstance(expression, Combined):
        for part in expression.parts:
            yield from _leaves(part)
    elif isinstance(expression, Flips):
        for method in expression.methods:
            for region in REGIONS:
                yield Miou(method, expression.encoder, expression.shift, (region,))


def _of_condition(condition: Condition) -> Iterator[Miou]:
    if isinstance(condition, Several):
        for part in condition.parts:
            yield from _of_condition(part)
    else:
        yield from _leaves(condition.left)
        yield from _leaves(condition.right)


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
    figure = _expression(section.values["figure"], f"{section.place}: figure", words)
    words["figure"] = figure
    return Claim(
        name=name,
        title=section.text("title"),
        statement=section.text("statement"),
        source=section.text("source"),
        figure=figure,
        holds=_condition(section.values["holds"], f"{section.place}: holds", words),
        quantity=section.choice("quantity", QUANTITIES) if section.has("quantity") else "miou",
        seeds=section.natural("seeds", MAX_SEEDS, least=1),
        published=published,
        tolerance=tolerance,
        reason=section.text("reason") if section.has("reason") else "",
        protocol=section.name("protocol", "evaluation") if section.has("protocol") else "",
        path=path,
    )


def _number(section: suitefile.Section, key: str) -> float:
    value = _expression(section.values[key], f"{section.place}: {key}", {})
    if not isinstance(value, Number):
        raise SuiteError(f"{section.place}: key {key!r}: expected a number")
    return value.value


def _expression(
    value: Any, place: str, words: Mapping[str, Expression], depth: int = 0
) -> Expression:
    if type(value) in (int, float) and abs(value) < 1e9:
        return Number(float(value))
    if isinstance(value, str):
        if value not in words:
            raise SuiteError(f"{place}: {registry.unknown('word', value, words)}")
        return words[value]
    operation, inner = _only(value, ("miou", "order_flips", *COMBINATIONS), place, depth)
    place = f"{place}: {operation}"
    if operation == "miou":
        return _miou(_section(inner, place))
    if operation == "order_flips":
        section = _section(inner, place)
        section.allow(("methods", "encoder", "shift"), ())
        methods = section.names("methods", "method")
        return Flips(methods, section.name("encoder", "encoder"), section.name("shift", "shift"))
    parts = _list(inner, place, 2 if operation == "difference" else None)
    return Combined(
        operation,
        tuple(
            _expression(part, f"{place}[{index}]", words, depth + 1)
            for index, part in enumerate(parts)
        ),
    )


def _miou(section: suitefile.Section) -> Miou:
    section.allow(("method", "encoder", "shift"), ("domains",))
    domains: tuple[str, ...] = ("target",)
    if section.has("domains"):
        given = section.values["domains"]
        domains = (given,) if given in REGIONS else section.names("domains", "domain")
    return Miou(
        section.name("method", "method"),
        section.name("encoder", "encoder"),
        section.name("shift", "shift"),
        domains,
    )


def _condition(
    value: Any, place: str, words: Mapping[str, Expression], depth: int = 0
) -> Condition:
    operation, inner = _only(value, ("close", "greater", "all", "any"), place, depth)
    place = f"{place}: {operation}"
    if operation in ("all", "any"):
        parts = _list(inner, place, None)
        return Several(
            operation == "all",
            tuple(
                _condition(part, f"{place}[{index}]", words, depth + 1)
                for index, part in enumerate(parts)
            ),
        )
    left, right = (
        _expression(part, f"{place}[{index}]", words, depth + 1)
        for index, part in enumerate(_list(inner, place, 2))
    )
    return Close(left, right) if operation == "close" else Greater(left, right)


def _only(value: Any, valid: tuple[str, ...], place: str, depth: int) -> tuple[str, Any]:
    """The one key of a mapping that names an operation, and what stands under it."""
    if depth > MAX_DEPTH:
        raise SuiteError(f"{place}: nested more than {MAX_DEPTH} deep")
    if not isinstance(value, dict) or len(value) != 1:
        raise SuiteError(
            f"{place}: expected a mapping with one of {', '.join(valid)}, found "
            f"{registry.shortened(value)}"
        )
    ((operation, inner),) = value.items()
    if operation not in valid:
        raise SuiteError(f"{place}: {registry.unknown('operation', operation, valid)}")
    return operation, inner


def _list(value: Any, place: str, length: int | None) -> list[Any]:
    if not isinstance(value, list) or not value or (length is not None and len(value) != length):
        expected = "a list of two" if length == 2 else "a non-empty list"
        raise SuiteError(f"{place}: expected {expected}, found {registry.shortened(value)}")
    return value


def _section(value: Any, place: str) -> suitefile.Section:
    if not isinstance(value, dict):
        raise SuiteError(f"{place}: expected a mapping, found {registry.shortened(value)}")
    return suitefile.Section(value, place)
