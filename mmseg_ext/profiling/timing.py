"""Timing of training steps: blocks of several kinds of steps in turn, so that all of them meet the
same machine."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from mmseg_ext.profiling.arithmetic import synchronize
from mmseg_ext.profiling.job import Built
from mmseg_ext.profiling.phases import PhaseClock, watched

Block = Callable[[int], None]
"""Takes so many training steps."""


def interleaved(
    blocks: Mapping[str, Block], steps: int, repeats: int, device: str
) -> dict[str, list[float]]:
    """Seconds a step of each kind, one value a repeat.

    Every repeat runs one block of each kind, in an order that is turned around from one repeat to
    the next.
    """
    seconds: dict[str, list[float]] = {name: [] for name in blocks}
    for repeat in range(repeats):
        names = list(blocks) if repeat % 2 == 0 else list(blocks)[::-1]
        for name in names:
            synchronize(device)
            begun = time.perf_counter()
            blocks[name](steps)
            synchronize(device)
            seconds[name].append((time.perf_counter() - begun) / steps)
    return seconds


def plain_block(step: Callable[[Any], Any], data: Iterator[Any]) -> Block:
    """Steps with nothing around them."""

    def run(count: int) -> None:
        for _ in range(count):
            step(next(data))

    return run


def watched_block(built: Built, data: Iterator[Any], device: str, found: dict[str, float]) -> Block:
    """Steps whose phases are timed; their seconds are added to ``found``."""
    clock = PhaseClock(device)
    step = own_step(built)

    def run(count: int) -> None:
        with watched(built.method, built.optimizers, clock):
            for _ in range(count):
                clock.start()
                with clock.phase("data wait"):
                    batch = next(data)
                step(batch)
                for name, seconds in clock.stop().items():
                    found[name] = found.get(name, 0.0) + seconds

    return run


def own_step(built: Built) -> Callable[[Any], Any]:
    """The step that the training loop takes."""
    method: Any = built.method
    return lambda data: method.train_step(data, optim_wrapper=built.optimizers)


def peak_memory_mib(device: str) -> float:
    """The most that the device has held, or on the CPU the whole process."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    unit = 1 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def current_memory_mib(device: str) -> float | None:
    """What is held now; ``None`` where the system does not tell."""
    if device == "cuda":
        return torch.cuda.memory_allocated() / 2**20
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * resource.getpagesize() / 2**20
