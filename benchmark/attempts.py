"""Attempts: what was tried for a cell, and whether its suite allows it another try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmark import provenance
from benchmark.records import TRANSIENT_FAILURES, Identity, Record

if TYPE_CHECKING:
    from benchmark.plan import PlannedCell
    from benchmark.suite import Budget


def entry(
    failure: str | None, seconds: float, accumulate: int, switches: Mapping[str, bool] | None = None
) -> dict[str, Any]:
    """One attempt for a record: how it ended (None: well), after how long, and what was changed.

    ``accumulate`` is the number of micro-batches a step was cut into, 1 for none; ``switches`` are
    other run-time choices by name, of which those that were made are kept.
    """
    changed: dict[str, Any] = {"accumulate": accumulate} if accumulate > 1 else {}
    return {
        "end": provenance.utc_now(),
        "failure": failure,
        "seconds": round(seconds, 1),
        "changed": {**changed, **{name: True for name, made in (switches or {}).items() if made}},
    }


def earlier(record: Record | None, identity: Identity | None) -> tuple[Mapping[str, Any], ...]:
    """The attempts that a new one of the cell follows: those that failed at the same question."""
    if record is None or identity is None or record.failure is None:
        return ()
    return record.attempts if record.identity.id == identity.id else ()


def notes(accumulate: int, before: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    """What a table has to say about a cell that was trained in micro-batches."""
    if accumulate == 1:
        return ()
    why = " after out of memory" if any(each["failure"] == "oom" for each in before) else ""
    return (f"accumulated over {accumulate} micro-batches{why}",)


def micro_batches(planned: PlannedCell, budget: Budget, processes: int = 1, asked: int = 1) -> int:
    """Micro-batches of the attempt that starts now: those of ``retry``, or, where the last one was
    cut short by no fault of its own, as many as it had; at least as many as were ``asked`` for."""
    again = retry(planned, budget, processes)
    record = planned.record
    if again is not None or record is None or record.failure is None or not record.attempts:
        return max(again or 1, asked)
    if planned.state != "failed" or record.failure.kind not in TRANSIENT_FAILURES:
        return asked
    before: int = record.attempts[-1].get("changed", {}).get("accumulate", 1)
    return max(before, asked)


def retry(planned: PlannedCell, budget: Budget, processes: int = 1) -> int | None:
    """Micro-batches of the next attempt at a failed cell; None if there is to be none.

    After out of memory a step is cut into the next number of slices that divides the batch (of one
    of ``processes``), so that its effective size stays.
    """
    record = planned.record
    if planned.state != "failed" or record is None or record.failure is None:
        return None
    kind = record.failure.kind
    failed = sum(1 for each in record.attempts if each["failure"] == kind)
    if max(failed, 1) > budget.retries.get(kind, 0):
        return None
    last = record.attempts[-1].get("changed", {}) if record.attempts else {}
    accumulated: int = last.get("accumulate", 1)
    if kind != "oom":
        return accumulated
    batch = planned.config.get("train_dataloader", {}).get("batch_size", 1) // processes
    return next((n for n in range(accumulated + 1, batch + 1) if batch % n == 0), None)
