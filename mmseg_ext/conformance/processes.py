"""Runs parts of checks in processes of their own, which share nothing but what they are given.

The processes are forked from a server that has imported what all of them need and computed
nothing, so each begins like a fresh interpreter and costs no import. One that hangs or is killed
becomes a verdict too.
"""

from __future__ import annotations

import importlib
import json
import math
import multiprocessing
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmseg_ext.conformance.verdict import DoesNotApply, Failed

_PRELOADED = [
    "torch._dynamo",  # torch's optimizers import it when the first one is built
    "mmengine.runner",
    *(
        "matplotlib.figure",
        "matplotlib.backends.backend_agg",
    ),  # the runner draws a figure of its own
    *(f"mmseg_ext.{each}" for each in ("encoders", "engine", "heads", "methods", "segmentors")),
]


def call(work: str, *arguments: Any, seconds: float) -> Any:
    """The value of ``work`` ("module:function", JSON in effect) in one process of its own.

    Raises:
        Failed: it failed, raised any other exception, died, or did not end in ``seconds``.
        DoesNotApply: it says so.
    """
    return call_each(work, [arguments], seconds=seconds)[0]


def call_each(work: str, arguments: Sequence[Sequence[Any]], *, seconds: float) -> list[Any]:
    """The same for several processes at a time, each with arguments of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    with tempfile.TemporaryDirectory(prefix="udabench-check-") as folder:
        answers = [Path(folder) / f"{index}.json" for index in range(len(arguments))]
        jobs = [
            context.Process(target=_run, args=(work, given, str(answer)))
            for given, answer in zip(arguments, answers, strict=True)
        ]
        for job in jobs:
            job.start()
        end = time.monotonic() + seconds
        try:
            for job in jobs:
                job.join(max(0.0, end - time.monotonic()))
            late = any(job.is_alive() for job in jobs)
        finally:
            for job in jobs:
                job.kill()
                job.join()
        found = [_answer(path, job.exitcode, late) for path, job in zip(answers, jobs, strict=True)]
    # What went wrong first is the reason why others hang. Who loses the connection may tell so
    # before the one whose end closed it.
    for each in sorted(found, key=lambda each: (each.get("cut off", False), each["time"])):
        _raise(each)
    return [each["value"] for each in found]


def described(error: BaseException) -> str:
    """An exception in one line, with the last place in a file that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def function_of(work: str) -> Any:
    """The function that "module:function" names."""
    module, _, name = work.partition(":")
    return getattr(importlib.import_module(module), name)


def _run(work: str, arguments: Sequence[Any], answer: str) -> None:
    import torch

    torch.set_num_threads(1)
    found: dict[str, Any]
    try:
        found = {"value": function_of(work)(*arguments)}
    except Failed as failed:
        found = {"failed": [failed.reason, failed.remedy]}
    except DoesNotApply as reason:
        found = {"does not apply": str(reason)}
    except BaseException as error:
        traceback.print_exc()
        found = {"failed": [described(error), ""], "cut off": _lost_another(error)}
    Path(answer).write_text(json.dumps({**found, "time": time.time()}), encoding="utf-8")


def _lost_another(error: BaseException) -> bool:
    """Whether an exception says that another process of the group has gone.

    That of gloo is a plain ``RuntimeError`` with the place in its source.
    """
    from torch.distributed import DistError

    return isinstance(error, DistError) or "gloo/transport" in str(error)


def _answer(path: Path, exit_code: int | None, late: bool) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    how = "was killed, most likely for memory" if exit_code == -9 else f"died ({exit_code})"
    reason = "did not end in time" if late else f"the process {how}"
    return {"failed": [reason, ""], "time": math.inf}


def _raise(found: dict[str, Any]) -> None:
    if "failed" in found:
        raise Failed(*found["failed"])
    if "does not apply" in found:
        raise DoesNotApply(found["does not apply"])
