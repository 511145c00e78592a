"""``udabench plan`` and ``status``: what there is and what is missing."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli import EXIT_DONE, EXIT_FAILED, EXIT_INCOMPLETE
from benchmark.commands import again, options
from benchmark.data_roots import DataRoots
from benchmark.missing_data import missing_data
from benchmark.paths import CellPaths, shown
from benchmark.plan import Plan, PlannedCell
from benchmark.weights import WeightsFolder, missing_weights

if TYPE_CHECKING:
    from benchmark.engines.slurm_watch import Watched

REASON_WIDTH = 100


def plan(parsed: argparse.Namespace) -> int:
    """Print the cells of a suite and what ``run`` would do with them."""
    from benchmark import estimate as estimates
    from benchmark import estimate_text

    planned = _watched(options.make_plan(parsed), parsed).plan
    due = planned.due()
    cost = estimates.estimate(
        planned, due, parsed.price_per_hour, [Path(folder) for folder in parsed.costs_from]
    )
    lacking = _missing(planned, parsed)
    if parsed.json:
        document = json.loads(planned.to_json())
        document |= {"estimate": cost.document(), "lacking": lacking}
        print(json.dumps(document, indent=1))
        return EXIT_DONE
    print(f"{planned.suite.title} ({summary(planned)}), results in {shown(planned.folder)}")
    print(cell_lines(planned.entries))
    print(f"'{again.command(parsed, 'run')}' would start {len(due)} of them")
    for line in (*estimate_text.lines(cost, parsed.price_per_hour), *lacking):
        print(line)
    return EXIT_DONE


def status(parsed: argparse.Namespace) -> int:
    """Print the state of every cell; the exit code says whether the suite is complete."""
    watched = _watched(options.make_plan(parsed, brief=True), parsed)
    planned = watched.plan
    if parsed.json:
        document = json.loads(planned.to_json())
        for cell, entry in zip(document["cells"], planned.entries, strict=True):
            cell["progress"] = _progress(planned, entry)
            job = watched.jobs.get(entry.cell)
            cell["job"] = dataclasses.asdict(job) if job else None
        print(json.dumps(document, indent=1))
    else:
        print(f"{planned.suite.name}: {summary(planned)}")
        print(cell_lines(planned.entries))
        for problem in missing_data(planned.due(), DataRoots.chosen(parsed.data_root)):
            print(problem)
    return exit_code(planned)


def _watched(planned: Plan, parsed: argparse.Namespace) -> Watched:
    """The plan with Slurm's queue, and a word on it where it cannot be read."""
    from benchmark.engines import slurm_watch

    watched = slurm_watch.watch(planned, DataRoots.chosen(parsed.data_root))
    if watched.problem:
        jobs = ", ".join(job.id for job in watched.jobs.values())
        print(f"udabench: {watched.problem}; submitted are: {jobs}", file=sys.stderr)
    return watched


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
