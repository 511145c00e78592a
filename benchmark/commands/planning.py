"""``udabench plan``, ``status`` and ``report``: what there is and what is missing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from benchmark.cli import EXIT_DONE, EXIT_FAILED, EXIT_INCOMPLETE
from benchmark.commands import options
from benchmark.data_roots import DataRoots
from benchmark.missing_data import missing_data
from benchmark.paths import CellPaths, shown
from benchmark.plan import Plan, PlannedCell
from benchmark.weights import WeightsFolder, missing_weights

REASON_WIDTH = 100


def plan(parsed: argparse.Namespace) -> int:
    """Print the cells of a suite and what ``run`` would do with them."""
    planned = options.make_plan(parsed)
    problems = _missing(planned, parsed)
    if parsed.json:
        document = json.loads(planned.to_json())
        print(json.dumps({**document, "lacking": problems}, indent=1))
        return EXIT_DONE
    print(f"{planned.suite.title} ({summary(planned)}), results in {shown(planned.folder)}")
    print(cell_lines(planned.entries))
    print(f"'udabench run {parsed.suite}' would start {len(planned.due())} of them")
    for problem in problems:
        print(problem)
    return EXIT_DONE


def status(parsed: argparse.Namespace) -> int:
    """Print the state of every cell; the exit code says whether the suite is complete."""
    planned = options.make_plan(parsed)
    if parsed.json:
        document = json.loads(planned.to_json())
        for cell, entry in zip(document["cells"], planned.entries, strict=True):
            cell["progress"] = _progress(planned, entry)
        print(json.dumps(document, indent=1))
    else:
        print(f"{planned.suite.name}: {summary(planned)}")
        print(cell_lines(planned.entries))
        for problem in missing_data(planned.due(), DataRoots.chosen(parsed.data_root)):
            print(problem)
    return exit_code(planned)


def report(parsed: argparse.Namespace) -> int:
    """Write and print the tables of the whole suite."""
    from benchmark import report as reports

    planned = options.full_plan(parsed) if not parsed.only else options.make_plan(parsed)
    if not parsed.only:
        for path in reports.write(planned):
            print(f"wrote {shown(path)}", file=sys.stderr)
    reports.print_markdown(planned, sys.stdout)
    return exit_code(planned)


def summary(planned: Plan) -> str:
    """How many cells there are, by state."""
    total = len(planned.entries)
    states = ", ".join(f"{count} {state}" for state, count in planned.counts().items())
    return f"{total} {'cell' if total == 1 else 'cells'}: {states}"


def exit_code(planned: Plan) -> int:
    """1 if a cell failed, 3 if one is not done for another reason, else 0."""
    states = {entry.state for entry in planned.entries} - {"excluded", "done"}
    if "failed" in states:
        return EXIT_FAILED
    return EXIT_INCOMPLETE if states else EXIT_DONE


def cell_lines(entries: Sequence[PlannedCell]) -> str:
    """One line a cell: state, coordinates, reason."""
    rows = [
        (entry.state, entry.cell.method, entry.cell.encoder, entry.cell.shift, entry.cell.seed)
        for entry in entries
    ]
    heads = ("state", "method", "encoder", "shift", "seed")
    texts = [heads, *(tuple(str(value) for value in row) for row in rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(heads))]
    reasons = ["", *(_one_line(entry.reason) for entry in entries)]
    lines = []
    for row, reason in zip(texts, reasons, strict=True):
        cells = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        lines.append(f"  {cells}  {reason}".rstrip())
    return "\n".join(lines)


def _missing(planned: Plan, parsed: argparse.Namespace) -> list[str]:
    """What ``run`` would refuse to start without: weights and data sets."""
    due = planned.due()
    return [
        *missing_weights(due, WeightsFolder.chosen(parsed.weights)),
        *missing_data(due, DataRoots.chosen(parsed.data_root)),
    ]


def _one_line(reason: str) -> str:
    flat = " ".join(reason.split())
    return flat if len(flat) <= REASON_WIDTH else f"{flat[: REASON_WIDTH - 3]}..."


def _progress(planned: Plan, entry: PlannedCell) -> object:
    if entry.state != "running":
        return None
    try:
        text = CellPaths(planned.folder, entry.cell).progress.read_text(encoding="utf-8")
        return json.loads(text)
    except (OSError, ValueError):
        return None
