"""Put on the path of real ``python -m benchmark`` processes: what a cell does is made up, all the
rest (command line, plan, leases, pool, records) is the real thing.

A fake cell behaves as its method is called; see ``_BEHAVIOURS``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(120)"]


def _resolve(
    protocol: Any, method: Any, encoder: Any, shift: Any, domains: Any, seed: int, iterations: Any
) -> dict[str, Any]:
    parts = [part.name for part in (protocol, method, encoder, shift)]
    config = {"parts": parts, "seed": seed, "iterations": iterations, "rate": method.values["rate"]}
    if "pretrained" in encoder.values.get("backbone", {}):
        config["model"] = {**encoder.values["backbone"], "weights_of": encoder.name}
    return config


def _with_seed(config: Mapping[str, Any], seed: int) -> dict[str, Any]:
    return {**config, "seed": seed}


def _identify(config: Mapping[str, Any], *given: Any) -> Any:
    from benchmark.records import Identity

    rest = {key: value for key, value in config.items() if key != "seed"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    return _identity_with_seed(Identity("", 1, digest, "data", "metric"), config["seed"])


def _identity_with_seed(known: Any, seed: int) -> Any:
    whole = hashlib.sha256(f"{known.config} {seed}".encode()).hexdigest()
    return dataclasses.replace(known, id=whole[:16])


def _run_cell(planned: Any, suite: Any, folder: Path, runtime: Any) -> Any:
    from benchmark.paths import CellPaths
    from benchmark.records import Failure, Record, write_record

    cell_paths = CellPaths(folder, planned.cell)
    with open(cell_paths.folder / "pids", "a", encoding="ascii") as stream:
        stream.write(f"{os.getpid()}\n")
    failure = _BEHAVIOURS[planned.cell.method](cell_paths)
    record = Record(
        suite=suite.name,
        cell=planned.cell,
        identity=planned.identity,
        state="failed" if failure else "done",
        failure=Failure("error", failure, "log.txt") if failure else None,
        diagnostics={"cuda": os.environ.get("CUDA_VISIBLE_DEVICES"), "threads": runtime.threads},
    )
    write_record(folder, record)
    return record


def _crash(cell_paths: Any) -> str:
    os.kill(os.getpid(), signal.SIGSEGV)
    return ""


def _slow(cell_paths: Any) -> str:
    """Work for long, with a child process as a data loader would be."""
    child = subprocess.Popen(SLEEP)
    with open(cell_paths.folder / "pids", "a", encoding="ascii") as stream:
        stream.write(f"{child.pid}\n")
    (cell_paths.folder / "started").touch()
    time.sleep(120)
    return ""


def _killed(cell_paths: Any) -> str:
    """End as the kernel ends a process when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


_BEHAVIOURS: dict[str, Callable[[Any], str]] = {
    "good": lambda cell_paths: "",
    "better": lambda cell_paths: "",
    "bad": lambda cell_paths: "ValueError: no luck",
    "crash": _crash,
    "slow": _slow,
    "killed": _killed,
}


def _write(plan: Any) -> list[Path]:
    return []


def _print_markdown(plan: Any, stream: Any) -> None:
    stream.write(f"TABLES of {len(plan.entries)} cells\n")


def _install(name: str, **functions: Callable[..., Any]) -> None:
    module = types.ModuleType(f"benchmark.{name}")
    module.__dict__.update(functions)
    sys.modules[module.__name__] = module


_install("compose", resolve=_resolve, with_seed=_with_seed)
_install("identity", identify=_identify, with_seed=_identity_with_seed)
_install("worker", run_cell=_run_cell)
_install("report", write=_write, print_markdown=_print_markdown)
