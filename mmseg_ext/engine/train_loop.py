"""The training loop: a fixed number of steps, no validation, resumed without re-reading data."""

from __future__ import annotations

import random
import time
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.runner import BaseLoop, IterBasedTrainLoop

from mmseg_ext.registry import LOOPS

_WARM_UP = 2  # steps


@LOOPS.register_module()
class UDATrainLoop(IterBasedTrainLoop):
    """Runs ``max_iters`` training steps.

    Two things differ from MMEngine's loop. There is no validation in it, because target labels have
    no place in training. And a resumed run starts its data at the right position instead of loading
    and discarding what was trained on, which also would not restore the random state.

    ``first_iteration`` tells where this process began: 0, or the iteration it resumed from.
    ``seconds_per_iteration`` is the mean of its steps without the first two, which also pay for
    starting up.

    Args:
        runner: the MMEngine runner.
        dataloader: config of a loader over `PairedDataset` with a `PositionSampler`.
        max_iters: number of optimiser steps.
    """

    def __init__(self, runner: Any, dataloader: Any, max_iters: int) -> None:
        BaseLoop.__init__(self, runner, dataloader)
        self._max_iters = int(max_iters)
        self._max_epochs = 1  # what hooks written for epochs expect of an iteration-based loop
        self._epoch = self._iter = 0
        self.stop_training = False
        self.first_iteration = 0
        self.seconds_per_iteration = 0.0

    def run(self) -> Any:
        """Train from the current iteration to the last and return the model."""
        self.first_iteration = self._iter
        _draw_own_numbers(self.runner.seed)
        self.dataloader.sampler.start_after(self._iter * self.dataloader.batch_size)
        # Starting a loader draws from torch's generator, so it comes before hooks restore the
        # random state of a resumed run.
        batches = iter(self.dataloader)
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        begun, steady = time.monotonic(), self._iter
        warm = self._iter + min(_WARM_UP, self._max_iters - self._iter - 1)
        while self._iter < self._max_iters and not self.stop_training:
            if self._iter == warm:
                begun, steady = _now(), self._iter
            self.run_iter(next(batches))
        self.seconds_per_iteration = (_now() - begun) / max(1, self._iter - steady)
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model


def _now() -> float:
    """Seconds, when the device has done what it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.monotonic()


def _draw_own_numbers(seed: int) -> None:
    """Give each process a random stream of its own; rank 0 keeps that of a run with one process.

    All of them built the same model from the same stream before. Mixing and augmentation must
    not repeat across processes from here on.
    """
    if get_rank() > 0:
        own = int(np.random.SeedSequence((seed, get_rank())).generate_state(1)[0])
        random.seed(own)
        np.random.seed(own)
        torch.manual_seed(own)
