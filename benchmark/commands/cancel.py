"""``udabench cancel``: cancel the Slurm jobs of a suite's cells."""

from __future__ import annotations

import argparse

from benchmark.cli import EXIT_DONE
from benchmark.commands import options
from benchmark.data_roots import DataRoots
from benchmark.engines import slurm_queue, slurm_watch
from benchmark.engines.slurm_queue import QueueError


def run(parsed: argparse.Namespace) -> int:
    """Cancel what is queued or running; running cells keep their resume point."""
    watched = slurm_watch.watch(options.make_plan(parsed), DataRoots.chosen(parsed.data_root))
    if watched.problem:
        raise QueueError(watched.problem)
    jobs = {job.id for job in watched.jobs.values() if job.id != slurm_watch.BEING_MADE.id}
    slurm_queue.cancel(jobs)
    print(f"{watched.plan.suite.name}: {len(jobs)} {'job' if len(jobs) == 1 else 'jobs'} cancelled")
    return EXIT_DONE
