"""The pool: one subprocess a cell on this machine, one slot each.

Every worker leads its own process group, so that stopping it stops whatever it started. Workers
also hold one end of a pipe of ours (see ``guardian``): they end with us, however we end.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark import attempts, failures, plan
from benchmark.data_roots import DataRoots
from benchmark.engines import Interrupted, Observer, Outcome, Slot, process, signals
from benchmark.engines.process import Worker
from benchmark.engines.verdict import Ending, conclude, stamp
from benchmark.errors import UdabenchError
from benchmark.paths import CellPaths
from benchmark.plan import PlannedCell
from benchmark.suite import Budget

POLL_SECONDS = 0.2
LOOK_ELSEWHERE_SECONDS = 1.0

Command = Callable[[PlannedCell, Slot], Sequence[str]]


def module_command(arguments: Sequence[str]) -> Command:
    """The command line of a real worker; ``arguments`` follow the cell's name."""

    def command(planned: PlannedCell, slot: Slot) -> list[str]:
        place = ["--device", slot.device, "--workers", str(slot.workers)]
        worker = [sys.executable, "-m", "benchmark", "cell", planned.cell.stem]
        return [*worker, *arguments, *place]

    return command


@dataclass
class Pool:
    """Runs cells in subprocesses.

    ``command`` makes a worker's command line, ``limit`` is the time limit of a cell in seconds,
    ``grace`` the seconds a worker is given between SIGTERM and SIGKILL, ``budget`` says which
    failures are tried again, ``accumulate`` the micro-batches of a first attempt. No message in a
    record names one of ``data_roots``.
    """

    suite: str
    folder: Path
    slots: Sequence[Slot]
    command: Command
    observer: Observer
    threads: int = 1
    limit: float | None = None
    grace: float = 10.0
    budget: Budget = field(default_factory=Budget)
    data_roots: DataRoots = field(default_factory=lambda: DataRoots(None))
    accumulate: int = 1
    _waiting: list[PlannedCell] = field(default_factory=list, init=False)
    _running: list[Worker] = field(default_factory=list, init=False)
    _free: list[Slot] = field(default_factory=list, init=False)
    _elsewhere: list[PlannedCell] = field(default_factory=list, init=False)
    _looked: float = field(default=0.0, init=False)
    _signals: int = field(default=0, init=False)

    def run(self, cells: Sequence[PlannedCell]) -> list[Outcome]:
        """Run ``cells`` and return their outcomes in the order in which they ended.

        A cell that another process is running is waited for, and run if that leaves it undone.

        Raises:
            Interrupted: SIGINT, SIGTERM or SIGHUP arrived; no worker is left.
        """
        self._waiting, self._free = list(cells), list(self.slots)
        outcomes: list[Outcome] = []
        reader, writer = os.pipe()
        try:
            with signals.counted(self._count_signal):
                while (self._waiting or self._running or self._elsewhere) and not self._signals:
                    outcomes += self._fill(reader)
                    if self._running or self._elsewhere:
                        process.wait_for_any(self._running, POLL_SECONDS)
                    outcomes += self._reap()
                    outcomes += self._look_elsewhere()
                    self._enforce_limits()
                    self.observer.tick()
                if self._signals:
                    outcomes += self._stop()
                    raise Interrupted
        finally:
            self._kill()
            os.close(reader)
            os.close(writer)
        return outcomes

    def _count_signal(self) -> None:
        self._signals += 1

    def _fill(self, reader: int) -> list[Outcome]:
        """Start cells on the free slots, except what others have taken or run meanwhile."""
        outcomes = []
        while self._waiting and self._free and not self._signals:
            planned = self._waiting.pop(0)
            before = stamp(CellPaths(self.folder, planned.cell).record)
            now = plan.judge(planned, self.folder)
            if now.state == "running":
                self._wait_for(planned, now.reason)
            elif now.state == "done" or self._was_run(planned, now):
                outcomes.append(self._by_others(now))
            else:
                outcomes += self._start(now, before, reader)
        return outcomes

    def _was_run(self, planned: PlannedCell, now: PlannedCell) -> bool:
        """Whether others have recorded a cell since it was planned, so that it is not due."""
        is_new = now.record is not None and now.record != planned.record
        return is_new and not now.is_due() and attempts.retry(now, self.budget) is None

    def _wait_for(self, planned: PlannedCell, holder: str) -> None:
        self._elsewhere.append(planned)
        self.observer.held(planned, f"being run by {holder or 'another process'}")

    def _by_others(self, now: PlannedCell) -> Outcome:
        state = now.state if now.state != "stale" else "skipped"
        text = "run by another process"
        return self._ended(Outcome(now.cell, state, f"{text}; {now.reason}".rstrip("; "), 0.0))

    def _ended(self, outcome: Outcome) -> Outcome:
        self.observer.finished(outcome)
        return outcome

    def _look_elsewhere(self) -> list[Outcome]:
        """See to the cells that other processes were running; what they left undone waits here."""
        if not self._elsewhere or time.monotonic() - self._looked < LOOK_ELSEWHERE_SECONDS:
            return []
        self._looked = time.monotonic()
        outcomes = []
        for planned in list(self._elsewhere):
            now = plan.judge(planned, self.folder)
            if now.state == "running":
                continue
            self._elsewhere.remove(planned)
            if self._was_run(planned, now):
                outcomes.append(self._by_others(now))
            else:
                self._waiting.append(planned)
        return outcomes

    def _start(
        self, planned: PlannedCell, before: tuple[int, int] | None, reader: int
    ) -> list[Outcome]:
        """Start a worker; the outcome is there at once if even that fails."""
        slot = self._free.pop(0)
        accumulate = attempts.micro_batches(planned, self.budget, slot.processes, self.accumulate)
        arguments = list(self.command(planned, slot))
        if accumulate > 1:
            arguments += ["--accumulate", str(accumulate)]
        paths = CellPaths(self.folder, planned.cell)
        try:
            worker = process.start(planned, slot, paths, arguments, before, reader, self.threads)
        except (OSError, UdabenchError) as error:
            self._free.insert(0, slot)
            kind = "disk" if failures.is_disk_full(error) else "error"
            reason = f"{kind}: it could not be started ({error})"
            return [self._ended(Outcome(planned.cell, "failed", reason, 0.0))]
        worker.accumulate = accumulate
        if self.limit:
            worker.deadline = worker.started + self.limit
        self._running.append(worker)
        self.observer.started(planned, slot)
        return []

    def _reap(self) -> list[Outcome]:
        """Conclude the workers that have ended, sweeping away what they left running."""
        outcomes = []
        for worker in [worker for worker in self._running if worker.has_ended()]:
            worker.signal_group(signal.SIGKILL)
            code = worker.wait()
            self._running.remove(worker)
            self._free.append(worker.slot)
            worker.discard_lease()
            outcome = conclude(self.suite, self._ending(worker, code))
            if outcome.state == "skipped" and not self._signals:
                self._wait_for(worker.planned, "")
            elif outcome.state != "failed" or not self._tries_again(worker, outcome):
                outcomes.append(self._ended(outcome))
        return outcomes

    def _ending(self, worker: Worker, code: int) -> Ending:
        return Ending(
            planned=worker.planned,
            paths=worker.paths,
            code=code,
            before=worker.before,
            stopped=worker.stopped,
            seconds=time.monotonic() - worker.started,
            threads=self.threads,
            limit=self.limit,
            accumulate=worker.accumulate,
            data_roots=self.data_roots,
        )

    def _tries_again(self, worker: Worker, outcome: Outcome) -> bool:
        """Put a failed cell in front of the others if the budget allows it another attempt."""
        now = plan.judge(worker.planned, self.folder)
        accumulate = attempts.retry(now, self.budget, worker.slot.processes)
        if accumulate is None or self._signals:
            return False
        how = f" in {accumulate} micro-batches a step" if accumulate > 1 else ""
        self._waiting.insert(0, now)
        self.observer.retried(now, f"{outcome.reason}; trying again{how}")
        return True

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        for worker in self._running:
            if worker.deadline is None or now < worker.deadline:
                continue
            worker.signal_group(signal.SIGKILL if worker.stopped else signal.SIGTERM)
            worker.stopped = "timeout"
            worker.deadline = now + self.grace

    def _stop(self) -> list[Outcome]:
        """End every worker: SIGTERM, then SIGKILL after the grace or at the second signal."""
        outcomes: list[Outcome] = []
        for worker in self._running:
            worker.stopped = worker.stopped or "interrupted"
            worker.signal_group(signal.SIGTERM)
        end, seen = time.monotonic() + self.grace, self._signals
        while self._running and time.monotonic() < end and self._signals == seen:
            time.sleep(POLL_SECONDS / 4)
            outcomes += self._reap()
        for worker in self._running:
            worker.signal_group(signal.SIGKILL)
        while self._running:
            time.sleep(POLL_SECONDS / 4)
            outcomes += self._reap()
        return outcomes

    def _kill(self) -> None:
        """Leave no worker behind when an error of our own ends the run."""
        for worker in self._running:
            worker.signal_group(signal.SIGKILL)
            worker.wait()
            worker.discard_lease()
        self._running.clear()
