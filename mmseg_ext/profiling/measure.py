"""One measurement from a job to a document of plain values."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from mmseg_ext.engine.autocast import AutocastOptimWrapper
from mmseg_ext.engine.part_optimizers import STUDENT, by_part
from mmseg_ext.errors import ExtensionError
from mmseg_ext.profiling import arithmetic, random_images, timing
from mmseg_ext.profiling.job import Built, Job, build
from mmseg_ext.profiling.phases import shares

# Steps before losses are compared: those of new weights hardly depend on the image.
_BEFORE_AGREEMENT = 2


def measure(job: Job) -> dict[str, Any]:
    """Run a job and tell what it found. The process must be a fresh one: its peak memory counts.

    Raises:
        ExtensionError: there is no GPU and one is asked for, the method cannot be built, or
            there is no plain step of it.
    """
    if job.device == "cuda" and not torch.cuda.is_available():
        raise ExtensionError("this machine shows no GPU to torch; measure on the cpu")
    torch.set_num_threads(job.threads)
    empty = timing.current_memory_mib(job.device)
    built = build(job)
    data = random_images.batches(job.size, job.batch, job.target, job.seed)
    if job.side == "both":
        for _ in range(_BEFORE_AGREEMENT):
            timing.own_step(built)(next(data))
    plain = _plain_step(built) if job.side != "ours" else None
    agreement = _agreement(job, built, plain, next(data)) if job.side == "both" else None
    phases: dict[str, float] = {}
    blocks = _blocks(job, built, plain, data, phases)
    for name, block in blocks.items():
        block(0 if name == "watched" else job.warmup)
    seconds = timing.interleaved(blocks, job.steps, job.repeats, job.device)
    peak = timing.peak_memory_mib(job.device)
    found = {
        "seconds": seconds,
        "peak_memory_mib": peak,
        "empty_memory_mib": empty,
        "precision": _precision(built),
        "device": _device_name(job.device),
        "agreement": agreement,
        "torch": torch.__version__,
    }
    if "watched" in blocks:
        found |= {"phases": shares(phases), **_counts(built)}
        found |= _arithmetic(job, built, data)
    return found


def _plain_step(built: Built) -> Callable[[Any], dict[str, float]]:
    from mmseg_ext.profiling.plain_steps import plain_step

    return plain_step(built.method, built.optimizers)


def _blocks(
    job: Job, built: Built, plain: Any, data: Iterator[Any], phases: dict[str, float]
) -> dict[str, timing.Block]:
    blocks: dict[str, timing.Block] = {}
    if job.side != "plain":
        blocks["ours"] = timing.plain_block(timing.own_step(built), data)
        if not job.brief:
            blocks["watched"] = timing.watched_block(built, data, job.device, phases)
    if plain is not None:
        blocks["plain"] = timing.plain_block(plain, data)
    return blocks


def _agreement(job: Job, built: Built, plain: Any, batch: Any) -> dict[str, Any]:
    """The losses of both steps on one batch with equal weights and draws, and how far apart."""
    torch.manual_seed(job.seed)
    ours = {
        name.removeprefix("loss_"): float(value)
        for name, value in timing.own_step(built)(batch).items()
        if name.startswith("loss_")
    }
    torch.manual_seed(job.seed)
    theirs = plain(batch)
    apart = max(abs(ours[name] - value) / max(abs(value), 1e-12) for name, value in theirs.items())
    return {"ours": ours, "plain": theirs, "relative_difference": apart}


def _precision(built: Built) -> str:
    student = by_part(built.optimizers)[STUDENT]
    return "bf16" if isinstance(student, AutocastOptimWrapper) else "fp32"


def _device_name(device: str) -> str:
    if device == "cuda":
        return str(torch.cuda.get_device_name(0))
    return "cpu" if platform.processor() == "" else f"cpu ({platform.machine()})"


def _counts(built: Built) -> dict[str, int]:
    student: nn.Module = built.method.student  # type: ignore[assignment]
    sizes = [(each.numel(), each.requires_grad) for each in student.parameters()]
    return {
        "parameters": sum(size for size, _ in sizes),
        "trainable_parameters": sum(size for size, trained in sizes if trained),
        "method_parameters": sum(each.numel() for each in built.method.parameters()),
    }


def _arithmetic(job: Job, built: Built, data: Iterator[Any]) -> dict[str, Any]:
    step = timing.own_step(built)
    precision = _precision(built)
    batch = next(data)
    optimizers = [wrapper.optimizer for wrapper in by_part(built.optimizers).values()]
    multiply_adds, waits = arithmetic.counted(lambda: step(batch), optimizers, job.device)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    name = _device_name(job.device)
    return {
        "gmacs_forward": arithmetic.student_gmacs(built.method, job.size, job.device),
        "gmacs_step": multiply_adds,
        "waits": waits,
        "matrix_tflops": arithmetic.measured_rate(job.device, dtype),
        "peak_tflops": arithmetic.peak_rate(name, precision) if job.device == "cuda" else None,
    }
