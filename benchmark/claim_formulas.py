"""Formulas of claims: expressions over cells and conditions on them, read from plain YAML.

A formula is a tree of a few named operations. Nothing in it is executed;
`benchmark.report.verdicts` computes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmark import registry, suitefile
from benchmark.errors import SuiteError

REGIONS = ("target", "unseen")
COMBINATIONS = ("difference", "ratio", "mean", "largest", "smallest", "range")
MAX_DEPTH = 20


@dataclass(frozen=True)
class Number:
    """A plain number."""

    value: float


@dataclass(frozen=True)
class Miou:
    """mIoU of cells in percent, by seed, averaged over ``domains`` within a seed.

    ``domains`` is ``("target",)``, ``("unseen",)`` (all of the shift) or names of domains. A
    ``condition``, such as ``night``, restricts a single domain to its images of that condition.
    """

    method: str
    encoder: str
    shift: str
    domains: tuple[str, ...] = ("target",)
    condition: str = ""


@dataclass(frozen=True)
class Loss:
    """Last value of a loss term's recorded curve, by seed, as a running mean.

    ``term`` is the method's name of it, such as ``feature_distance``. A cell without the term, or
    with one that is 0 in the end, has no value.
    """

    method: str
    encoder: str
    shift: str
    term: str


Leaf = Miou | Loss
"""What is read of the cells of one method, encoder and shift."""


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
    the best of every single seed would be biased upwards. ``ratio`` divides within a seed, by a
    `Loss`, which is never 0.
    """

    operation: str
    parts: tuple[Expression, ...]


Expression = Number | Miou | Loss | Flips | Combined


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


Condition = Close | Greater | Several


def leaves(expression: Expression) -> Iterator[Leaf]:
    """The cells' values that ``expression`` is made of."""
    if isinstance(expression, (Miou, Loss)):
        yield expression
    elif isinstance(expression, Combined):
        for part in expression.parts:
            yield from leaves(part)
    elif isinstance(expression, Flips):
        for method in expression.methods:
            for region in REGIONS:
                yield Miou(method, expression.encoder, expression.shift, (region,))


def leaves_of(condition: Condition) -> Iterator[Leaf]:
    """The cells' values that ``condition`` is made of."""
    if isinstance(condition, Several):
        for part in condition.parts:
            yield from leaves_of(part)
    else:
        yield from leaves(condition.left)
        yield from leaves(condition.right)


def read_expression(
    value: Any, place: str, words: Mapping[str, Expression], depth: int = 0
) -> Expression:
    """The expression that ``value`` stands for; ``words`` may be used in it by name.

    Raises:
        SuiteError: with ``place``, the file and key, and what was expected.
    """
    if type(value) in (int, float) and abs(value) < 1e9:
        return Number(float(value))
    if isinstance(value, str):
        if value not in words:
            raise SuiteError(f"{place}: {registry.unknown('word', value, words)}")
        return words[value]
    operation, inner = _only(value, ("miou", "loss", "order_flips", *COMBINATIONS), place, depth)
    place = f"{place}: {operation}"
    if operation == "miou":
        return _miou(_section(inner, place))
    if operation == "loss":
        return _loss(_section(inner, place))
    if operation == "order_flips":
        section = _section(inner, place)
        section.allow(("methods", "encoder", "shift"), ())
        methods = section.names("methods", "method")
        return Flips(methods, section.name("encoder", "encoder"), section.name("shift", "shift"))
    listed = _list(inner, place, 2 if operation in ("difference", "ratio") else None)
    parts = tuple(
        read_expression(part, f"{place}[{index}]", words, depth + 1)
        for index, part in enumerate(listed)
    )
    if operation == "ratio" and not isinstance(parts[1], Loss):
        raise SuiteError(f"{place}[1]: expected a loss to divide by")
    return Combined(operation, parts)


def _miou(section: suitefile.Section) -> Miou:
    section.allow(("method", "encoder", "shift"), ("domains", "condition"))
    domains: tuple[str, ...] = ("target",)
    if section.has("domains"):
        given = section.values["domains"]
        domains = (given,) if given in REGIONS else section.names("domains", "domain")
    condition = section.text("condition") if section.has("condition") else ""
    if condition and (len(domains) > 1 or domains == ("unseen",)):
        raise SuiteError(
            f"{section.place}: key 'condition': expected one domain, as conditions are a domain's "
            "own; name a single one in 'domains', or none for the target"
        )
    return Miou(
        section.name("method", "method"),
        section.name("encoder", "encoder"),
        section.name("shift", "shift"),
        domains,
        condition,
    )


def _loss(section: suitefile.Section) -> Loss:
    section.allow(("method", "encoder", "shift", "term"), ())
    return Loss(
        section.name("method", "method"),
        section.name("encoder", "encoder"),
        section.name("shift", "shift"),
        section.text("term"),
    )


def read_condition(
    value: Any, place: str, words: Mapping[str, Expression], depth: int = 0
) -> Condition:
    """The condition that ``value`` stands for; see `read_expression`."""
    operation, inner = _only(value, ("close", "greater", "all", "any"), place, depth)
    place = f"{place}: {operation}"
    if operation in ("all", "any"):
        parts = _list(inner, place, None)
        return Several(
            operation == "all",
            tuple(
                read_condition(part, f"{place}[{index}]", words, depth + 1)
                for index, part in enumerate(parts)
            ),
        )
    left, right = (
        read_expression(part, f"{place}[{index}]", words, depth + 1)
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
