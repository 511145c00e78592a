"""``udabench run``: run what a suite is missing, then print its tables."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmark import data, made_weights, paths, sharing
from benchmark.cli import EXIT_FAILED, EXIT_INTERRUPTED
from benchmark.commands import again, closing, options
from benchmark.commands.bars import progress_bar
from benchmark.commands.planning import exit_code, summary
from benchmark.commands.shares import check_shares, check_slices
from benchmark.data_roots import DataRoots
from benchmark.engines import Outcome, Slot, signals, slurm_options
from benchmark.engines.devices import slots
from benchmark.engines.order import ordered
from benchmark.engines.sweep import sweep
from benchmark.errors import UdabenchError, UsageError
from benchmark.missing_data import missing_data
from benchmark.plan import Plan, PlannedCell
from benchmark.progress import display, duration
from benchmark.runtime import Runtime
from benchmark.weights import WeightsFolder, missing_weights

PROBE_BYTES = 65_536  # more than a record


def run(parsed: argparse.Namespace) -> int:
    """Run the due cells of a suite. Returns the exit code described in ``benchmark.cli``."""
    begun = time.monotonic()
    signals.interruptible()
    if parsed.engine != "slurm":
        slurm_options.refuse(parsed)
    planned = _plan(parsed)
    outcomes: list[Outcome] = []
    taken = sharing.take_over(planned, planned.due(parsed.rerun))
    planned = _plan(parsed) if taken else planned
    due = planned.due(parsed.rerun)
    due += [entry for entry in planned.entries if entry.state in ("running", "pending")]
    print(f"{planned.suite.title} ({summary(planned)}), results in {paths.shown(planned.folder)}")
    if taken:
        print(f"{len(taken)} of them taken over from {', '.join(sorted({t.suite for t in taken}))}")
    if due:
        weights = WeightsFolder.chosen(parsed.weights, parsed.download_weights)
        roots = DataRoots.chosen(parsed.data_root)
        problems = [*missing_weights(due, weights), *missing_data(due, roots)]
        if problems:
            raise UsageError("\n  ".join(problems))
        engine = _slurm if parsed.engine == "slurm" else _here
        try:
            outcomes = engine(parsed, planned, due)
        except KeyboardInterrupt:
            print(f"udabench: interrupted; {_continues(parsed)}", file=sys.stderr)
            return EXIT_INTERRUPTED
    complete = closing.print_tables(parsed)
    after = _plan(parsed)
    unrecorded = closing.unrecorded(outcomes, after)
    closing.print_problems(after, parsed, unrecorded)
    print(f"{after.suite.name}: {summary(after)} ({duration(time.monotonic() - begun)})")
    return EXIT_FAILED if unrecorded or not complete else exit_code(after)


def check_writable(folder: Path) -> None:
    """Refuse before anything runs if results could not be stored.

    Raises:
        UdabenchError: ``folder`` cannot be made or written to.
    """
    try:
        (folder / "records").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:  # it has no name that could be left
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
    except OSError as error:
        raise UdabenchError(
            f"{paths.shown(folder)}: results cannot be written ({error.strerror or error}); "
            "choose another folder with --out"
        ) from error


def _plan(parsed: argparse.Namespace) -> Plan:
    """The plan, with what waits in the queue where Slurm is asked for."""
    planned = options.make_plan(parsed)
    if parsed.engine != "slurm":
        return planned
    from benchmark.engines import slurm_watch

    watched = slurm_watch.watch(planned, DataRoots.chosen(parsed.data_root))
    if watched.problem:
        print(f"udabench: {watched.problem}", file=sys.stderr)
    return watched.plan


def _here(parsed: argparse.Namespace, planned: Plan, due: Sequence[PlannedCell]) -> list[Outcome]:
    count = parsed.devices_per_cell
    if count > 1 and parsed.engine == "inline":
        raise UsageError("--devices-per-cell: the inline engine runs a cell in this one process")
    check_shares(due, count, f"--devices-per-cell {count}")
    check_slices(due, count, parsed.accumulate)
    places = slots(parsed.devices, parsed.threads, parsed.devices_per_cell)[: len(due)]
    check_writable(planned.folder)
    sweep(planned.folder, [entry.cell for entry in planned.entries])
    print(f"running {len(due)}, {_place_text(places, parsed.threads)}", flush=True)
    _prepare(due)
    return execute(parsed, planned, ordered(due, planned.entries, planned.suite), places)


def execute(
    parsed: argparse.Namespace, planned: Plan, due: Sequence[PlannedCell], places: Sequence[Slot]
) -> list[Outcome]:
    """Run the given cells of a plan on an engine of this machine and show their progress."""
    with display(planned, due, len(places)) as observer:
        if parsed.engine == "inline":
            from benchmark.engines import inline

            runtime = Runtime(
                device=places[0].device,
                threads=parsed.threads,
                workers=places[0].workers,
                data_roots=DataRoots.chosen(parsed.data_root),
                cache=paths.cache_root(),
                weights=WeightsFolder.chosen(parsed.weights, parsed.download_weights),
                accumulate=parsed.accumulate,
                checkpoint_activations=parsed.checkpoint_activations,
                compile=parsed.compile,
            )
            return inline.run(due, planned.suite, planned.folder, places[0], runtime, observer)
        from benchmark.engines.pool import Pool, module_command

        pool = Pool(
            suite=planned.suite.name,
            folder=planned.folder,
            slots=places,
            command=module_command(_worker_options(parsed, planned)),
            observer=observer,
            threads=parsed.threads,
            limit=_limit(planned),
            budget=planned.suite.budget,
            data_roots=DataRoots.chosen(parsed.data_root),
            accumulate=parsed.accumulate,
        )
        return pool.run(due)


def _slurm(parsed: argparse.Namespace, planned: Plan, due: Sequence[PlannedCell]) -> list[Outcome]:
    from benchmark.engines import slurm_submit
    from benchmark.engines.pool import module_command
    from benchmark.engines.slurm import Slurm

    chosen = slurm_options.chosen(parsed, planned.suite.budget.minutes_per_cell)
    check_shares(due, max(1, chosen.gpus), f"--slurm gpus={chosen.gpus}")
    check_slices(due, max(1, chosen.gpus), parsed.accumulate)
    slurm_submit.check()
    check_writable(planned.folder)
    new = sum(entry.state not in ("running", "pending") for entry in due)
    print(f"submitting {new}, {chosen.text()}", flush=True)
    _prepare(due)
    due = ordered(due, planned.entries, planned.suite)
    submitter = slurm_submit.Submitter(
        suite=planned.suite.name,
        folder=planned.folder,
        options=chosen,
        command=module_command(_worker_options(parsed, planned)),
        threads=parsed.threads,
        limit=_limit(planned),
        data_roots=DataRoots.chosen(parsed.data_root),
    )
    with display(planned, due, min(chosen.parallel or len(due), len(due))) as observer:
        return Slurm(submitter, observer).run(due, wait=not parsed.no_wait)


def _prepare(due: Sequence[PlannedCell]) -> None:
    with progress_bar("generating data") as progress:
        data.prepare(due, progress)
    made_weights.prepare(due, progress_bar)


def _limit(planned: Plan) -> float | None:
    minutes = planned.suite.budget.minutes_per_cell
    return minutes * 60 if minutes else None


def _continues(parsed: argparse.Namespace) -> str:
    if parsed.engine == "slurm":
        return (
            f"submitted jobs go on; '{again.command(parsed, 'run', no_wait=False)}' waits for them "
            f"again, '{again.command(parsed, 'cancel')}' cancels them"
        )
    return f"'{again.command(parsed, 'run')}' continues"


def _worker_options(parsed: argparse.Namespace, planned: Plan) -> list[str]:
    given = {
        "--suite": planned.suite.reference,
        "--out": parsed.out,
        "--threads": parsed.threads,
        "--seeds": parsed.seeds,
        "--iterations": parsed.iterations,
        "--data-root": parsed.data_root,
        "--weights": parsed.weights,
    }
    pairs = [(key, str(value)) for key, value in given.items() if value is not None]
    pairs += [("--encoder", name) for name in parsed.encoder]
    if parsed.accumulate > 1:
        pairs.append(("--accumulate", str(parsed.accumulate)))
    switches = ("download_weights", "checkpoint_activations", "compile")
    flags = [f"--{name.replace('_', '-')}" for name in switches if getattr(parsed, name)]
    return [part for pair in pairs for part in pair] + flags


def _place_text(places: Sequence[Slot], threads: int) -> str:
    if places[0].device == "cpu":
        each = "1 thread" if threads == 1 else f"{threads} threads"
        if places[0].processes > 1:
            each = f"{places[0].processes} processes of {each}"
        return f"{len(places)} at a time on the processor, {each} each"
    return f"one on each of {', '.join(slot.name for slot in places)}"
