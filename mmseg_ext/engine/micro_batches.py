"""Gradient accumulation: a step's batch in equal slices, for a device that cannot hold it whole.

Every slice is a forward and backward pass of its own, whose terms weigh 1/N; one step of the
optimizers follows. That is the whole batch's step where a loss is a mean over images that do not
see each other. It is another one where they do: batch norm, mixing across the batch, a share of
confident pixels, a mean over labelled pixels or over random draws.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from mmseg_ext.errors import MethodError
from mmseg_ext.parts.teacher import MeanTeacher

Batch = TypeVar("Batch")


def slices(batch: Batch, count: int) -> list[Batch]:
    """A dataclass of tensors (B,...) cut along B into ``count`` equal ones; ``None`` stays.

    Raises:
        MethodError: a tensor's B is no multiple of ``count``.
    """
    if count == 1:
        return [batch]
    values: dict[str, Any] = {
        field.name: getattr(batch, field.name)
        for field in dataclasses.fields(batch)  # type: ignore[arg-type]
    }
    sizes = {len(value) for value in values.values() if isinstance(value, Tensor)}
    uneven = sorted(size for size in sizes if size % count)
    if uneven:
        raise MethodError(
            f"a batch of {uneven[0]} cannot be cut into {count} equal micro-batches; accumulate "
            "over a number that divides it"
        )
    parts = {
        name: value.chunk(count) if isinstance(value, Tensor) else [value] * count
        for name, value in values.items()
    }
    cut = ({name: part[index] for name, part in parts.items()} for index in range(count))
    return [dataclasses.replace(batch, **part) for part in cut]  # type: ignore[type-var]


@contextlib.contextmanager
def teachers_held(method: nn.Module, hold: bool) -> Iterator[None]:
    """With ``hold``, updates of every mean teacher in ``method`` do nothing inside the block.

    Methods update their teacher among their terms, which are asked for once a slice; the teacher
    is to follow once a step, at its first slice.
    """
    modules = method.modules() if hold else ()
    teachers = [module for module in modules if isinstance(module, MeanTeacher)]
    for teacher in teachers:
        teacher.held = True
    try:
        yield
    finally:
        for teacher in teachers:
            teacher.held = False


def mean_log(logs: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of each logged scalar over the slices."""
    if len(logs) == 1:
        return logs[0]
    return {name: torch.stack([log[name] for log in logs]).mean() for name in logs[0]}
