"""Signals that ask a command to end; they are counted while an engine works."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_asked = threading.Event()


def interruptible() -> None:
    """Let SIGTERM end this command as Ctrl-C does, clearing up.

    A shell that starts a command in the background makes it deaf to SIGINT.
    """
    _asked.clear()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def check() -> None:
    """Raise again what a library may have swallowed; long work calls this between its pieces.

    Python runs signal handlers between any two instructions, also below C code that takes every
    exception for "there is no such attribute".

    Raises:
        KeyboardInterrupt: this command was asked to end.
    """
    if _asked.is_set():
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    _asked.set()
    raise KeyboardInterrupt


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
