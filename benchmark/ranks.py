"""Several processes for one cell, started by torchrun: who they are and how they meet.

``torchrun --nproc-per-node 2 -m benchmark cell ...`` starts the same command once a device. Rank 0
holds the cell's lease and writes whatever is written; the others train along.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def process_group(device: str) -> Iterator[None]:
    """Meet the other processes of the cell, with gloo on the CPU and NCCL on GPUs.

    MMEngine's own launcher insists on CUDA; it finds this group and leaves it as it is.
    """
    if count() == 1:
        yield
        return
    import torch

    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def wait_for_all() -> None:
    """Return when every process of the cell has come here."""
    if count() > 1:
        import torch

        torch.distributed.barrier()
