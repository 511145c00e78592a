"""Python's garbage collection, where it costs time and finds nothing."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """No garbage collection: thousands of records are read and all of them are kept."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # the first collection would look at all of them in vain
        if was_enabled:
            gc.enable()
