"""Progress of long work, and being asked to end in its midst."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import pytest

from benchmark.commands.bars import progress_bar
from benchmark.engines import signals


@pytest.fixture
def interruptible() -> Iterator[None]:
    """This process obeys signals as a command does, and afterwards as before."""
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signals.interruptible()
    yield
    signals.interruptible()
    for number, handler in previous.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_swallowed_request_to_end_is_raised_at_the_next_piece(
    interruptible: None, number: signal.Signals
) -> None:
    with progress_bar("working") as progress:
        progress(1, 3)
        with contextlib.suppress(BaseException):  # as a library does that looks for an attribute
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            progress(2, 3)


def test_work_that_nobody_interrupts_goes_on(
    interruptible: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("working") as progress:
        for done in range(1, 4):
            progress(done, 3)
    assert capsys.readouterr().err == ""
