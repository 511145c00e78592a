"""What a cell's configuration gains on one machine: folders, worker processes, logging."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark import made_weights, ranks, registry, training_data
from benchmark.domains import FILES
from benchmark.errors import UsageError
from benchmark.identity import packages_of
from benchmark.paths import CellPaths, training_images
from benchmark.runtime import Runtime
from benchmark.weights import recipe_of, with_weights

# Parts of a resolved configuration that are facts about the cell, not arguments of the Runner.
_FACTS = ("roles", "domains", "scoring")
# Training batches that each worker keeps ready: twice torch's default, because images differ in how
# long they take. A batch of a test split may be far larger, so loaders of these keep the default.
_PREFETCHED = 4


def for_this_machine(
    config: Mapping[str, Any], paths: CellPaths, runtime: Runtime, every: int | None = None
) -> dict[str, Any]:
    """The MMEngine runner configuration of a cell on this machine; ``config`` is not changed.

    ``every`` is the number of iterations between two resume points (None: chosen here).
    """
    runner = {key: copy.deepcopy(value) for key, value in config.items() if key not in _FACTS}
    _place_weights(runner["model"], runtime, packages_of(config))
    roots = {name: _data_root(data, runtime) for name, data in config["domains"].items()}
    training = runner["train_dataloader"]
    training["batch_size"] = _share(training["batch_size"])
    loaders = [training, *runner["test_dataloader"].values()]
    trained = training_data.datasets(training["dataset"])
    tested = [loader["dataset"] for loader in runner["test_dataloader"].values()]
    for loader in loaders:
        loader["num_workers"] = runtime.workers
        loader["pin_memory"] = runtime.device == "cuda"
        # A loader of a domain is read once: workers that persist would idle until the cell ends.
        loader["persistent_workers"] = loader is training and runtime.workers > 0
    if runtime.workers:
        training["prefetch_factor"] = _PREFETCHED
    for dataset in (*trained, *tested):
        dataset["data_root"] = str(roots[dataset["domain"]])
        dataset["pipeline"] = [with_tuples(each) for each in dataset["pipeline"]]
    for dataset in trained:  # each image of the others is read once, a cache does not help
        if dataset["type"] == "FileDomainDataset":
            dataset["cache"] = str(training_images(runtime.cache))
    if "rare_class_sampling" in training["dataset"]:
        cache = str(runtime.cache / "class_statistics")
        training["dataset"]["rare_class_sampling"]["cache"] = cache

    iterations = runner["train_cfg"]["max_iters"]
    logged_every = max(1, min(50, iterations // 10))
    resume_point = paths.resume_point
    runner.update(
        work_dir=str(paths.folder),
        launcher="pytorch" if ranks.count() > 1 else "none",
        model_wrapper_cfg={"type": "mmseg_ext.StepwiseDataParallel"},  # for several processes
        log_level="INFO",
        log_processor={"by_epoch": False},
        default_hooks={
            "logger": {
                "type": "LoggerHook",
                "interval": logged_every,
                "log_metric_by_epoch": False,
            },
            "runtime_info": {"type": "mmseg_ext.LoggedValuesHook", "interval": logged_every},
            "checkpoint": None,
        },
        custom_hooks=[
            {"type": "CurveHook", "interval": max(1, iterations // 100)},
            {"type": "ProgressHook", "path": str(paths.progress)},
            {"type": "ResumePointHook", "interval": every or max(100, iterations // 20)},
        ],
        resume=resume_point.is_file(),
        load_from=str(resume_point) if resume_point.is_file() else None,
    )
    return runner


def with_tuples(transform: Mapping[str, Any]) -> dict[str, Any]:
    """A transform whose sizes are tuples again: MMCV refuses the lists that JSON makes of them."""
    sizes = ("scale", "crop_size")
    return {k: tuple(v) if k in sizes and isinstance(v, list) else v for k, v in transform.items()}


def _share(batch_size: int) -> int:
    """What one of the cell's processes trains on, so that a step is the same with any number.

    The processes split the protocol's batch, as micro-batches do, and average their gradients: the
    learning rates stay. They are the encoder's, meant for the protocol's batch size; nothing
    rescales them where a protocol changes that.

    Raises:
        UsageError: the batch cannot be divided evenly.
    """
    if batch_size % ranks.count():
        raise UsageError(
            f"{ranks.count()} processes cannot share a batch of {batch_size} images evenly; start "
            "as many as divide it"
        )
    return batch_size // ranks.count()


def _place_weights(model: dict[str, Any], runtime: Runtime, packages: Sequence[str]) -> None:
    """Point every encoder with weights to their file on this machine.

    Raises:
        UsageError: there is none, and it may not be downloaded.
        UdabenchError: weights that are to be made here cannot be made.
    """
    for backbone in with_weights(model):
        encoder = backbone.pop("weights_of")
        if recipe_of(backbone) is not None:
            made = made_weights.MadeWeights(encoder, dict(backbone), packages)
            backbone.update(pretrained=None, checkpoint=str(made.file(runtime.cache)))
            continue
        problem = runtime.weights.missing(encoder, backbone)
        if problem:
            raise UsageError(problem)
        file = runtime.weights.file(encoder)
        if file is not None:
            backbone["checkpoint"] = str(file)


def _data_root(data: Mapping[str, Any], runtime: Runtime) -> Path:
    """Folder that a domain's files lie in.

    Raises:
        UsageError: nobody said where it is.
    """
    if data["reader"] == FILES:
        return runtime.data_roots.of(registry.find("dataset", data["dataset"]))
    from mmseg_ext.datasets.minidrive import World

    return runtime.cache / "minidrive" / World(**data["world"]).key()
