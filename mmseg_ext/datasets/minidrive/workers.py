"""Doing calls in this process, or in fresh worker processes that never outlive it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from mmseg_ext.datasets.processes import settle

from .errors import CacheError

Captions = dict[int, str]
Call = Callable[[range], Captions]
Run = Callable[[Call, Sequence[range]], Iterator[Captions]]


@contextmanager
def workers(processes: int) -> Iterator[Run]:
    """A function that applies a call to chunks and yields the results in any order.

    Args:
        processes: with more than one, that many interpreters are started; calls, chunks and
            results must then be picklable.

    Raises:
        CacheError: a worker process died.
    """
    if processes <= 1:
        yield lambda call, chunks: map(call, chunks)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, settle, (os.getpid(),)) as pool:

        def run(call: Call, chunks: Sequence[range]) -> Iterator[Captions]:
            futures = [pool.submit(call, chunk) for chunk in chunks]
            try:
                for future in as_completed(futures):
                    yield future.result()
            except BrokenProcessPool as error:
                raise CacheError(
                    "a worker process died while generating MiniDrive images;"
                    " is there enough memory? Try fewer processes."
                ) from error
            finally:
                for future in futures:
                    future.cancel()

        yield run
