"""Reading the options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmark import plan
from benchmark import suite as suites
from benchmark.errors import UsageError
from benchmark.plan import Plan
from benchmark.suite import Suite


def only(arguments: Sequence[str]) -> dict[str, list[str]]:
    """Parse ``--only``: ``method=dacs+oracle,encoder=x`` gives lists of values by key."""
    found: dict[str, list[str]] = {}
    for part in (part.strip() for argument in arguments for part in argument.split(",")):
        key, equals, values = part.partition("=")
        if not equals or not key or not all(values.split("+")):
            raise UsageError(f"--only: expected KEY=VALUE or KEY=VALUE+VALUE, got {part!r}")
        found.setdefault(key, []).extend(values.split("+"))
    return found


def load_suite(parsed: argparse.Namespace) -> Suite:
    """The suite with ``--seeds``, ``--encoder`` and ``--only`` applied."""
    return suites.load(parsed.suite).with_overrides(parsed.seeds, only(parsed.only), parsed.encoder)


def make_plan(parsed: argparse.Namespace) -> Plan:
    """The plan of a command that takes a suite."""
    return plan.make(load_suite(parsed), Path(parsed.out), parsed.iterations)


def full_plan(parsed: argparse.Namespace) -> Plan:
    """The plan without ``--only``: tables always show the whole grid."""
    whole = suites.load(parsed.suite).with_overrides(parsed.seeds, encoders=parsed.encoder)
    return plan.make(whole, Path(parsed.out), parsed.iterations)
