"""What each optimisation of the training step brings on this machine.

Every optimisation is switched off alone, and steps with and without it are taken in turn. What it
brings is the ratio of their processor times, which other work on the machine disturbs less than
times on the clock. Run from the repository root::

    OMP_NUM_THREADS=1 python tests/perf/optimisations.py --out results/overhead/optimisations.md
"""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

import mmseg_ext.registry  # noqa: F401  (mends mmcv and MMEngine before either is used)
from benchmark import profile, profile_results
from benchmark import suite as suites
from benchmark.records import write_atomically
from mmseg_ext.datasets.classes import IGNORE_LABEL
from mmseg_ext.encoders.mix_transformer import ChannelsLastFFN
from mmseg_ext.encoders.standardized_conv import StandardizedConv
from mmseg_ext.heads.depthwise import DilatedDepthwiseConv
from mmseg_ext.methods.base import Term
from mmseg_ext.parts import teacher
from mmseg_ext.parts.cross_entropy import PixelCrossEntropy
from mmseg_ext.profiling import random_images, timing
from mmseg_ext.profiling.job import Built, Job, build

Setting = Literal["mini", "mit"]
Step = Callable[[], float]
"""Takes a training step and returns its loss."""


@dataclass(frozen=True)
class Optimisation:
    """One optimisation and how to do without it.

    Attributes:
        name: what it is.
        setting: the step that it is measured in.
        test: the test, below ``tests/mmseg_ext``, that it changes nothing.
        tolerance: relative, of that test.
        job: a job without it, of one with it.
        built: takes it out of a built method.
        around: makes a step without it of one with it.
        swapped: whether ``job`` and ``built`` give the step WITH it: it is off by default.
        memory: whether to compare the peak memory too.
    """

    name: str
    setting: Setting
    test: str
    tolerance: str
    job: Callable[[dict[str, Any]], None] | None = None
    built: Callable[[Built], None] | None = None
    around: Callable[[Step], Step] | None = None
    swapped: bool = False
    memory: bool = False


def job_of(setting: Setting) -> dict[str, Any]:
    """DACS with resnet-mini as the demo trains it, or with MiT-B0 and the paper's decoder."""
    if setting == "mini":
        suite, encoder, terms = "demo", "resnet-mini", profile.Terms(threads=1)
    else:
        suite, encoder, terms = "paper", "mit-b5", profile.Terms(crop=256, batch=1, threads=1)
    found = profile.combinations(suites.load(suite), ["dacs"], [encoder], terms)
    job = copy.deepcopy(dict(found[0].job))
    if setting == "mit":
        job["model"]["segmentor"]["backbone"]["variant"] = "b0"
        job["model"]["segmentor"]["decode_head"]["in_channels"] = [32, 64, 160, 256]
    return job


def step_of(each: Optimisation, changed: bool) -> Step:
    """A step from the initial weights; with ``changed`` the optimisation's switch is turned."""
    document = job_of(each.setting)
    if changed and each.job is not None:
        each.job(document)
    job = Job.of(document)
    built = build(job)
    if changed and each.built is not None:
        each.built(built)
    data = random_images.batches(job.size, job.batch, job.target, job.seed)
    own = timing.own_step(built)

    def step() -> float:
        return float(own(next(data))["loss"])

    return each.around(step) if changed and each.around is not None else step


def in_contiguous_layout(built: Built) -> None:
    # Not by the configuration: weights are drawn in the order they have in memory.
    method: Any = built.method
    method._layout = torch.contiguous_format
    method.to(memory_format=torch.contiguous_format)


def with_unfused_optimizer(job: dict[str, Any]) -> None:
    job["optim_wrapper"]["optimizer"]["fused"] = False


def in_bfloat16(job: dict[str, Any]) -> None:
    job["optim_wrapper"]["type"] = "AutocastOptimWrapper"


def with_own_convolutions(built: Built) -> None:
    for module in built.method.modules():
        if isinstance(module, DilatedDepthwiseConv):
            module.__class__ = nn.Conv2d  # type: ignore[assignment]


def with_copied_maps(built: Built) -> None:
    for module in built.method.modules():
        if isinstance(module, ChannelsLastFFN):
            module.__class__ = ChannelsLastFFN.__base__


def with_asked_weights(built: Built) -> None:
    for module in built.method.modules():
        if isinstance(module, nn.MultiheadAttention):
            module._forward_pre_hooks.clear()
            module._forward_pre_hooks_with_kwargs.clear()


def with_written_out_standardisation(built: Built) -> None:
    for module in built.method.modules():
        if isinstance(module, StandardizedConv):
            module.__class__ = WrittenOut


class WrittenOut(StandardizedConv):
    """The standardisation as its formula is written."""

    def forward(self, x: Tensor) -> Tensor:
        mean = self.weight.mean(dim=(1, 2, 3), keepdim=True)
        variance = self.weight.var(dim=(1, 2, 3), keepdim=True, unbiased=False)
        weight = (self.weight - mean) / (variance + 1e-6).sqrt()
        return self._conv_forward(x, weight, self.bias)  # type: ignore[no-any-return]


class MapCrossEntropy(PixelCrossEntropy):
    """The loss on maps instead of rows of pixels."""

    def forward(self, logits: Tensor, label: Tensor, weight: Tensor | None = None) -> Tensor:
        loss = functional.cross_entropy(
            logits.float(), label, self.class_weight, ignore_index=IGNORE_LABEL, reduction="none"
        )
        return (loss if weight is None else loss * weight).mean()


def with_map_cross_entropy(built: Built) -> None:
    built.method.cross_entropy.__class__ = MapCrossEntropy  # type: ignore[assignment]


def with_one_backward_pass(built: Built) -> None:
    method: Any = built.method
    terms = method.training_terms

    def waiting(batch: Any) -> Iterator[Term]:
        found = list(terms(batch))
        for term in found[:-1]:
            yield replace(term, with_next=True)
        yield found[-1]

    method.training_terms = waiting


def with_graph_in_the_teacher(built: Built) -> None:
    mean_teacher: Any = built.method.teacher
    mean_teacher.network.requires_grad_(True)
    mean_teacher.forward = mean_teacher.network.forward


def with_single_means(step: Step) -> Step:
    """The teacher's mean, one parameter after the other."""

    def average(own: Any, theirs: Any, decay: float) -> None:
        for name, value in own.items():
            value.mul_(decay).add_(theirs[name], alpha=1.0 - decay)

    def changed() -> float:
        kept = teacher._average
        teacher._average = average
        try:
            return step()
        finally:
            teacher._average = kept

    return changed


def with_written_out_attention(step: Step) -> Step:
    def changed() -> float:
        with sdpa_kernel(SDPBackend.MATH):
            return step()

    return changed


STEPS = "profiling/test_plain_steps.py"
OPTIMISATIONS = (
    Optimisation(
        "channels-last layout", "mini", STEPS, "1e-5", built=in_contiguous_layout
    ),
    Optimisation("fused AdamW", "mini", STEPS, "1e-5", job=with_unfused_optimizer),
    Optimisation(
        "teacher's mean over lists (foreach)",
        "mini", "parts/test_teacher.py", "1e-6", around=with_single_means,
    ),
    Optimisation(
        "teacher without graph",
        "mini", "parts/test_teacher.py", "0", built=with_graph_in_the_teacher, memory=True,
    ),
    Optimisation(
        "terms back-propagated one by one",
        "mini", "methods/test_methods.py", "1e-5", built=with_one_backward_pass, memory=True,
    ),
    Optimisation(
        "cross-entropy on rows of pixels",
        "mini", STEPS, "1e-5", built=with_map_cross_entropy,
    ),
    Optimisation(
        "standardised filters by layer norm",
        "mini", "encoders/test_standardized_conv.py", "1e-5",
        built=with_written_out_standardisation,
    ),
    Optimisation(
        "dilated depth-wise convolution on grids",
        "mini", "heads/test_depthwise.py", "1e-5", built=with_own_convolutions,
    ),
    Optimisation(
        "dilated depth-wise convolution on grids",
        "mit", "heads/test_depthwise.py", "1e-5", built=with_own_convolutions, memory=True,
    ),
    Optimisation(
        "MiT's feed-forward layers in channels-last layout",
        "mit", "encoders/test_mix_transformer.py", "1e-5", built=with_copied_maps,
    ),
    Optimisation(
        "fused attention",
        "mit", STEPS, "1e-5", around=with_written_out_attention, memory=True,
    ),
    Optimisation(
        "attention weights not asked for",
        "mit", "encoders/test_mix_transformer.py", "1e-3", built=with_asked_weights,
    ),
    Optimisation(
        "bf16 autocast of the encoder (off by default)",
        "mit", "engine/test_autocast.py", "a few percent", job=in_bfloat16, swapped=True,
        memory=True,
    ),
)  # fmt: skip


def peak_of_steps(index: int, changed: bool, answers: Any) -> None:
    """Peak memory of three steps, for a process of its own."""
    torch.set_num_threads(1)
    step = step_of(OPTIMISATIONS[index], changed)
    before = timing.current_memory_mib("cpu") or 0.0
    for _ in range(3):
        step()
    answers.put(own_peak_mib() - before)


def own_peak_mib() -> float:
    """The most memory that this process held; ``ru_maxrss`` begins with what its parent held."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**10


def memory_saved(index: int) -> float:
    """MiB of the peak that the switch frees when it is as in training."""
    context = multiprocessing.get_context("spawn")
    peaks = []
    for changed in (False, True):
        answers = context.Queue()
        process = context.Process(target=peak_of_steps, args=(index, changed, answers))
        process.start()
        peaks.append(float(answers.get()))
        process.join()
    saved = peaks[1] - peaks[0]
    return -saved if OPTIMISATIONS[index].swapped else saved


def ratios(each: Optimisation, steps: int, repeats: int) -> tuple[list[float], float]:
    """Times without the optimisation over those with it, and the first losses' difference."""
    pair = {changed: step_of(each, changed) for changed in (False, True)}
    losses: dict[bool, list[float]] = {}
    for changed, step in pair.items():
        torch.manual_seed(0)
        losses[changed] = [step() for _ in range(2)]
    apart = max(abs(a - b) / abs(b) for a, b in zip(*losses.values(), strict=True))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for repeat in range(repeats):
        for changed in (False, True) if repeat % 2 == 0 else (True, False):
            begun = time.process_time()
            for _ in range(steps):
                pair[changed]()
            seconds[changed].append(time.process_time() - begun)
    without, with_it = seconds[not each.swapped], seconds[each.swapped]
    return [a / b for a, b in zip(without, with_it, strict=True)], apart


def line(index: int, steps: int, repeats: int) -> str:
    """A row of the table."""
    each = OPTIMISATIONS[index]
    mini = each.setting == "mini"
    found, apart = ratios(each, steps if mini else 1, repeats if mini else max(3, repeats // 3))
    low, median, high = statistics.quantiles(found, n=4, method="inclusive")
    memory = f"{memory_saved(index):.0f}" if each.memory else ""
    step = "resnet-mini" if mini else "MiT-B0"
    return (
        f"| {each.name} | {step} | {median:.3f} | {low:.3f}-{high:.3f} | {memory} | {apart:.1e} | "
        f"{each.tolerance} | `{each.test}` |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=2, help="a block's, with resnet-mini")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--only", default="", help="rows whose name or step contains this")
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    parsed = parser.parse_args()
    torch.set_num_threads(1)
    arguments = f"--steps {parsed.steps} --repeats {parsed.repeats}"
    arguments += f" --only {parsed.only}" if parsed.only else ""
    machine = profile_results.machine()
    text = [
        "# What each optimisation of the training step brings",
        "",
        f"`python tests/perf/optimisations.py {arguments}`: "
        "steps of DACS on random images, with and without one optimisation in turn: with "
        "resnet-mini as the demo trains it (4+4 images of 64x128), and with MiT-B0 and the "
        "paper's decoder (1+1 crops of 256x256), on one thread. Times faster is the processor "
        "time without the optimisation over the time with it, the median over the blocks, with "
        "its quartiles. Memory is what it takes off the peak of three steps in a process of their "
        "own. The difference is that of the first two losses, relative, with equal weights, "
        "images and draws; the tolerance is that of the test, below `tests/mmseg_ext`.",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:.0f} GiB; "
        + ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
        + ".",
        "",
        "| optimisation | step | times faster | quartiles | MiB less | difference | tolerance "
        "| test |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for index, each in enumerate(OPTIMISATIONS):
        if parsed.only not in f"{each.name} {each.setting}":
            continue
        text.append(line(index, parsed.steps, parsed.repeats))
        print(text[-1], flush=True)
    if parsed.out is not None:
        write_atomically(parsed.out, "\n".join(text) + "\n")


if __name__ == "__main__":
    main()
