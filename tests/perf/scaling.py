"""What two processes make of one cell's step on a processor, against one.

Cells of the demo are run as a user runs them, with one process and with several in turn. For a
method whose images do not see each other the curves have to agree. The time of a step is that of
the records; its processor time, which other programs on the machine change little, is that of all
processes, from the difference of a long and a short run. Run from the repository root::

    python tests/perf/scaling.py --out results/overhead/scaling.md
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark import profile_results
from benchmark.records import Record, read_record, write_atomically

SEPARABLE, TIMED, ENCODER = "source-only", "dacs", "resnet-mini"
SHORT = 5  # iterations


def cell(method: str, processes: int, iterations: int, folder: Path) -> tuple[Record, float]:
    """Run one cell with one thread a process; its record, and the processor time of the run."""
    options = f"--only method={method},encoder={ENCODER} --seeds 1 --iterations {iterations}"
    options += f" --devices cpu --threads 1 --devices-per-cell {processes} --out {folder}"
    command = [sys.executable, "-m", "benchmark", "run", "demo", *shlex.split(options)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    (path,) = (folder / "demo/records").glob("*.json")
    return read_record(path), used


def difference(one: Record, other: Record) -> float:
    """Largest relative difference of the losses of two curves."""
    curves = (record.diagnostics["curves"]["loss"] for record in (one, other))
    return max(abs(a - b) / abs(a) for a, b in zip(*curves, strict=True))


def seconds(record: Record) -> float:
    """Of one step."""
    assert record.cost is not None, record.failure
    return record.cost.seconds_per_iteration


@dataclass(frozen=True)
class Measured:
    """Seconds of a step, and of processor time a step, by number of processes; one a repeat."""

    times: Mapping[int, Sequence[float]]
    used: Mapping[int, Sequence[float]]
    difference: float
    load: float


def measure(several: int, length: int, repeats: int, folder: Path) -> Measured:
    """Run all cells, one process and several in turn."""
    times: dict[int, list[float]] = {1: [], several: []}
    used: dict[int, list[float]] = {1: [], several: []}
    pair = [cell(SEPARABLE, n, 10, folder / f"equal-{n}")[0] for n in times]
    short = {n: cell(TIMED, n, SHORT, folder / f"short-{n}")[1] for n in times}
    for repeat in range(repeats):
        for count, found in times.items():
            record, processor = cell(TIMED, count, length, folder / f"{count}-{repeat}")
            found.append(seconds(record))
            used[count].append((processor - short[count]) / (length - SHORT))
    return Measured(times, used, difference(*pair), os.getloadavg()[1])


def markdown(found: Measured, length: int) -> str:
    """The page."""
    several = max(found.times)
    repeats = len(found.times[1])
    machine = profile_results.machine()
    ratios = _ratios(found.times)
    speed = statistics.median(ratios)
    work = statistics.median(_ratios(found.used))
    rows = [f"| {n} | {_spread(found.times[n])} | {_spread(found.used[n])} |" for n in found.times]
    command = f"python tests/perf/scaling.py --repeats {repeats} --iterations {length}"
    return f"""# Several processes for one cell

`{command} --out results/overhead/scaling.md`: {TIMED} with {ENCODER} on MiniDrive, run by
`udabench run demo --devices cpu --devices-per-cell N`, one thread a process, in turn,
{repeats} times {length} iterations each. All share the protocol's batch: a step is the same.

{machine["processor"]}, {machine["cores"]} cores, torch {machine["packages"]["torch"]}; load
{found.load:.1f} over five minutes.

| processes | ms a step | ms of processor time a step, all processes |
|---|---:|---:|
{chr(10).join(rows)}

Medians, with the lowest and the highest. {several} processes were {speed:.2f} times as fast as one
({min(ratios):.2f}-{max(ratios):.2f}), an efficiency of {100 * speed / several:.0f} %.
With more programs than cores that is a matter of shares, too. Of processor time they need
{1 / work:.2f} times that of one: with cores of their own the efficiency is {100 * work:.0f} %,
at most.

The losses of {SEPARABLE}, whose images do not see each other, differ by {found.difference:.1e}
at most in 10 steps, relatively.
"""


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=80)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    parsed = parser.parse_args()
    length = parsed.iterations
    with tempfile.TemporaryDirectory() as name:
        found = measure(parsed.processes, length, parsed.repeats, Path(name))
    write_atomically(parsed.out, markdown(found, length))


def _ratios(values: Mapping[int, Sequence[float]]) -> list[float]:
    """One process's over several's, in each repeat."""
    one, several = (values[n] for n in sorted(values))
    return [a / b for a, b in zip(one, several, strict=True)]


def _spread(values: Sequence[float]) -> str:
    middle, low, high = (1e3 * f(values) for f in (statistics.median, min, max))
    return f"{middle:.0f} ({low:.0f}-{high:.0f})"


if __name__ == "__main__":
    main()
