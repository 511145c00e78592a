"""Signals that ask a run to end, counted while an engine works."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def counted(count: Callable[[], None]) -> Iterator[None]:
    """Call ``count`` for every SIGINT, SIGTERM and SIGHUP inside the block, instead of dying."""

    def handler(number: int, frame: FrameType | None) -> None:
        count()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup sets it
        numbers.append(signal.SIGHUP)
    previous = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in previous.items():
            signal.signal(number, earlier)
