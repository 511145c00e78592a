"""Whole training runs through MMEngine's Runner, the way a cell of the benchmark trains."""

from __future__ import annotations

import copy
import datetime
import os
from pathlib import Path
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.runner import Runner

from mmseg_ext.conformance import fingerprints
from mmseg_ext.conformance.build import import_classes
from mmseg_ext.conformance.fingerprints import Fingerprint
from mmseg_ext.conformance.job import Job
from mmseg_ext.profiling.job import Built
from mmseg_ext.profiling.random_images import RandomPairs


def train(
    job: Job, name: str, iterations: int, point_every: int = 0, resumed_from: str = ""
) -> Fingerprint:
    """Train, leave files in the job's folder ``name``, and return what state was reached.

    Args:
        point_every: iterations between two resume points, 0 for none.
        resumed_from: the ``name`` of a run whose resume point this one goes on from.
    """
    run = _runner(job, Path(job.folder) / name, iterations, point_every, "none")
    if resumed_from:
        point = Path(job.folder) / resumed_from / "resume.pth"
        run._resume, run._load_from = True, str(point)
    run.train()
    return fingerprints.of_built(Built(run.model, run.optim_wrapper))


def train_rank(job: Job, name: str, iterations: int, rank: int, processes: int) -> Fingerprint:
    """The share of one process of several, which meet at a file in the job's folder."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes))
    torch.distributed.init_process_group(
        "gloo",
        init_method=f"file://{job.folder}/{name}.meeting",
        rank=rank,
        world_size=processes,
        timeout=datetime.timedelta(seconds=60),
    )
    try:
        run = _runner(job, Path(job.folder) / f"{name}{rank}", iterations, 0, "pytorch")
        run.train()
        method = getattr(run.model, "module", run.model)
        return fingerprints.of_built(Built(method, run.optim_wrapper))
    finally:
        torch.distributed.destroy_process_group()


def _runner(job: Job, folder: Path, iterations: int, point_every: int, launcher: str) -> Runner:
    import_classes(job)
    options: dict[str, Any] = {
        "model": ConfigDict(copy.deepcopy(job.model)),
        "optim_wrapper": copy.deepcopy(dict(job.optim_wrapper)),
        "param_scheduler": copy.deepcopy(job.param_scheduler),
        "train_dataloader": {
            "batch_size": job.batch,
            "num_workers": 0,
            "sampler": {"type": "PositionSampler"},
            "dataset": RandomPairs(job.size, job.target),
        },
        "train_cfg": {"type": "UDATrainLoop", "max_iters": iterations},
        "custom_hooks": [{"type": "ResumePointHook", "interval": point_every}],
        "default_hooks": {"checkpoint": None},
        "cfg": {"model_wrapper_cfg": {"type": "mmseg_ext.StepwiseDataParallel"}},
        "randomness": {"seed": 0},
        "default_scope": "mmseg_ext",
        "log_level": "ERROR",
        "log_processor": {"by_epoch": False},
    }
    return Runner(work_dir=str(folder), experiment_name=folder.name, launcher=launcher, **options)
