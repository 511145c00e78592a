"""The pool: one subprocess a cell on this machine, one slot each.

Every worker leads its own process group, so that stopping it stops whatever it started. Workers
also hold one end of a pipe of ours (see ``guardian``): they end with us, however we end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from benchmark import lease, plan
from benchmark.data_roots import DataRoots
from benchmark.engines import Interrupted, Observer, Outcome, Slot, process
from benchmark.engines.process import Worker
from benchmark.engines.verdict import Ending, conclude
from benchmark.plan import PlannedCell

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
    ``grace`` the seconds a worker is given between SIGTERM and SIGKILL. No message in a record
    names one of ``data_roots``.
    """

    suite: str
    folder: Path
    slots: Sequence[Slot]
    command: Command
    observer: Observer
    threads: int = 1
    limit: float | None = None
    grace: float = 10.0
    data_roots: DataRoots = field(default_factory=lambda: DataRoots(None))
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
        waiting, outcomes = list(cells), list[Outcome]()
        self._free = list(self.slots)
        reader, writer = os.pipe()
        try:
            with self._catch_signals():
                while (waiting or self._running or self._elsewhere) and not self._signals:
                    outcomes += self._fill(waiting, reader)
                    if self._running or self._elsewhere:
                        time.sleep(POLL_SECONDS)
                    outcomes += self._reap()
                    outcomes += self._look_elsewhere(waiting)
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

    def _fill(self, waiting: list[PlannedCell], reader: int) -> list[Outcome]:
        """Start cells on the free slots, except what others have taken or done meanwhile."""
        outcomes = []
        while waiting and self._free:
            planned = waiting.pop(0)
            now = plan.judge(planned, self.folder)
            if now.state == "running":
                self._wait_for(planned, now.reason)
            elif now.state == "done":
                outcomes.append(self._by_others(planned, "done", ""))
            else:
                self._start(planned, self._free.pop(0), reader)
        return outcomes

    def _wait_for(self, planned: PlannedCell, holder: str) -> None:
        self._elsewhere.append(planned)
        self.observer.held(planned, f"being run by {holder or 'another process'}")

    def _by_others(self, planned: PlannedCell, state: str, reason: str) -> Outcome:
        text = f"run by another process; {reason}" if reason else "run by another process"
        outcome = Outcome(planned.cell, state, text, 0.0)
        self.observer.finished(outcome)
        return outcome

    def _look_elsewhere(self, waiting: list[PlannedCell]) -> list[Outcome]:
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
            was_run = now.state in ("done", "failed", "stale") and now.record != planned.record
            if was_run and not now.is_due():
                state = now.state if now.state != "stale" else "skipped"
                outcomes.append(self._by_others(planned, state, now.reason))
            else:
                waiting.append(planned)
        return outcomes

    def _start(self, planned: PlannedCell, slot: Slot, reader: int) -> None:
        arguments = self.command(planned, slot)
        worker = process.start(planned, slot, self.folder, arguments, reader, self.threads)
        if self.limit:
            worker.deadline = worker.started + self.limit
        self._running.append(worker)
        self.observer.started(planned, slot)

    def _reap(self) -> list[Outcome]:
        """Conclude the workers that have ended, sweeping away what they left running."""
        outcomes = []
        for worker in [worker for worker in self._running if worker.has_ended()]:
            worker.signal_group(signal.SIGKILL)
            code = worker.process.wait()
            self._running.remove(worker)
            self._free.append(worker.slot)
            lease.discard_dead(worker.paths.lease)
            ending = Ending(
                planned=worker.planned,
                paths=worker.paths,
                code=code,
                before=worker.before,
                stopped=worker.stopped,
                seconds=time.monotonic() - worker.started,
                threads=self.threads,
                limit=self.limit,
                data_roots=self.data_roots,
            )
            outcome = conclude(self.suite, ending)
            if outcome.state == "skipped" and not self._signals:
                self._wait_for(worker.planned, "")
                continue
            self.observer.finished(outcome)
            outcomes.append(outcome)
        return outcomes

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
            worker.process.wait()
            lease.discard_dead(worker.paths.lease)
        self._running.clear()

    @contextlib.contextmanager
    def _catch_signals(self) -> Iterator[None]:
        def count(number: int, frame: FrameType | None) -> None:
            self._signals += 1

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup sets it
            numbers.append(signal.SIGHUP)
        previous = {number: signal.signal(number, count) for number in numbers}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
