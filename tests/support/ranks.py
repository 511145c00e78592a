"""Runs a function in several real processes that form a gloo process group on the CPU."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import itertools
import multiprocessing
import os
import socket
import traceback
from pathlib import Path

import torch

# Whatever a run imports, so that the processes are forked with it.
PRELOADED = [
    "torch._dynamo",  # torch's optimizers import it when the first one is built
    "mmengine.runner",
    *(f"mmseg_ext.{each}" for each in ("encoders", "engine", "evaluation", "heads", "methods")),
    "mmseg_ext.datasets.domain",
    "mmseg_ext.datasets.reading",
]


def launch(folder: Path, case: str, *arguments, processes: int = 2, **options) -> list:
    """What ``case``, a function of this module, returns in each rank."""
    context = multiprocessing.get_context("forkserver")  # forks after the slow imports
    context.set_forkserver_preload(PRELOADED)
    folder.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    jobs = [
        context.Process(target=_run, args=(folder, case, arguments, options, rank, processes, port))
        for rank in range(processes)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(timeout=120)
        if job.is_alive():
            job.kill()
    errors = [path.read_text() for path in sorted(folder.glob("*.error"))]
    assert not errors, "\n".join(errors)
    assert [job.exitcode for job in jobs] == [0] * processes
    return [torch.load(folder / f"{rank}.pth", weights_only=False) for rank in range(processes)]


def _run(folder, case, arguments, options, rank, world, port) -> None:
    importlib.import_module("mmseg_ext.registry")
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world))
    torch.distributed.init_process_group(
        "gloo",
        init_method=f"tcp://127.0.0.1:{port}",
        rank=rank,
        world_size=world,
        timeout=datetime.timedelta(seconds=60),
    )
    try:
        torch.save(globals()[case](*arguments, **options), folder / f"{rank}.pth")
    except BaseException:
        (folder / f"{rank}.error").write_text(traceback.format_exc())
        raise
    finally:
        torch.distributed.destroy_process_group()


def positions(run) -> list[int]:
    """The first positions in the data that this process trained on."""
    return list(itertools.islice(iter(run.train_loop.dataloader.sampler), 4))


def runner(root, work_dir, method, change=None, **options):
    """A runner of ``small_world``, with our wrapper if there is a process group."""
    import small_world
    from mmengine.config import Config
    from mmengine.runner import Runner

    config = small_world.runner_config(root, work_dir, method, **options)
    config["model_wrapper_cfg"] = {"type": "mmseg_ext.StepwiseDataParallel"}
    config["launcher"] = "pytorch" if torch.distributed.is_initialized() else "none"
    if change is not None:
        globals()[change](config)
    return Runner.from_cfg(Config(config))


def with_sgd(config):
    """Steps proportional to gradients, so that rounding stays rounding."""
    sgd = {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 0.05}}
    wrappers = config["optim_wrapper"]
    for part in ("student", "discriminator"):
        if part in wrappers:
            wrappers[part] = sgd
    if "constructor" not in wrappers:
        config["optim_wrapper"] = sgd


def with_clipping_and_twice_the_batch(config):
    """The one process that two are compared with."""
    with_clipping(config)
    config["train_dataloader"]["batch_size"] = 4


def with_clipping(config):
    """Clip the student's gradients below their usual norm."""
    with_sgd(config)
    wrappers = config["optim_wrapper"]
    wrappers.get("student", wrappers)["clip_grad"] = {"max_norm": 0.5}


def with_batch_norm(config):
    """A head that keeps running statistics."""
    config["model"].segmentor.decode_head.norm_cfg = {"type": "BN"}


def result(run) -> dict:
    """Everything that training left in this process."""
    from mmseg_ext.engine import CurveHook

    model = getattr(run.model, "module", run.model)
    return {
        "weights": model.state_dict(),
        "gradients": {
            name: parameter.grad
            for name, parameter in model.named_parameters()
            if parameter.grad is not None
        },
        "optimizer": run.optim_wrapper.state_dict(),
        "curves": next(hook.curves for hook in run.hooks if isinstance(hook, CurveHook)),
        "next_numbers": torch.rand(4),
    }


def train(root, folder, methods, change=None, **options):
    """Train each method and return its result."""
    results = {}
    for method in methods:
        run = runner(root, folder / method, method, change, **options)
        first = _watch_first_step(run)
        run.train()
        more = {"positions": positions(run), "first_gradients": first}
        results[method] = {**result(run), **more}
    return results


def _watch_first_step(run) -> dict:
    """A dictionary that will hold the gradients of the first step."""
    first: dict = {}
    step, model = run.model.train_step, getattr(run.model, "module", run.model)

    def watched(*args, **kwargs):
        log = step(*args, **kwargs)
        if not first:
            gradients = ((name, p.grad) for name, p in model.named_parameters())
            first.update({name: each.clone() for name, each in gradients if each is not None})
        return log

    run.model.train_step = watched
    return first


def resume(root, folder, method, iterations=4, interval=2):
    """An uninterrupted run, and one stopped in its last step and resumed from the point before."""
    whole = runner(root, folder / "whole", method, iterations=iterations)
    whole.train()
    first = result(whole)

    stopped = runner(root, folder / "stopped", method, iterations=iterations, interval=interval)
    step = stopped.model.train_step

    def stop(*args, **kwargs):
        if stopped.iter == iterations - 1:
            raise KeyboardInterrupt
        return step(*args, **kwargs)

    stopped.model.train_step = stop
    with contextlib.suppress(KeyboardInterrupt):
        stopped.train()

    torch.manual_seed(99)
    resumed = runner(root, folder / "resumed", method, iterations=iterations)
    resumed._resume, resumed._load_from = True, str(folder / "stopped" / "resume.pth")
    resumed.train()
    assert resumed.train_loop.first_iteration == interval
    return first, result(resumed), positions(resumed)


def nan_in_rank_1(root, folder):
    """The message of the error that a NaN in one process raises in each."""
    from mmseg_ext.errors import NonFiniteLossError

    run = runner(root, folder, "minent", iterations=3)
    if torch.distributed.get_rank() == 1:
        step = run.model.module.training_terms

        def broken(batch):
            for term in step(batch):
                object.__setattr__(term, "loss", term.loss * float("nan"))
                yield term

        run.model.module.training_terms = broken
    try:
        run.train()
    except NonFiniteLossError as error:
        return str(error)
    return None


def score(root, folder):
    """Confusion counts of each domain after one step, and the weights they belong to."""
    run = runner(root, folder, "source-only", iterations=1)
    run.train()
    metrics = run.test()
    scores = {name: each.confusion_ncc for name, each in run.test_loop.scores.items()}
    return scores, metrics, run.model.module.state_dict()


def wrapped_from_different_weights():
    """State of a module after wrapping, when each rank had built another one."""
    from torch import nn

    from mmseg_ext.engine import StepwiseDataParallel

    torch.manual_seed(torch.distributed.get_rank())
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    module[1].running_mean += torch.rand(3)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    return before, StepwiseDataParallel(module).module.state_dict()


def averaged_gradients():
    """Gradients before and after averaging, of parameters that have them in some ranks only."""
    from torch import nn

    from mmseg_ext.engine import data_parallel

    rank = torch.distributed.get_rank()
    shapes = [(2, 3), (4,), (2, 2, 3, 3), (5,), (3,)]
    parameters = [nn.Parameter(torch.zeros(shape)) for shape in shapes]
    parameters[2].data = parameters[2].data.to(memory_format=torch.channels_last)
    generator = torch.Generator().manual_seed(rank)
    present = [[0, 1, 2], [0, 2, 3]][rank]  # the last parameter has a gradient in neither
    for index in present:
        parameter = parameters[index]
        parameter.grad = torch.empty_like(parameter).copy_(
            torch.randn(shapes[index], generator=generator)
        )
    before = [None if p.grad is None else p.grad.clone() for p in parameters]
    data_parallel._BUCKET = 10  # several messages, one parameter larger than a message
    frozen = nn.Parameter(torch.zeros(1), requires_grad=False)
    data_parallel.average_gradients([*parameters[:3], frozen, *parameters[3:]])
    return before, [None if p.grad is None else p.grad for p in parameters], frozen.grad


def averaged_statistics():
    """Running means before and after averaging, of a training and of an evaluating layer."""
    from torch import nn

    from mmseg_ext.engine.data_parallel import average_statistics

    layers = nn.ModuleList([nn.BatchNorm2d(3), nn.BatchNorm2d(3).eval()])
    for layer in layers:
        layer.running_mean += torch.tensor([1.0, 2.0, 3.0]) * (1 + torch.distributed.get_rank())
    before = [layer.running_mean.clone() for layer in layers]
    average_statistics(layers)
    return before, [layer.running_mean for layer in layers]
