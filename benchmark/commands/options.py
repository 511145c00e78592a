"""Reading the options that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark import acceptance, plan
from benchmark import suite as suites
from benchmark.data_fingerprint import DataFiles
from benchmark.data_roots import DataRoots
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


def make_plan(parsed: argparse.Namespace, *, brief: bool = False) -> Plan:
    """The plan of a command that takes a suite, with what ``--accept-stale`` names accepted.

    For ``brief`` see ``benchmark.plan.make``.
    """
    planned = _planned(parsed, load_suite(parsed), brief)
    names = getattr(parsed, "accept_stale", [])
    if not names:
        return planned
    count = acceptance.accept(planned, names)
    if count:
        _announce(f"accepted {count} stale {'result' if count == 1 else 'results'}")
    return _planned(parsed, load_suite(parsed))


def full_plan(parsed: argparse.Namespace) -> Plan:
    """The plan without ``--only``: tables always show the whole grid."""
    whole = suites.load(parsed.suite).with_overrides(parsed.seeds, encoders=parsed.encoder)
    return _planned(parsed, whole)


def data_files(parsed: argparse.Namespace) -> DataFiles:
    """The downloaded data sets of this machine; reading many of them for the first time is told."""
    return DataFiles(DataRoots.chosen(parsed.data_root), _announce)


def _announce(message: str) -> None:
    print(f"udabench: {message}", file=sys.stderr, flush=True)


def _planned(parsed: argparse.Namespace, suite: Suite, brief: bool = False) -> Plan:
    files = data_files(parsed)
    return plan.make(suite, Path(parsed.out), parsed.iterations, files, brief=brief)
