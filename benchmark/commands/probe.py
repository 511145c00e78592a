"""``udabench probe``: what a suite's encoders label by class names alone, as records."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark import data, made_weights, paths, zero_shot
from benchmark.cell import Cell
from benchmark.cli import EXIT_DONE, EXIT_FAILED
from benchmark.commands import options
from benchmark.commands.bars import progress_bar
from benchmark.commands.run import check_writable
from benchmark.data_roots import DataRoots
from benchmark.engines.devices import visible_gpus
from benchmark.errors import UdabenchError, UsageError
from benchmark.missing_data import missing_data
from benchmark.plan import Plan, PlannedCell
from benchmark.runtime import Runtime
from benchmark.weights import WeightsFolder, missing_weights
from benchmark.zero_shot import Found, Probe, ZeroShotRecord


def run(parsed: argparse.Namespace) -> int:
    """Measure what is missing or stale, write a record each and print all scores.

    0: all is there; 1: an encoder could not be probed.

    Raises:
        UsageError: no encoder of the suite has a text tower, or weights or data are missing.
    """
    planned = options.make_plan(parsed, brief=True)
    wanted = zero_shot.probes(planned.entries, planned.suite.protocols)
    if not wanted:
        raise UsageError(
            f"suite {planned.suite.name}: none of its encoders has a text tower, so class names "
            "cannot be compared with features; expected one that is made with its text tower, "
            "such as eva02-mini-clip, or one of open_clip, such as eva02-clip-l14"
        )
    due = [each for each in wanted if zero_shot.find(each, planned.folder).state != "done"]
    problems = _measure(parsed, planned, due) if due else []
    found = [(probe, zero_shot.find(probe, planned.folder)) for probe in wanted]
    if parsed.json:
        print(json.dumps([_document(*each) for each in found], indent=1))
    else:
        _print(found)
    for problem in problems:
        print(f"udabench: {problem}", file=sys.stderr)
    return EXIT_FAILED if problems else EXIT_DONE


def _measure(parsed: argparse.Namespace, planned: Plan, due: Sequence[Probe]) -> list[str]:
    """Make the probes and write their records; returns why some could not be made."""
    weights = WeightsFolder.chosen(parsed.weights, parsed.download_weights)
    roots = DataRoots.chosen(parsed.data_root)
    cells = [as_cell(probe) for probe in due]
    lacking = [*missing_weights(cells, weights), *missing_data(cells, roots)]
    if lacking:
        raise UsageError("\n  ".join(lacking))
    if parsed.device == "cuda" and not visible_gpus():
        raise UsageError("--device cuda: no GPU is visible here; leave it out for the processor")
    check_writable(planned.folder)
    prepare(cells)
    runtime = Runtime(parsed.device, parsed.threads, 0, roots, paths.cache_root(), weights)

    from benchmark.zero_shot_measure import measure

    problems = []
    for number, probe in enumerate(due, start=1):
        text = f"{probe.encoder} on {probe.shift} ({number} of {len(due)})"
        print(f"udabench: labelling by class names: {text}", file=sys.stderr, flush=True)
        try:
            record = measure(probe, planned.suite.name, planned.folder, runtime)
        except UdabenchError as error:
            problems.append(str(error))
            continue
        zero_shot.write(planned.folder, record)
    return problems


def as_cell(probe: Probe) -> PlannedCell:
    """A probe as those see it who prepare or miss data and weights of cells."""
    cell = Cell("zero-shot", probe.encoder, probe.shift, 0)
    return PlannedCell(cell, None, probe.config, "missing", "")


def prepare(cells: Sequence[PlannedCell]) -> None:
    """Generate data and make weights that the cache lacks."""
    with progress_bar("generating data") as progress:
        data.prepare(cells, progress)
    made_weights.prepare(cells, progress_bar)


def _print(found: Sequence[tuple[Probe, Found]]) -> None:
    print("mIoU from class names alone, without training")
    for probe, each in found:
        print(f"{probe.encoder}, {probe.shift}: {each.state}")
        scored = each.record.metrics if each.record else {}
        for domain in (name for name in probe.config["roles"] if name in scored):
            print(f"  {domain} ({scored[domain].role}): {scored[domain].miou:.1f}")


def _document(probe: Probe, each: Found) -> dict[str, Any]:
    record: ZeroShotRecord | None = each.record
    return {
        "encoder": probe.encoder,
        "shift": probe.shift,
        "state": each.state,
        "file": (Path(zero_shot.FOLDER) / f"{probe.stem}.json").as_posix(),
        "miou": {name: one.miou for name, one in record.metrics.items()} if record else {},
    }
