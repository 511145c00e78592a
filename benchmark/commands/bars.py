"""A progress bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from benchmark.engines import signals

LINE_SECONDS = 5.0


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with the number done and the number in all.

    It raises KeyboardInterrupt where the command was asked to end and the asking got lost.
    """
    if not sys.stderr.isatty():
        yield _plain(title)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def update(done: int, total: int) -> None:
            signals.check()
            bar.update(task, completed=done, total=total)

        yield update


def _plain(title: str) -> Callable[[int, int], None]:
    begun = time.monotonic()
    last = begun

    def update(done: int, total: int) -> None:
        nonlocal last
        signals.check()
        now = time.monotonic()
        if now - last >= LINE_SECONDS and done < total:
            last = now
            left = (now - begun) / max(done, 1) * (total - done)
            print(f"{title}: {done}/{total}, about {left:.0f} s left", file=sys.stderr, flush=True)

    return update
