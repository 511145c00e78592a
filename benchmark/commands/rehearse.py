"""``udabench rehearse``: will this grid run, how long will it take, and how much memory?"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from benchmark import paths, registry, rehearsal
from benchmark.cli import EXIT_DONE, EXIT_FAILED
from benchmark.commands import options, rehearsed
from benchmark.commands.rehearsed import Row
from benchmark.engines import Slot, signals
from benchmark.engines.devices import slots
from benchmark.errors import UdabenchError, UsageError
from benchmark.records import write_atomically
from benchmark.rehearsal import Terms
from benchmark.suite import Suite

PROCESSOR_SHRINK = 8


def run(parsed: argparse.Namespace) -> int:
    """Rehearse suites, one after the other. 0: every cell went through; 1: one did not.

    Raises:
        UsageError: a suite twice, or ``--json`` for several.
        UdabenchError: ``--keep`` names a folder that exists, or ``--record`` one that cannot be
            made.
    """
    signals.interruptible()
    given = [
        options.load_suite(argparse.Namespace(**{**vars(parsed), "suite": s})) for s in parsed.suite
    ]
    _refuse(given, parsed)
    places = slots(parsed.devices, parsed.threads)
    keep = Path(parsed.keep).absolute() if parsed.keep else None
    if keep is not None and keep.exists():
        raise UdabenchError(f"--keep: {paths.shown(keep)} exists already; name a new folder")
    record = _made(Path(parsed.record).absolute()) if parsed.record else None
    place = Path(tempfile.mkdtemp(prefix="udabench-rehearsal-"))
    good = True
    try:
        for suite in given:
            begun = time.monotonic()
            terms = _terms(parsed, suite, on_processor=places[0].device == "cpu")
            _announce(suite, terms, places, sys.stderr)
            rows = rehearsed.rehearse(parsed, suite, place, terms, places)
            good = good and all(row.ok for row in rows)
            _tell(parsed, suite, terms, rows, record, time.monotonic() - begun)
        if keep is not None:
            shutil.copytree(place / "results", keep)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return EXIT_DONE if good else EXIT_FAILED


def _made(record: Path) -> Path:
    """The folder of ``--record``, before minutes are spent on what it is to hold."""
    try:
        record.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UdabenchError(
            f"--record: {paths.shown(record)} cannot be made ({error.strerror or error}); "
            "name another folder"
        ) from error
    return record


def _refuse(given: Sequence[Suite], parsed: argparse.Namespace) -> None:
    names = [suite.name for suite in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"rehearse: {', '.join(twice)} stands there twice; name each suite once")
    if parsed.json and len(given) > 1:
        raise UsageError(
            "--json: expected one suite; with several, --record DIR writes a file for each"
        )


def _terms(parsed: argparse.Namespace, suite: Suite, *, on_processor: bool) -> Terms:
    # MiniDrive's own images are small already, and nothing in its protocol resizes them.
    used = [registry.find("protocol", name) for name in rehearsal.protocols_of(suite)]
    resizes = any("train_scales" in protocol.values for protocol in used)
    shrink = parsed.shrink or (PROCESSOR_SHRINK if on_processor and resizes else 1)
    return Terms(parsed.iterations or (2 if on_processor else 10), parsed.images, shrink)


def _tell(
    parsed: argparse.Namespace,
    suite: Suite,
    terms: Terms,
    rows: Sequence[Row],
    folder: Path | None,
    seconds: float,
) -> None:
    """Print a rehearsal, and write it into its file below ``--record``."""
    document = {
        "suite": suite.name,
        "terms": asdict(terms),
        "minutes": round(seconds / 60, 1),
        "cells": [asdict(row) for row in rows],
    }
    text = json.dumps(document, indent=1)
    if folder is not None:
        write_atomically(folder / f"{suite.name}.json", text + "\n")
    if parsed.json:
        print(text)
    else:
        _print(suite, rows, terms)


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


def _print(suite: Suite, rows: Sequence[Row], terms: Terms) -> None:
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
        f"{suite.name}: {good} of {len(rows)} cells are ok; one seed of all would take "
        f"{least}{hours:.0f} h on this device{crops}"
    )
