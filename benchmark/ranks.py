"""Several processes for one cell, started by torchrun: who this one is.

``torchrun --nproc-per-node 2 -m benchmark cell ...`` starts the same command once a device. Rank 0
holds the cell's lease and writes whatever is written; the others train along.
"""

from __future__ import annotations

import os

VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def is_started_by_torchrun() -> bool:
    """Whether this process is one of several, or the only one, that torchrun started."""
    return all(name in os.environ for name in VARIABLES)


def rank() -> int:
    """The number of this process, from 0."""
    return int(os.environ["RANK"]) if is_started_by_torchrun() else 0


def count() -> int:
    """The number of processes that share the cell."""
    return int(os.environ["WORLD_SIZE"]) if is_started_by_torchrun() else 1
