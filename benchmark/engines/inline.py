"""The inline engine: cells one after another in this process, for debuggers and profilers."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from pathlib import Path

from benchmark import attempts, failures, lease, plan
from benchmark.engines import Interrupted, Observer, Outcome, Slot
from benchmark.paths import CellPaths
from benchmark.plan import PlannedCell
from benchmark.runtime import Runtime
from benchmark.suite import Suite


def run(
    cells: Sequence[PlannedCell],
    suite: Suite,
    folder: Path,
    slot: Slot,
    runtime: Runtime,
    observer: Observer,
) -> list[Outcome]:
    """Run ``cells`` and return their outcomes in order.

    Raises:
        Interrupted: Ctrl-C was pressed.
    """
    # Read when torch first asks for a device, so it must be set before the worker is imported.
    os.environ["CUDA_VISIBLE_DEVICES"] = slot.visible
    from benchmark import worker

    outcomes = []
    for planned in cells:
        observer.started(planned, slot)
        begun = time.monotonic()
        cell_paths = CellPaths(folder, planned.cell)
        try:
            with lease.hold(cell_paths.lease):
                cell_paths.remove_leftovers()
                now = plan.judge(planned, folder, holding=True)
                is_new = now.record is not None and now.record != planned.record
                if now.state == "done" or is_new:
                    outcomes.append(_by_others(now, observer))
                    continue
                accumulate = attempts.micro_batches(now, suite.budget, asked=runtime.accumulate)
                told = dataclasses.replace(runtime, accumulate=accumulate)
                record = worker.run_cell(now, suite, folder, told)
        except lease.LeaseHeldError as error:
            state, reason = "skipped", str(error)
        except OSError as error:
            kind = "disk" if failures.is_disk_full(error) else "error"
            state, reason = "failed", f"{kind}: {error}"
        except KeyboardInterrupt:
            raise Interrupted from None
        else:
            failure = record.failure
            state, reason = record.state, f"{failure.kind}: {failure.message}" if failure else ""
        outcome = Outcome(planned.cell, state, reason, time.monotonic() - begun)
        observer.finished(outcome)
        outcomes.append(outcome)
    return outcomes


def _by_others(now: PlannedCell, observer: Observer) -> Outcome:
    """The outcome of a cell that another process has recorded since it was planned."""
    outcome = Outcome(
        now.cell, now.state, f"run by another process; {now.reason}".rstrip("; "), 0.0
    )
    observer.finished(outcome)
    return outcome
