"""Whether processes and micro-batches divide what cells train on, asked before anything runs."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.errors import UsageError
from benchmark.plan import PlannedCell


def check_shares(due: Sequence[PlannedCell], count: int, option: str) -> None:
    """Refuse ``count`` processes, asked for by ``option``, that cannot share a cell's batch.

    Raises:
        UsageError: with the first such cell.
    """
    for planned in due:
        batch = planned.config.get("train_dataloader", {}).get("batch_size", count)
        if batch % count:
            raise UsageError(
                f"{option}: {planned.cell} trains on batches of {batch} images, which do not "
                "divide evenly"
            )


def check_slices(due: Sequence[PlannedCell], processes: int, slices: int) -> None:
    """Refuse micro-batches that do not divide what one of a cell's processes trains on.

    Raises:
        UsageError: with the first such cell.
    """
    for planned in due:
        batch = planned.config.get("train_dataloader", {}).get("batch_size", processes)
        if batch // processes % slices:
            each = "" if processes == 1 else f" in each of {processes} processes"
            raise UsageError(
                f"--accumulate {slices}: {planned.cell} trains on batches of "
                f"{batch // processes} images{each}; give a number that divides it"
            )
