"""Stopping a cell without losing what it has trained.

Schedulers announce the end of a job by SIGTERM or a user signal, to every process of it at once.
While training, either lets the current step end and the resume point be written first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from benchmark import ranks

SIGNALS = (signal.SIGTERM, signal.SIGUSR2)

_state = {"training": False, "prepared": False}


def interrupt(number: int, frame: FrameType | None) -> None:
    """Signal handler: end now. What is sent again meanwhile does not disturb the clearing up."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextlib.contextmanager
def announced(ask: Callable[[], None]) -> Iterator[None]:
    """While the block runs, ``SIGNALS`` call ``ask``, which is to end it soon.

    Several processes that share a cell are not at the same step when the signal reaches them and
    cannot write a point together: they keep their handlers, as does anything but a main thread.
    """
    if ranks.count() > 1 or threading.current_thread() is not threading.main_thread():
        yield
        return
    told: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        told.append(number)
        ask()

    _prepare_children()
    previous = {number: signal.signal(number, note) for number in SIGNALS}
    _state["training"] = True
    try:
        yield
        if told:  # after the last step
            raise KeyboardInterrupt
    finally:
        _state["training"] = False
        for number, handler in previous.items():
            signal.signal(number, signal.SIG_IGN if told else handler)


def _prepare_children() -> None:
    """Data-loading processes must outlive the signal: a step whose loader dies is a failed step.

    They end with their parent. Torch sets its own handlers in them, hence the blocked mask.
    """
    if not _state["prepared"]:
        os.register_at_fork(after_in_child=_block)
        _state["prepared"] = True


def _block() -> None:
    if _state["training"]:
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
