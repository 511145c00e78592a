"""The job's side of the Slurm engine: runs the command line of one cell and says how it ended.

Slurm announces the end of a job to all its processes: by SIGTERM (preemption, requeue, scancel) or
by submitit's user signal some time before the time limit. The cell then writes its resume point. A
job that Slurm requeues starts this again, and the cell goes on from there.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from benchmark import attempts, paths, plan, surface
from benchmark import suite as suites
from benchmark.budget import Budget
from benchmark.commands import options
from benchmark.data_roots import DataRoots
from benchmark.engines import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    Outcome,
    Slot,
    process,
    slurm_queue,
    submission,
    verdict,
)
from benchmark.engines.process import Worker
from benchmark.engines.slurm_queue import QueueError
from benchmark.plan import PlannedCell

POLL_SECONDS = 0.2
# Between SIGTERM and SIGKILL to a cell that ran out of its own time.
GRACE_SECONDS = 20.0
# Slurm may send the user signal a minute early, and looks at its clock twice a minute.
EARLY_SECONDS = 120.0
LATE_SECONDS = 30.0
NOTICE_SECONDS = 1.0
# How a cell ends that was told to stop, or that was told before it could listen.
STOPPED = (EXIT_INTERRUPTED, -signal.SIGTERM, -signal.SIGUSR1, -signal.SIGUSR2)


@dataclass(frozen=True)
class CellJob:
    """One array task. submitit pickles these plain values; the code is that of the day it runs.

    ``command`` is the whole command line, ``cell`` the part of it that ``udabench`` reads.
    ``processes`` share it, one a GPU. ``limit`` is the cell's own limit in seconds, ``time`` the
    job's in minutes, ``warning``, ``extensions`` and ``requeues`` are as in ``Options``.
    """

    command: tuple[str, ...]
    cell: tuple[str, ...]
    device: str
    processes: int
    threads: int
    workers: int
    limit: float | None
    time: int
    warning: int
    extensions: int
    requeues: int
    folder: str
    environment: Mapping[str, str]

    def __call__(self) -> str:
        """Run the cell and return ``done``. Any other end is the exit code of the process."""
        started = time.monotonic()
        notices: list[int] = []

        def note(number: int, frame: FrameType | None) -> None:
            notices.append(number)

        # Instead of submitit's: a cell saves its own state, and Slurm requeues by itself.
        for number in (signal.SIGTERM, _user_signal()):
            signal.signal(number, note)
        os.chdir(self.folder)
        os.environ.update(self.environment)
        parsed = surface.parser().parse_args(list(self.cell))
        suite = suites.load(parsed.suite).with_overrides(parsed.seeds, encoders=parsed.encoder)
        out = Path(parsed.out)
        files = options.data_files(parsed)
        planned = plan.one(suite, out, parsed.id, parsed.iterations, files)
        folder, roots = paths.suite_folder(out, suite.name), DataRoots.chosen(parsed.data_root)
        asked = parsed.accumulate
        attempt = _Attempt(self, suite.name, suite.budget, folder, roots, notices, started, asked)
        outcome = attempt.run(planned)
        print(f"{outcome.cell}: {outcome.state} {outcome.reason}", flush=True)
        if outcome.state == "interrupted":
            sys.exit(EXIT_INTERRUPTED)
        if outcome.state == "failed":
            sys.exit(EXIT_FAILED)
        return outcome.state


@dataclass
class _Attempt:
    """One start of a job: until the cell ends or Slurm wants the job to."""

    job: CellJob
    suite: str
    budget: Budget
    folder: Path
    data_roots: DataRoots
    notices: list[int]
    started: float
    accumulate: int = 1

    def run(self, planned: PlannedCell) -> Outcome:
        """Run the cell, after whoever else is running it."""
        while not self.notices:
            planned = plan.judge(planned, self.folder)
            if planned.state == "done":
                return Outcome(planned.cell, "done", "", 0.0)
            if _restarts() > self.job.requeues:
                return self._give_up(planned)
            if planned.state != "running":
                outcome = self._run_once(planned)
                if outcome.state == "failed" and self._tries_again(planned, outcome):
                    continue
                if outcome.state != "skipped":
                    return outcome
            # A lost node's lease takes two minutes to expire.
            time.sleep(5 * POLL_SECONDS)
        return Outcome(planned.cell, "interrupted", "stopped before the cell began", 0.0)

    def _run_once(self, planned: PlannedCell) -> Outcome:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "") if self.job.device == "cuda" else ""
        job = self.job
        slot = Slot(f"Slurm job {_job_id()}", job.device, visible, job.workers, job.processes)
        accumulate = attempts.micro_batches(planned, self.budget, job.processes, self.accumulate)
        command = list(job.command)
        if accumulate > 1:
            command += ["--accumulate", str(accumulate)]
        reader, writer = os.pipe()
        try:
            cell_paths = paths.CellPaths(self.folder, planned.cell)
            before = verdict.stamp(cell_paths.record)
            threads = job.threads
            worker = process.start(planned, slot, cell_paths, command, before, reader, threads)
            worker.accumulate = accumulate
            self._follow(worker)
        finally:
            os.close(reader)
            os.close(writer)
        return self._conclude(worker)

    def _tries_again(self, planned: PlannedCell, outcome: Outcome) -> bool:
        """Whether the suite's budget allows a failed cell another attempt in this job."""
        now = plan.judge(planned, self.folder)
        if self.notices or attempts.retry(now, self.budget, self.job.processes) is None:
            return False
        print(f"{outcome.cell}: {outcome.reason}; trying again", flush=True)
        return True

    def _follow(self, worker: Worker) -> None:
        """Wait for the cell's end, telling it to stop when its time or the job's is over."""
        limit = self.job.limit
        deadline = worker.started + limit if limit else None
        while not worker.has_ended():
            now = time.monotonic()
            if self.notices and not worker.stopped:
                worker.stopped = self._why()
                worker.signal_group(signal.SIGTERM)
                # Slurm kills what takes too long after SIGTERM; its warning leaves its own time.
                left = max(GRACE_SECONDS, self.job.warning - LATE_SECONDS)
                deadline = now + left if worker.stopped == "timeout" else None
            elif deadline is not None and now >= deadline:
                worker.signal_group(signal.SIGKILL if worker.stopped else signal.SIGTERM)
                worker.stopped = worker.stopped or "limit"
                deadline = now + GRACE_SECONDS
            time.sleep(POLL_SECONDS)

    def _conclude(self, worker: Worker) -> Outcome:
        worker.signal_group(signal.SIGKILL)
        code = worker.wait()
        worker.discard_lease()
        if not worker.stopped and code in STOPPED:
            # Slurm signals both: the cell may have ended before this process has noticed.
            time.sleep(NOTICE_SECONDS)
            worker.stopped = self._why() if self.notices else ""
        stopped, limit = worker.stopped, self.job.limit
        if stopped == "timeout":
            limit = self.job.time * 60
            stopped = "interrupted" if self._is_extended(worker) else "timeout"
        ending = verdict.Ending(
            planned=worker.planned,
            paths=worker.paths,
            code=code,
            before=worker.before,
            stopped="timeout" if stopped == "limit" else stopped,
            seconds=time.monotonic() - worker.started,
            threads=self.job.threads,
            limit=limit,
            accumulate=worker.accumulate,
            data_roots=self.data_roots,
        )
        return verdict.conclude(self.suite, ending)

    def _is_extended(self, worker: Worker) -> bool:
        """Queue the job again for a cell that its time limit has cut short, if it may go on."""
        made = submission.read(worker.paths)
        is_recorded = verdict.stamp(worker.paths.record) != worker.before
        if made is None or is_recorded or made.extended >= self.job.extensions:
            return False
        submission.write(worker.paths, dataclasses.replace(made, extended=made.extended + 1))
        try:
            slurm_queue.requeue(_job_id())
        except QueueError as error:
            print(f"cannot be queued again: {error}", flush=True)
            return False
        return True

    def _give_up(self, planned: PlannedCell) -> Outcome:
        cell_paths = paths.CellPaths(self.folder, planned.cell)
        before = verdict.stamp(cell_paths.record)
        ending = verdict.Ending(planned, cell_paths, 0, before, "", 0.0, self.job.threads, None)
        message = f"Slurm started the job again more than {self.job.requeues} times"
        return verdict.fail(self.suite, ending, "error", message)

    def _why(self) -> str:
        """What the notice means: the time limit is near, or the job is preempted or cancelled."""
        spent = time.monotonic() - self.started
        is_near = spent >= self.job.time * 60 - self.job.warning - EARLY_SECONDS
        return "timeout" if is_near and signal.SIGTERM not in self.notices else "interrupted"


def _user_signal() -> signal.Signals:
    from submitit.core.job_environment import JobEnvironment

    return signal.Signals[f"SIG{JobEnvironment.USR_SIG}"]


def _job_id() -> str:
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID", "")


def _restarts() -> int:
    text = os.environ.get("SLURM_RESTART_COUNT", "0")
    return int(text) if text.isdigit() else 0
