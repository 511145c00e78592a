"""What the whole stack (Runner, hooks, data) costs over bare loops that do the same mathematics.

A cell of the demo is trained as `udabench run` trains it. After each block of its iterations bare
loops take a block of theirs, with batches that lie in memory: one of the same step, and one of the
step written the plain way. So all of them meet the same machine. Run from the repository root::

    python tests/perf/baseline_stack.py --out results/overhead/stack.md
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

import mmseg_ext.registry  # noqa: F401  (mends mmcv and MMEngine before either is used)
from benchmark import data, plan, profile, profile_results
from benchmark import suite as suites
from benchmark.data_roots import DataRoots
from benchmark.paths import CellPaths, cache_root
from benchmark.records import write_atomically
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime
from mmseg_ext.profiling import timing
from mmseg_ext.profiling.job import Job, build
from mmseg_ext.profiling.plain_steps import plain_step

ENCODER, KEPT, WARMUP = "resnet-mini", 16, 10
Times = dict[str, list[float]]


class InTurn(Hook):
    """After each block of the Runner's iterations, a block of each bare loop.

    Args:
        bare: loops by name; each takes a number of steps.
        block: iterations of a block.
    """

    priority = "LOWEST"  # what the other hooks do is part of the stack

    def __init__(self, bare: dict[str, Callable[[int], None]], block: int) -> None:
        self.bare, self.block = bare, block
        self.times: Times = {"stack": [], **{name: [] for name in bare}}
        self.begun = 0.0

    def after_train_iter(self, runner: Any, batch_idx: int, *_: Any, **__: Any) -> None:
        done = runner.iter + 1
        if done == WARMUP:
            for loop in self.bare.values():
                loop(WARMUP)
        elif done > WARMUP and (done - WARMUP) % self.block == 0:
            self.times["stack"].append((time.perf_counter() - self.begun) / self.block)
            names = list(self.bare)
            for name in names if len(self.times["stack"]) % 2 else names[::-1]:
                begun = time.perf_counter()
                self.bare[name](self.block)
                self.times[name].append((time.perf_counter() - begun) / self.block)
        else:
            return
        self.begun = time.perf_counter()


def measured(method: str, blocks: int, block: int, threads: int) -> Times:
    """Seconds a step of the stack and of the bare loops, one value a block of each."""
    torch.set_num_threads(threads)
    suite = suites.load("demo").with_overrides(only={"method": [method], "encoder": [ENCODER]})
    with tempfile.TemporaryDirectory() as scratch:
        planned = plan.make(suite, Path(scratch))
        data.prepare(planned.due())
        (entry,) = planned.entries
        paths = CellPaths(planned.folder, entry.cell)
        paths.folder.mkdir(parents=True)
        runtime = Runtime("cpu", threads, 0, DataRoots.chosen(None), cache_root())
        config = for_this_machine(entry.config, paths, runtime)
        # The schedule and the hooks' intervals stay those of the real cell.
        config["train_cfg"]["max_iters"] = WARMUP + blocks * block
        config["log_level"] = "WARNING"
        runner = Runner.from_cfg(Config(config, format_python_code=False))
        hook = InTurn(bare_loops(runner, method, suite, threads), block)
        runner.register_hook(hook)
        runner.train()
    return hook.times


def bare_loops(
    runner: Any, method: str, suite: Any, threads: int
) -> dict[str, Callable[[int], None]]:
    """Loops over the cell's own first batches, kept in memory."""
    loader = runner.build_dataloader(runner._train_dataloader)
    kept = itertools.cycle(list(itertools.islice(iter(loader), KEPT)))
    terms = profile.Terms(threads=threads)
    (combination,) = profile.combinations(suite, [method], [ENCODER], terms)
    built = build(Job.of(combination.job))
    return {
        "the same step": timing.plain_block(timing.own_step(built), kept),
        "the plain step": timing.plain_block(plain_step(built.method, built.optimizers), kept),
    }


def lines(method: str, times: Times) -> list[str]:
    """Rows of the table."""
    found = []
    for name, values in times.items():
        ratios = [a / b for a, b in zip(times["stack"], values, strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        found.append(
            f"| {method} | {name} | {1e3 * statistics.median(values):.1f} | "
            f"{1e3 * min(values):.1f}-{1e3 * max(values):.1f} | {statistics.median(ratios):.3f} | "
            f"{low:.3f}-{high:.3f} |"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--blocks", type=int, default=24)
    parser.add_argument("--block", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    parsed = parser.parse_args()
    size = f"--blocks {parsed.blocks} --block {parsed.block} --threads {parsed.threads}"
    machine = profile_results.machine()
    text = [
        "# The stack over bare loops",
        "",
        f"`python tests/perf/baseline_stack.py {size}`: cells of the demo on MiniDrive with "
        f"{ENCODER}, trained by the Runner with its hooks and data, and in turn with it bare loops "
        "over batches in memory: of the same step, and of the step written the plain way. "
        f"{parsed.blocks} blocks of {parsed.block} iterations each, after {WARMUP}. A ratio is the "
        "stack's time over the loop's, the median of those of the blocks, with its quartiles.",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:.0f} GiB; "
        + ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
        + ".",
        "",
        "| method | loop | ms a step | lowest-highest | stack / loop | quartiles |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for method in ("source-only", "dacs"):
        text += lines(method, measured(method, parsed.blocks, parsed.block, parsed.threads))
    print("\n".join(text))
    if parsed.out is not None:
        write_atomically(parsed.out, "\n".join(text) + "\n")


if __name__ == "__main__":
    main()
