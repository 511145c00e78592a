"""Signals that ask a command to end; they are counted while an engine works."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


def interruptible() -> None:
    """Let SIGTERM end this command as Ctrl-C does, clearing up.

    A shell that starts a command in the background makes it deaf to SIGINT.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


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
