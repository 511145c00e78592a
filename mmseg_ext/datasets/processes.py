"""Doing calls in fresh processes that never outlive this one, few of them at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

import cv2

from mmseg_ext.errors import ExtensionError

Task = TypeVar("Task")
Result = TypeVar("Result")


class LostProcessError(ExtensionError):
    """A worker process died: names what was being worked on."""


def in_processes(
    call: Callable[[Task], Result], tasks: Iterable[Task], processes: int
) -> Iterator[tuple[Task, Result]]:
    """Tasks and their results, in any order. An interrupt stops it within one task's time.

    Args:
        call: with more than one process it, the tasks and the results must be picklable.

    Raises:
        LostProcessError: a worker process died, of too little memory for example.
    """
    if processes <= 1:
        for task in tasks:
            yield task, call(task)
        return
    # Spawned, not forked: threads of OpenCV and of others do not survive a fork.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), settle, (os.getpid(),))
    waiting: dict[Future[Result], Task] = {}
    remaining = iter(tasks)
    try:
        while True:
            for task in islice(remaining, 2 * processes - len(waiting)):
                waiting[pool.submit(call, task)] = task
            if not waiting:
                return
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting[future], future.result()
                del waiting[future]
    except BrokenProcessPool as error:
        tried = ", ".join(str(task)[:200] for task in islice(waiting.values(), 3))
        raise LostProcessError(
            f"a worker process died, while these were worked on: {tried}, ...; is there enough "
            "memory? Try fewer processes"
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def settle(parent: int) -> None:
    """In a worker: one OpenCV thread, no reaction to Ctrl-C, no life without the parent."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
