"""Loss terms that became NaN or infinite stop a run, and the host does not wait to see them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmseg_ext.errors import NonFiniteLossError

Arrival = Callable[[], list[float]]
"""Values on their way from the device: calling it waits until they are here."""


@dataclass(frozen=True)
class _Unseen:
    """Loss terms of a step that nobody has looked at yet."""

    names: list[str]
    iteration: int
    values: Arrival


class FiniteLosses:
    """Looks at the loss terms of every step, on a GPU while the next step runs.

    On the CPU a step's terms are there when they are computed, and a bad one stops the run before
    the weights move. Asking a GPU for them would leave it without work in every step. There they
    are sent to the host and looked at just before the optimizers' step of the next iteration, when
    the GPU has a whole step of work in its queue: by then the weights have taken the one step that
    belongs to the bad term. `settle` asks for what is on its way; whoever hands out weights calls
    it first, so that weights after a bad term are never saved or tested. Of several processes all
    pass the means over the processes, and so stop in the same step.
    """

    def __init__(self) -> None:
        self._unseen: _Unseen | None = None

    def look(self, log: Mapping[str, Tensor], iteration: int) -> None:
        """Check the terms (``loss_<name>``, scalars) of a step, or those of the step before it.

        All terms at once: asking for each would make as many copies.

        Args:
            log: what the step logs.
            iteration: the step's number, counted from 1.

        Raises:
            NonFiniteLossError: names the first such term and its iteration.
        """
        self.settle()
        losses = {name: value for name, value in log.items() if name.startswith("loss_")}
        stacked = torch.stack([loss.detach().float() for loss in losses.values()])
        names = [name.removeprefix("loss_") for name in losses]
        self._unseen = _Unseen(names, iteration, arriving(stacked))
        if stacked.device.type == "cpu":
            self.settle()

    def settle(self) -> None:
        """Check the terms that are on their way, if any.

        Raises:
            NonFiniteLossError: as `look` does.
        """
        unseen, self._unseen = self._unseen, None
        if unseen is None:
            return
        for name, value in zip(unseen.names, unseen.values(), strict=True):
            if not math.isfinite(value):
                raise NonFiniteLossError(
                    f"loss term {name!r} became {value} in iteration {unseen.iteration}"
                )

    def __getstate__(self) -> dict[str, Any]:
        """Copies of a method are handed out as much as its weights, and start with nothing unseen.

        Raises:
            NonFiniteLossError: as `look` does.
        """
        self.settle()
        return {"_unseen": None}


def arriving(values: Tensor) -> Arrival:
    """Send values (n,) to the host, without waiting where they come from a GPU."""
    if values.device.type != "cuda":
        return values.tolist
    landed = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    landed.copy_(values, non_blocking=True)
    event = torch.cuda.Event()
    event.record()

    def wait() -> list[float]:
        event.synchronize()
        return landed.tolist()

    return wait
