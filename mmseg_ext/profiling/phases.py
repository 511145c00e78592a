"""Which part of a training step takes how long.

`watched` wraps a method's parts from outside and takes the wrapping off again; the method itself
stays as it is. A step is cut into stretches, each of which belongs to one phase, so the phases add
up to the step. On a GPU the cuts are events in its stream and say what the device did.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from mmseg_ext.engine.part_optimizers import by_part

PHASES = (
    *("data wait", "prepare", "source", "teacher", "mix", "masked", "feature distance"),
    *("adversary", "entropy", "target", "optimiser", "EMA", "other"),
)
"""All phases that `watched` knows. ``prepare`` normalises images and moves them to the device,
``target`` is what a method does after its last term, ``other`` what lies between the parts."""

_PHASE_OF_TERM = {
    "feature_distance": "feature distance",
    "adversarial": "adversary",
    "discriminator": "adversary",
}
Mark = Any
"""A moment: seconds on the CPU, an event on a GPU."""


class PhaseClock:
    """Adds up the time of phases; phases nest, and an inner one stops the outer one's clock.

    Args:
        device: ``cpu`` or ``cuda``.
    """

    def __init__(self, device: str) -> None:
        self._on_gpu = device == "cuda"
        self._active: list[str] = ["other"]
        self._stretches: list[tuple[str, Mark]] = []  # phase and the moment of its end
        self._started: Mark = None

    def start(self) -> None:
        """Begin a step: what follows is ``other`` until a phase begins."""
        self._active, self._stretches = ["other"], []
        self._started = self._now()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What runs inside belongs to the phase."""
        self._cut()
        self._active.append(name)
        try:
            yield
        finally:
            self._cut()
            self._active.pop()

    def rename(self, old: str, new: str) -> None:
        """Give the stretches called ``old`` to another phase, once it is known which."""
        self._stretches = [(new if n == old else n, mark) for n, mark in self._stretches]

    def stop(self) -> dict[str, float]:
        """End the step; seconds by phase."""
        self._cut()
        if self._on_gpu:
            torch.cuda.synchronize()
        seconds: dict[str, float] = {}
        last = self._started
        for name, mark in self._stretches:
            seconds[name] = seconds.get(name, 0.0) + self._between(last, mark)
            last = mark
        return seconds

    def _cut(self) -> None:
        self._stretches.append((self._active[-1], self._now()))

    def _now(self) -> Mark:
        if not self._on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _between(self, first: Mark, second: Mark) -> float:
        if not self._on_gpu:
            return float(second - first)
        return float(first.elapsed_time(second)) / 1e3


@contextmanager
def watched(method: nn.Module, optimizers: Any, clock: PhaseClock) -> Iterator[None]:
    """While it lasts, the method's steps tell ``clock`` what they are doing.

    A backward pass belongs to the first of the terms it is made of: that of the feature distance
    shares its graph with the source's and is part of ``source``.

    Args:
        method: a `UDAMethod`.
        optimizers: the wrapper or wrappers its steps are taken with.
    """
    with ExitStack() as stack:
        put = functools.partial(_replaced, stack)
        waiting: list[str] = []
        put(method, "prepare", _timed(clock, "prepare"))
        put(method, "training_terms", lambda terms: _terms(clock, terms, waiting))
        for wrapper in by_part(optimizers).values():
            put(wrapper, "step", _timed(clock, "optimiser"))
            put(wrapper, "backward", lambda run: _backward(clock, run, waiting))
        put(optimizers, "zero_grad", _timed(clock, "optimiser"))
        _watch_teacher(put, method, clock)
        distance = getattr(method, "feature_distance", None)
        if distance is not None:
            put(distance, "remember", _timed(clock, "feature distance"))
        yield


Put = Callable[[Any, str, Callable[[Any], Any]], None]


def _watch_teacher(put: Put, method: nn.Module, clock: PhaseClock) -> None:
    teacher: Any = getattr(method, "teacher", None)
    if teacher is None:
        return
    put(teacher, "update", _timed(clock, "EMA"))
    put(method, "pseudo_labels", _timed(clock, "teacher"))

    def segment(run: Any) -> Any:
        def both(network: nn.Module, image: torch.Tensor) -> torch.Tensor:
            if network is not teacher:
                return run(network, image)  # type: ignore[no-any-return]
            with clock.phase("teacher"):
                return run(network, image)  # type: ignore[no-any-return]

        return both

    put(method, "segment", segment)


def _terms(clock: PhaseClock, terms: Any, waiting: list[str]) -> Any:
    """`training_terms` whose time belongs to the terms; which one is known when it is there."""

    def timed(batch: Any) -> Iterator[Any]:
        found = terms(batch)
        unknown = "?"
        while True:
            with clock.phase(unknown):
                term = next(found, None)
            if term is None:
                clock.rename(unknown, "target")
                return
            phase = _PHASE_OF_TERM.get(term.name, term.name)
            clock.rename(unknown, phase)
            waiting.append(phase)
            yield term

    return timed


def _backward(clock: PhaseClock, run: Any, waiting: list[str]) -> Any:
    def timed(loss: Any, **options: Any) -> Any:
        with clock.phase(waiting[0] if waiting else "other"):
            result = run(loss, **options)
        waiting.clear()
        return result

    return timed


def _timed(clock: PhaseClock, phase: str) -> Callable[[Any], Any]:
    def around(run: Any) -> Any:
        @functools.wraps(run, updated=())
        def timed(*args: Any, **options: Any) -> Any:
            with clock.phase(phase):
                return run(*args, **options)

        return timed

    return around


def _replaced(stack: ExitStack, owner: Any, name: str, around: Callable[[Any], Any]) -> None:
    """Put ``around(original)`` in the place of an attribute until the stack is left."""
    own = name in vars(owner)
    original = getattr(owner, name)
    setattr(owner, name, around(original))
    if own:
        stack.callback(setattr, owner, name, original)
    else:
        stack.callback(delattr, owner, name)


def shares(seconds: Mapping[str, float]) -> dict[str, float]:
    """Each phase's share of the sum, in the order of `PHASES`, unknown ones last."""
    total = sum(seconds.values()) or 1.0
    order = [*PHASES, *sorted(set(seconds) - set(PHASES))]
    return {name: seconds[name] / total for name in order if name in seconds}
