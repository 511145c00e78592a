"""Runs ONE cell in one process (or its share): only here the control plane meets mmseg_ext.

Training comes first, from source images and labels and, for UDA methods, unlabelled target images;
evaluation follows when training is over and opens the labelled test splits then. The record is
written last, in one rename.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import (
    artifacts,
    attempts,
    cell_cost,
    domain_record,
    examples,
    failures,
    plugins,
    provenance,
    ranks,
    stopping,
    switches,
)
from benchmark.identity import packages_of
from benchmark.paths import CellPaths
from benchmark.plan import PlannedCell
from benchmark.records import Cost, DomainMetrics, Failure, Record, write_atomically, write_record
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime
from benchmark.suite import Suite

if TYPE_CHECKING:
    from mmseg_ext.evaluation import DomainScore


@dataclass(frozen=True)
class _Result:
    """What a cell that went well has to tell."""

    metrics: Mapping[str, DomainMetrics]
    diagnostics: Mapping[str, Any]
    cost: Cost
    switches: Mapping[str, bool]


def run_cell(planned: PlannedCell, suite: Suite, folder: Path, runtime: Runtime) -> Record:
    """Train and score one cell, write its record below ``folder`` and return it.

    A Python exception becomes a ``failed`` record with its kind and message; its traceback goes to
    the log. ``KeyboardInterrupt`` leaves no record: the next run goes on from the resume point. Of
    several processes that share the cell, rank 0 writes the files; all return the record.
    """
    assert planned.identity is not None, "an excluded cell cannot be run"
    paths = CellPaths(folder, planned.cell)
    paths.folder.mkdir(parents=True, exist_ok=True)
    if ranks.rank() == 0:
        _write_progress(paths, "starting")
        _drop_foreign_resume_point(paths, planned)
    started, begun = provenance.begin(), time.monotonic()
    result: _Result | None = None
    failure: Failure | None = None
    try:
        with _process_group(runtime.device):
            result = _train_and_score(planned, suite, paths, runtime)
    except Exception as error:
        log = str(paths.log.relative_to(folder))
        failure = Failure(failures.kind_of(error), _message(error, planned.config, runtime), log)
        with suppress(OSError):  # the log may lie on a full disk
            traceback.print_exc()
    with suppress(OSError):
        sys.stdout.flush()
    before = attempts.earlier(planned.record, planned.identity)
    attempt = attempts.entry(
        failure.kind if failure else None,
        time.monotonic() - begun,
        runtime.accumulate,
        result.switches if result else switches.asked(runtime),
    )
    record = Record(
        suite=suite.name,
        cell=planned.cell,
        identity=planned.identity,
        state="failed" if failure else "done",
        metrics=result.metrics if result else {},
        failure=failure,
        diagnostics=result.diagnostics if result else {},
        cost=result.cost if result else None,
        provenance=provenance.capture(
            threads=runtime.threads,
            devices=[_device_name()] * ranks.count(),
            started=started,
            folder=paths.folder,
        ),
        attempts=(*before, attempt),
        notes=attempts.notes(runtime.accumulate, before),
    )
    if ranks.rank() != 0:
        return record
    write_record(folder, record)
    if result is not None and suite.checkpoints.keep != "everything":
        paths.resume_point.unlink(missing_ok=True)
    return record


@contextmanager
def _process_group(device: str) -> Iterator[None]:
    """Meet the other processes of the cell, with gloo on the CPU and NCCL on GPUs.

    MMEngine's own launcher insists on CUDA; it finds this group and leaves it as it is.
    """
    if ranks.count() == 1:
        yield
        return
    import torch

    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        torch.distributed.barrier()  # until rank 0 has dropped a resume point of another cell
        yield
    finally:
        torch.distributed.destroy_process_group()


def _train_and_score(
    planned: PlannedCell, suite: Suite, paths: CellPaths, runtime: Runtime
) -> _Result:
    import torch
    from mmengine.config import Config
    from mmengine.runner import Runner

    import mmseg_ext.registry  # noqa: F401  (mends mmcv and MMEngine before either is used)
    from mmseg_ext.engine import CurveHook, ResumePointHook, run_time

    plugins.load(packages_of(planned.config))
    torch.set_num_threads(runtime.threads)
    config = for_this_machine(planned.config, paths, runtime, suite.checkpoints.every)
    # Unformatted: MMEngine prints the configuration, and yapf takes seconds to make it pretty.
    runner = Runner.from_cfg(Config(config, format_python_code=False))
    point = next(hook for hook in runner.hooks if isinstance(hook, ResumePointHook))
    model = getattr(runner.model, "module", runner.model)  # several processes: it is wrapped
    made = switches.set_on(model, runtime)
    before = cell_cost.begin_training(paths) if ranks.rank() == 0 else 0.0
    begun = time.monotonic()
    with stopping.announced(point.stop_after_step):
        runner.train()
    trained = time.monotonic()
    with run_time.uncompiled() if made["compile"] else nullcontext():
        runner.test()
        scored = time.monotonic()

        scores: Mapping[str, DomainScore] = runner.test_loop.scores  # type: ignore[attr-defined]
        weights = dict(model.student.state_dict())
        if suite.checkpoints.keep != "nothing":
            artifacts.replace(paths.folder / "weights.pth", lambda path: torch.save(weights, path))
        examples.write_or_tell(planned, suite, paths.suite_folder, model, runner.test_loop)
    curves = next(hook.curves for hook in runner.hooks if isinstance(hook, CurveHook))
    return _Result(
        metrics=domain_record.metrics(planned.config, scores, runner.test_loop.dataloaders),
        diagnostics={
            "curves": curves,
            "encoder": _encoder_facts(model),
            **domain_record.facts(planned.config, suite.protocol_of(planned.cell.method), runner),
            "weights_sha256": artifacts.digest(tensor.cpu().numpy() for tensor in weights.values()),
            "confusion": artifacts.save_confusion(
                paths,
                {name: s.confusion_ncc for name, s in scores.items()},
                domain_record.groups(runner.test_loop.dataloaders),  # type: ignore[attr-defined]
            ),
        },
        cost=cell_cost.measured(
            runner, model.student, before + trained - begun, scored - trained, _peak_memory_mib()
        ),
        switches=made,
    )


def _encoder_facts(model: Any) -> dict[str, Any]:
    """What the encoder was and how its input was normalised, for the record."""
    describe = getattr(model.student.backbone, "describe", dict)
    return {**describe(), "image_statistics": model.image_statistics()}


def _drop_foreign_resume_point(paths: CellPaths, planned: PlannedCell) -> None:
    """A resume point of another configuration must not be continued with this one."""
    assert planned.identity is not None
    document = {"id": planned.identity.id, "config": planned.config}
    try:
        known = json.loads(paths.config.read_text(encoding="utf-8"))["id"]
    except (OSError, ValueError, KeyError, TypeError):
        known = None
    if known != planned.identity.id:
        paths.resume_point.unlink(missing_ok=True)
        write_atomically(paths.config, json.dumps(document, indent=1, sort_keys=True) + "\n")


def _write_progress(paths: CellPaths, phase: str) -> None:
    state = {
        "phase": phase,
        "iteration": 0,
        "iterations": 0,
        "loss": None,
        "seconds_per_iteration": None,
    }
    with suppress(OSError):  # nothing depends on it
        write_atomically(paths.progress, json.dumps({**state, "time": time.time()}))


def _message(error: Exception, config: Mapping[str, Any], runtime: Runtime) -> str:
    """The error in one line without this machine's folders: it goes into a record."""
    places = {runtime.cache: "<cache>", **runtime.data_roots.names(config)}
    if runtime.weights.folder is not None:
        places[runtime.weights.folder] = "<weights>"
    return provenance.scrub(f"{type(error).__name__}: {error}", places)


def _peak_memory_mib() -> float:
    """Peak memory of this process: on the GPU where there is one, else resident."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def _device_name() -> str:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name(0))
    return "cpu"
