"""``udabench rehearse``: will this grid run, how long will it take, and how much memory?"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from benchmark import data, data_roots, minidrive_export, paths, plan, plugins, registry, rehearsal
from benchmark import suite as suites
from benchmark.cli import EXIT_DONE, EXIT_FAILED
from benchmark.commands import options
from benchmark.commands import run as running
from benchmark.commands.bars import progress_bar
from benchmark.engines import Slot, signals
from benchmark.engines.devices import slots
from benchmark.errors import UdabenchError
from benchmark.plan import PlannedCell
from benchmark.rehearsal import Terms
from benchmark.suite import Suite
from benchmark.weights import WeightsFolder

PROCESSOR_SHRINK = 8


@dataclass(frozen=True)
class Row:
    """What the rehearsal of one cell says: times in seconds or hours, memory in MiB."""

    method: str
    encoder: str
    shift: str
    ok: bool
    problem: str
    seconds_per_iteration: float | None
    peak_memory_mib: float | None
    predicted_hours: float | None


def run(parsed: argparse.Namespace) -> int:
    """Rehearse a suite. 0: every cell went through; 1: one did not."""
    signals.interruptible()
    suite = options.load_suite(parsed)
    places = slots(parsed.devices, parsed.threads)
    on_processor = places[0].device == "cpu"
    # MiniDrive's own images are small already, and nothing in its protocol resizes them.
    used = [registry.find("protocol", name) for name in rehearsal.protocols_of(suite)]
    resizes = any("train_scales" in protocol.values for protocol in used)
    shrink = parsed.shrink or (PROCESSOR_SHRINK if on_processor and resizes else 1)
    terms = Terms(parsed.iterations or (2 if on_processor else 10), parsed.images, shrink)
    weights = WeightsFolder.chosen(parsed.weights)
    keep = Path(parsed.keep).absolute() if parsed.keep else None
    if keep is not None and keep.exists():
        raise UdabenchError(f"--keep: {paths.shown(keep)} exists already; name a new folder")
    place = Path(tempfile.mkdtemp(prefix="udabench-rehearsal-"))
    try:
        _announce(suite, terms, places, sys.stderr)
        rows = _rehearse(parsed, suite, place, terms, weights, places)
        if keep is not None:
            shutil.copytree(place / "results", keep)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if parsed.json:
        document = {"suite": suite.name, "terms": asdict(terms), "cells": [asdict(r) for r in rows]}
        print(json.dumps(document, indent=1))
    else:
        _print(rows, terms)
    return EXIT_DONE if all(row.ok for row in rows) else EXIT_FAILED


def _announce(suite: Suite, terms: Terms, places: Sequence[Slot], stream: TextIO) -> None:
    seeds = f"; seed {suite.seeds[0]} stands for {len(suite.seeds)}" if len(suite.seeds) > 1 else ""
    sizes = "" if terms.shrink == 1 else f", crops and images 1/{terms.shrink} as wide and high"
    print(
        f"rehearsing {suite.title}: {terms.iterations} iterations a cell on exported MiniDrive, "
        f"random weights where files are absent{sizes}{seeds}; on "
        f"{', '.join(slot.name for slot in places)}",
        file=stream,
        flush=True,
    )


def _rehearse(
    parsed: argparse.Namespace,
    suite: Suite,
    place: Path,
    terms: Terms,
    weights: WeightsFolder,
    places: Sequence[Slot],
) -> list[Row]:
    real = {_key(entry): entry for entry in plan.make(suite, place / "none").entries}
    file = rehearsal.derived(suite, place / "configs", terms, weights)
    with progress_bar("exporting MiniDrive") as progress:
        datasets = rehearsal.datasets_of(suite)
        for done, name in enumerate(datasets):
            progress(done, len(datasets))
            width, height = minidrive_export.published_size(name)
            size = width // terms.shrink, height // terms.shrink
            minidrive_export.export(name, place / "data", images=terms.images, size=size)
        progress(len(datasets), len(datasets))
    # The worker processes find the derived fragments, and only them, through these variables.
    os.environ |= {
        plugins.VARIABLE: rehearsal.plugin_folders(place / "configs"),
        "UDABENCH_CONFIGS": str(place / "configs"),
        "UDABENCH_CACHE": str(place / "w"),
    }
    for name in [name for name in os.environ if name.startswith(f"{data_roots.VARIABLE}_")]:
        del os.environ[name]
    registry.forget()
    copied = argparse.Namespace(
        **{
            **vars(parsed),
            "suite": str(file),
            "out": str(place / "results"),
            "data_root": str(place / "data"),
            "engine": "pool",
            "download_weights": False,
            "rerun": [],
            "accumulate": 1,
            "checkpoint_activations": False,
            "compile": False,
            "seeds": None,
            "only": [],
            "encoder": [],
            "iterations": None,
        }
    )
    planned = plan.make(suites.load(str(file)), place / "results")
    stdout, sys.stdout = sys.stdout, sys.stderr if parsed.json else sys.stdout
    try:
        data.prepare(planned.due())
        running.execute(copied, planned, planned.due(), places[: len(planned.due())])
    finally:
        sys.stdout = stdout
    after = plan.make(suites.load(str(file)), place / "results")
    return [_row(entry, real[_key(entry)]) for entry in after.entries if entry.identity]


def _key(entry: PlannedCell) -> tuple[str, str, str]:
    return entry.cell.method, entry.cell.encoder, entry.cell.shift


def _row(entry: PlannedCell, real: PlannedCell) -> Row:
    cost = entry.record.cost if entry.record else None
    ok = entry.state == "done"
    return Row(
        method=entry.cell.method,
        encoder=entry.cell.encoder,
        shift=entry.cell.shift,
        ok=ok,
        problem="" if ok else f"{entry.state}: {entry.reason or 'not run'}",
        seconds_per_iteration=cost.seconds_per_iteration if cost else None,
        peak_memory_mib=cost.peak_memory_mib if cost else None,
        predicted_hours=_hours(entry, real) if ok else None,
    )


def _hours(entry: PlannedCell, real: PlannedCell) -> float | None:
    """Hours of the real cell on this device: training, and scoring of the published images.

    After smaller crops that is the least it can take: what a step costs beside its pixels, the
    optimiser above all, does not shrink with them, so no factor would tell the true hours.
    """
    cost = entry.record.cost if entry.record else None
    if cost is None or entry.record is None:
        return None
    training = cost.seconds_per_iteration * real.config["train_cfg"]["max_iters"]
    scored = sum(metrics.images for metrics in entry.record.metrics.values())
    published = sum(
        registry.find("domain", name).values.get("counts", {}).get("test", metrics.images)
        for name, metrics in entry.record.metrics.items()
    )
    evaluation = cost.evaluation_seconds / max(scored, 1) * published
    return (training + evaluation) / 3600.0


def _print(rows: Sequence[Row], terms: Terms) -> None:
    from tabulate import tabulate

    def number(value: float | None, digits: int) -> str:
        return "" if value is None else f"{value:.{digits}f}"

    hours_head = "hours" if terms.shrink == 1 else "hours, at least"
    heads = ("method", "encoder", "shift", "result", "s/iter", "peak MiB", hours_head)
    table = [
        (
            row.method,
            row.encoder,
            row.shift,
            "ok" if row.ok else "FAILED",
            number(row.seconds_per_iteration, 2),
            number(row.peak_memory_mib, 0),
            number(row.predicted_hours, 1),
        )
        for row in rows
    ]
    print(tabulate(table, heads, disable_numparse=True, colalign=("left",) * 4 + ("right",) * 3))
    for row in rows:
        if not row.ok:
            print(f"{row.method} x {row.encoder} on {row.shift}: {row.problem}")
    hours = sum(row.predicted_hours or 0.0 for row in rows)
    good = sum(row.ok for row in rows)
    least = "" if terms.shrink == 1 else "at least "
    crops = "" if terms.shrink == 1 else f" (measured with crops 1/{terms.shrink} as wide)"
    print(
        f"{good} of {len(rows)} cells are ok; one seed of all would take {least}{hours:.0f} h on "
        f"this device{crops}"
    )
