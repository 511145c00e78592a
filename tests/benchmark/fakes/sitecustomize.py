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
    if "batch" in method.values:
        config["train_dataloader"] = {"batch_size": method.values["batch"]}
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
    from benchmark import attempts
    from benchmark.paths import CellPaths
    from benchmark.records import Failure, Record, write_record

    cell_paths = CellPaths(folder, planned.cell)
    with open(cell_paths.folder / "pids", "a", encoding="ascii") as stream:
        stream.write(f"{os.getpid()}\n")
    found: dict[str, Any] = {"cuda": os.environ.get("CUDA_VISIBLE_DEVICES")}
    failure = _BEHAVIOURS[planned.cell.method](cell_paths, runtime, found)
    kind, _, message = failure.rpartition("!")
    if runtime.checkpoint_activations or runtime.compile:
        found["switches"] = [runtime.checkpoint_activations, runtime.compile]
    before = attempts.earlier(planned.record, planned.identity)
    attempt = attempts.entry(kind or "error" if failure else None, 0.0, runtime.accumulate)
    record = Record(
        suite=suite.name,
        cell=planned.cell,
        identity=planned.identity,
        state="failed" if failure else "done",
        failure=Failure(kind or "error", message, "log.txt") if failure else None,
        diagnostics={**found, "threads": runtime.threads},
        attempts=(*before, attempt),
        notes=attempts.notes(runtime.accumulate, before),
    )
    if os.environ.get("RANK", "0") == "0":
        write_record(folder, record)
    return record


def _crash(cell_paths: Any, runtime: Any, found: Any) -> str:
    os.kill(os.getpid(), signal.SIGSEGV)
    return ""


def _slow(cell_paths: Any, runtime: Any, found: Any) -> str:
    """Work for long, with a child process as a data loader would be."""
    child = subprocess.Popen(SLEEP)
    with open(cell_paths.folder / "pids", "a", encoding="ascii") as stream:
        stream.write(f"{child.pid}\n")
    (cell_paths.folder / "started").touch()
    time.sleep(120)
    return ""


def _killed(cell_paths: Any, runtime: Any, found: Any) -> str:
    """End as the kernel ends a process when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def _steps(cell_paths: Any, runtime: Any, found: Any) -> str:
    """Short steps, each saved; a cell that was killed goes on after the last one."""
    from benchmark.records import write_atomically

    point = cell_paths.folder / "resume.json"
    state = json.loads(point.read_text()) if point.exists() else {"step": 0, "digest": ""}
    while state["step"] < 12:
        time.sleep(0.01)
        text = f"{cell_paths.cell.stem} {state['step']} {state['digest']}"
        state = {"step": state["step"] + 1, "digest": hashlib.sha256(text.encode()).hexdigest()}
        write_atomically(point, json.dumps(state))
        write_atomically(cell_paths.progress, json.dumps(state))
    found.update(state)
    return ""


def _hungry(cell_paths: Any, runtime: Any, found: Any) -> str:
    """Out of memory with more than a quarter of the batch at a time."""
    return "" if runtime.accumulate >= 4 else "oom!OutOfMemoryError: a card too small"


def _writer(cell_paths: Any, runtime: Any, found: Any) -> str:
    """Write a checkpoint larger than a small disk; what fails is the cell's failure."""
    from benchmark import failures

    target = cell_paths.folder / ".resume.pth.tmp"
    try:
        target.write_bytes(bytes(2_000_000))
    except OSError as error:
        target.unlink()
        return f"{failures.kind_of(error)}!{error.strerror}"
    target.unlink()
    return ""


def _ranked(cell_paths: Any, runtime: Any, found: Any) -> str:
    """Say which process this is; another than the first may be told to fail."""
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    place = {name: os.environ[name] for name in names}
    rank = place["RANK"]
    (cell_paths.folder / f"rank{rank}.json").write_text(json.dumps(place))
    if rank == "0":
        while not (cell_paths.folder / "rank1.json").exists():
            time.sleep(0.01)
    return ""


def _calm(cell_paths: Any, runtime: Any, found: Any) -> str:
    return ""


_BEHAVIOURS: dict[str, Callable[[Any, Any, Any], str]] = {
    "good": _calm,
    "better": _calm,
    "bad": lambda cell_paths, runtime, found: "ValueError: no luck",
    "crash": _crash,
    "slow": _slow,
    "steps": _steps,
    "hungry": _hungry,
    "writer": _writer,
    "ranked": _ranked,
    "killed": _killed,
}


def _write(plan: Any, *, figures: bool = True) -> Any:
    return types.SimpleNamespace(files=(), changed=(), removed=(), problems=())


def _print_tables(plan: Any, stream: Any) -> None:
    stream.write(f"TABLES of {len(plan.entries)} cells\n")


def _install(name: str, **functions: Callable[..., Any]) -> None:
    module = types.ModuleType(f"benchmark.{name}")
    module.__dict__.update(functions)
    sys.modules[module.__name__] = module


_install("compose", resolve=_resolve, with_seed=_with_seed)
_install("identity", identify=_identify, with_seed=_identity_with_seed)
_install("worker", run_cell=_run_cell)
_install("report", write=_write, print_tables=_print_tables)
