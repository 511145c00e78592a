"""What ``udabench run`` prints when its cells have ended: tables, and what went wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmark.commands import again, options
from benchmark.engines import Outcome
from benchmark.plan import Plan


def print_tables(parsed: argparse.Namespace) -> bool:
    """Write the report and print its tables; False if they could not be written.

    What could not be drawn is told and costs nothing else.
    """
    from benchmark import report

    whole = options.full_plan(parsed)
    if not any(entry.state == "done" for entry in whole.entries):
        return True
    written = True
    try:
        for problem in report.write(whole).problems:
            print(f"udabench: {problem}", file=sys.stderr)
    except OSError as error:
        written = False
        print(f"udabench: the tables could not be written: {error}", file=sys.stderr)
    print()
    report.print_tables(whole, sys.stdout)
    print()
    return written


def unrecorded(outcomes: Sequence[Outcome], after: Plan) -> list[Outcome]:
    """Failures of this run that left no record, as on a full disk."""
    states = {entry.cell: entry.state for entry in after.entries}
    return [o for o in outcomes if o.state == "failed" and states.get(o.cell) == "missing"]


def print_problems(after: Plan, parsed: argparse.Namespace, missing: Sequence[Outcome]) -> None:
    """Tell every cell that is not done, and ``missing`` failures, which left no record."""
    for outcome in missing:
        print(f"failed: {outcome.cell}: {outcome.reason}", file=sys.stderr)
    reported = {outcome.cell for outcome in missing}
    for entry in after.entries:
        if entry.cell in reported:
            continue
        if entry.state in ("failed", "stale", "running", "missing"):
            print(f"{entry.state}: {entry.cell}: {entry.reason or 'not run'}", file=sys.stderr)
    for state in ("failed", "stale"):
        if after.counts().get(state) and state not in parsed.rerun:
            command = again.command(parsed, "run", rerun=[*parsed.rerun, state])
            print(f"'{command}' runs the {state} cells again", file=sys.stderr)
