"""Kinds of failures: what an exception says about its cell, told without importing torch."""

from __future__ import annotations

import errno
from collections.abc import Iterator

FULL = (errno.ENOSPC, errno.EDQUOT)
# What torch makes a plain RuntimeError of: its allocator on the processor, the driver and its
# libraries on a GPU, and a data-loading process that the kernel has killed.
OUT_OF_MEMORY = (
    *("can't allocate memory", "CUDA error: out of memory", "_STATUS_ALLOC_FAILED"),
    "is killed by signal: Killed",
)
# torch's archive writer turns a write that fails into a RuntimeError without the system's number.
ARCHIVE_WRITER = ("PytorchStreamWriter failed", "inline_container.cc")


def kind_of(error: BaseException) -> str:
    """One of ``records.FAILURES`` for an exception that ended a cell."""
    names = {each.__name__ for each in type(error).__mro__}
    if "NonFiniteLossError" in names:
        return "nan"
    if "MemoryError" in names or "OutOfMemoryError" in names or _is_out_of_memory(error):
        return "oom"
    return "disk" if is_disk_full(error) else "error"


def _is_out_of_memory(error: BaseException) -> bool:
    for each in _chain(error):
        if isinstance(each, OSError) and each.errno == errno.ENOMEM:
            return True
        if isinstance(each, RuntimeError) and any(text in str(each) for text in OUT_OF_MEMORY):
            return True
    return False


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one it was raised for, is a full disk or an exhausted quota."""
    for each in _chain(error):
        if isinstance(each, OSError) and each.errno in FULL:
            return True
        if isinstance(each, RuntimeError) and any(text in str(each) for text in ARCHIVE_WRITER):
            return True
    return False


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
