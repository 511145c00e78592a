"""A small file that says how far a run is, for whoever watches the process from outside."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any

from mmengine.dist import get_rank
from mmengine.hooks import Hook

from mmseg_ext.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """Rewrites ``path`` about once in ``period`` seconds with phase, iteration and loss.

    The file is replaced by renaming, so a reader sees whole JSON; it is not flushed to the disk,
    because losing it loses nothing; nor does a write that fails. Of several processes rank 0 writes
    it.

    Args:
        path: the file to write.
        period: least seconds between two writes.
    """

    def __init__(self, path: str, period: float = 1.0) -> None:
        self._path, self._period = Path(path), period
        self._written = 0.0
        self._started: tuple[float, int] | None = None

    def before_train(self, runner: Any) -> None:
        """Announce training, and measure speed from here, not from before a resume."""
        self._started = (time.monotonic(), runner.iter)
        self._write(runner, "training", runner.iter, None)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Report at most once a period."""
        if time.monotonic() - self._written >= self._period:
            self._write(runner, "training", runner.iter + 1, float(outputs["loss"]))

    def before_test(self, runner: Any) -> None:
        """Announce evaluation."""
        self._write(runner, "evaluating", runner.max_iters, None)

    def _write(self, runner: Any, phase: str, iteration: int, loss: float | None) -> None:
        self._written = time.monotonic()
        if get_rank() != 0:
            return
        seconds = None
        if self._started is not None and iteration > self._started[1]:
            seconds = (self._written - self._started[0]) / (iteration - self._started[1])
        state = {
            "phase": phase,
            "iteration": iteration,
            "iterations": runner.max_iters,
            "loss": loss,
            "seconds_per_iteration": seconds,
            "time": time.time(),
        }
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(json.dumps(state), encoding="utf-8")
            os.replace(temporary, self._path)
        except OSError:  # a full disk must not end a training that could go on
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
