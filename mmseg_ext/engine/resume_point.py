"""A resume point: the one checkpoint from which an interrupted run goes on, bit for bit."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size, master_only
from mmengine.hooks import Hook

from mmseg_ext.errors import ResumeError
from mmseg_ext.registry import HOOKS

FILE_NAME = "resume.pth"


@HOOKS.register_module()
class ResumePointHook(Hook):
    """Keeps ``resume.pth`` in the working folder, replaced atomically every ``interval`` steps.

    MMEngine's checkpoints lack the state of the random generators; this hook adds it and puts it
    back after loading. A file is written under a temporary name and renamed when it is on the disk,
    so a process killed while saving leaves the previous point intact. Of several processes rank 0
    writes, and what it writes holds the random state of each.

    Args:
        interval: iterations between two points; 0 saves none.

    Raises:
        ResumeError: the point was written by another number of processes.
    """

    priority = "VERY_LOW"

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._states: list[dict[str, Any]] | None = None
        self._loaded: list[dict[str, Any]] | None = None
        self._is_stopping = False

    def stop_after_step(self) -> None:
        """Save after the current step whatever the interval, then raise ``KeyboardInterrupt``.

        For a single process: several would have to be asked at the same step.
        """
        self._is_stopping = True

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Save when the interval has passed and training goes on, or when asked to stop."""
        done = runner.iter + 1
        is_due = self._interval and done % self._interval == 0 and done < runner.max_iters
        if is_due or self._is_stopping:
            # MMEngine saves, and calls `before_save_checkpoint`, in rank 0 alone.
            self._states = all_gather_object(_random_state())
            save_resume_point(runner)
            self._states = None
        if self._is_stopping:
            raise KeyboardInterrupt

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Add the random state of every process to the checkpoint."""
        states = self._states
        if states is None and get_world_size() == 1:  # saved by another hook
            states = [_random_state()]
        if states is not None:
            checkpoint["random_states"] = states

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Keep the random states until training starts: what is built until then draws too."""
        self._loaded = checkpoint.get("random_states")

    def before_train_epoch(self, runner: Any) -> None:
        """Put the random state back right before the first resumed step."""
        if self._loaded is None or runner.iter == 0:  # a new run may begin from loaded weights
            return
        if len(self._loaded) != get_world_size():
            raise ResumeError(
                f"the resume point was written by {len(self._loaded)} process(es) and this run has "
                f"{get_world_size()}: it would read other samples in another order; start as many "
                "processes as before, or delete the resume point"
            )
        _set_random_state(self._loaded[get_rank()])


@master_only
def save_resume_point(runner: Any) -> None:
    """Write the resume point of a runner after its current step."""
    folder = Path(runner.work_dir)
    temporary = f".{FILE_NAME}.{os.getpid()}.tmp"
    try:
        runner.save_checkpoint(str(folder), temporary, by_epoch=False)
        with open(folder / temporary, "rb") as stream:
            os.fsync(stream.fileno())
        os.replace(folder / temporary, folder / FILE_NAME)
    except BaseException:
        (folder / temporary).unlink(missing_ok=True)
        raise


def _random_state() -> dict[str, Any]:
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    version, internal, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        # Of the process's own device: asking the others would take memory on each of them.
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
        "numpy": [kind, torch.from_numpy(np.asarray(keys, np.int64)), position, has_gauss, cached],
        "python": [version, list(internal), gauss],
    }


def _set_random_state(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"].cpu())
    if torch.cuda.is_available() and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"].cpu())
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, keys.cpu().numpy().astype(np.uint32), *rest))
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
