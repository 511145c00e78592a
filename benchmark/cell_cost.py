"""What a cell costs: time summed over the parts of an interrupted training, memory, parameters."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from benchmark import ranks
from benchmark.paths import CellPaths
from benchmark.records import Cost, write_atomically

if TYPE_CHECKING:
    from mmengine.runner import Runner


class Network(Protocol):
    """What is counted of a network: its tensors."""

    def parameters(self) -> Iterable[Any]: ...


def begin_training(paths: CellPaths) -> float:
    """Note that training begins now; returns the seconds that led to the resume point, if any.

    Every part of an interrupted training counts from its beginning to the last resume point it
    wrote, by the time of that file: steps that are trained again count once, as in a cell that was
    never interrupted. Where nobody noted when a part began, what it took is lost, not guessed.
    """
    now, before = time.time(), 0.0
    with suppress(OSError, ValueError, KeyError, TypeError):
        saved = paths.resume_point.stat().st_mtime
        noted = json.loads(paths.training.read_text(encoding="utf-8"))
        begun, earlier = float(noted["begun"]), float(noted["before"])
        before = earlier + max(0.0, min(saved, now) - begun)
    write_atomically(paths.training, json.dumps({"begun": now, "before": before}))
    return before


def measured(
    runner: Runner, student: Network, training: float, evaluation: float, memory: float
) -> Cost:
    """The cost of a cell: ``training`` and ``evaluation`` in seconds, peak ``memory`` in MiB."""
    step = runner.train_loop.seconds_per_iteration  # type: ignore[attr-defined]
    dataset = runner.train_dataloader.dataset
    images = runner.train_dataloader.batch_size * (1 if dataset.target is None else 2)
    images *= ranks.count()
    return Cost(
        train_seconds=training,
        evaluation_seconds=evaluation,
        seconds_per_iteration=step,
        images_per_second=images / step if step else 0.0,
        peak_memory_mib=memory,
        parameters=sum(each.numel() for each in student.parameters()),
        trainable_parameters=sum(
            each.numel() for each in student.parameters() if each.requires_grad
        ),
        device_hours=ranks.count() * (training + evaluation) / 3600.0,
    )
