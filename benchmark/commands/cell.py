"""``udabench cell``: one cell in this process. Engines call it, and so may a user."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from benchmark import data, lease, paths, plan, ranks, stopping
from benchmark import suite as suites
from benchmark.commands import options
from benchmark.data_roots import DataRoots
from benchmark.engines import EXIT_DONE, EXIT_FAILED, EXIT_HELD, EXIT_INTERRUPTED, guardian
from benchmark.errors import UsageError
from benchmark.plan import PlannedCell
from benchmark.runtime import Runtime
from benchmark.suite import Suite
from benchmark.weights import WeightsFolder


def run(parsed: argparse.Namespace) -> int:
    """Run the cell unless it is done. Returns a worker's exit code (see ``benchmark.engines``)."""
    in_pool = guardian.PARENT_FD in os.environ
    guardian.watch_parent()
    for number in stopping.SIGNALS:
        signal.signal(number, stopping.interrupt)
    suite = suites.load(parsed.suite).with_overrides(parsed.seeds, encoders=parsed.encoder)
    out = Path(parsed.out)
    files = options.data_files(parsed)
    planned = plan.one(suite, out, parsed.id, parsed.iterations, files)
    if planned.state == "excluded":
        raise UsageError(f"{planned.cell} is excluded from suite {suite.name}: {planned.reason}")
    folder = paths.suite_folder(out, suite.name)
    cell_paths = paths.CellPaths(folder, planned.cell)
    runtime = Runtime(
        device=parsed.device,
        threads=parsed.threads,
        workers=parsed.workers,
        data_roots=DataRoots.chosen(parsed.data_root),
        cache=paths.cache_root(),
        weights=WeightsFolder.chosen(parsed.weights, parsed.download_weights),
    )
    if ranks.rank() > 0:
        return _train_along(planned, suite, folder, runtime)
    try:
        with lease.hold(cell_paths.lease):
            cell_paths.remove_leftovers()
            planned = plan.judge(planned, folder, holding=True)
            if planned.state == "done":
                print(f"{planned.cell}: already done")
                return EXIT_DONE
            if not in_pool:
                data.prepare([planned])
            return _work(planned, suite, folder, runtime)
    except lease.LeaseHeldError as error:
        print(f"udabench: {error}", file=sys.stderr)
        return EXIT_HELD
    except KeyboardInterrupt:
        print("udabench: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def _train_along(planned: PlannedCell, suite: Suite, folder: Path, runtime: Runtime) -> int:
    """One of the further processes that torchrun started: rank 0 holds the lease for all."""
    if planned.state == "done":
        return EXIT_DONE
    try:
        data.prepare([planned])
        return _work(planned, suite, folder, runtime)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _work(planned: PlannedCell, suite: Suite, folder: Path, runtime: Runtime) -> int:
    from benchmark import worker

    record = worker.run_cell(planned, suite, folder, runtime)
    if record.failure:
        print(f"{planned.cell}: failed ({record.failure.kind}): {record.failure.message}")
        return EXIT_INTERRUPTED if record.failure.kind == "interrupted" else EXIT_FAILED
    print(f"{planned.cell}: done")
    return EXIT_DONE
