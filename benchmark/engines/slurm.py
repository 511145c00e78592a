"""The Slurm engine: the grid as job arrays, one task a cell, submitted through submitit.

Each task runs the command line ``udabench cell`` (see ``slurm_job``). The results folder, the data,
the generated data and the Python environment must lie on a file system that every node sees under
the same path. Whoever submits may leave: jobs go on, and a later ``run`` or ``status`` finds them.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmark import plan
from benchmark.engines import Interrupted, Observer, Outcome, Slot
from benchmark.engines import slurm_queue as queues
from benchmark.engines import submission as submissions
from benchmark.engines.slurm_queue import Job, QueueError
from benchmark.engines.slurm_submit import Submitter
from benchmark.engines.slurm_watch import look
from benchmark.engines.verdict import Ending, fail, stamp
from benchmark.paths import CellPaths
from benchmark.plan import PlannedCell

TICK_SECONDS = 0.25
# A controller that restarts does not answer for a while.
SILENCE_SECONDS = 900.0


@dataclass
class Slurm:
    """Runs cells as Slurm jobs and tells ``observer`` what becomes of them."""

    submitter: Submitter
    observer: Observer
    _open: list[PlannedCell] = field(default_factory=list, init=False)
    _shown: set[str] = field(default_factory=set, init=False)
    _begun: dict[str, float] = field(default_factory=dict, init=False)
    _losses: Counter[str] = field(default_factory=Counter, init=False)
    _heard: float = field(default=0.0, init=False)

    def run(self, cells: Sequence[PlannedCell], *, wait: bool = True) -> list[Outcome]:
        """Submit ``cells`` unless they are queued already, and follow them to their end.

        Without ``wait`` nothing is followed and nothing returned.

        Raises:
            Interrupted: Ctrl-C; the jobs go on.
            UdabenchError: Slurm refuses the jobs or does not answer for long.
        """
        try:
            self.submitter.submit(cells)
            return self._follow(cells) if wait else []
        except KeyboardInterrupt:
            raise Interrupted("the jobs that are submitted go on without this command") from None

    def _follow(self, cells: Sequence[PlannedCell]) -> list[Outcome]:
        self._open = list(cells)
        self._heard = time.monotonic()
        outcomes: list[Outcome] = []
        while self._open:
            again = []
            queue = self._read_queue()
            for planned in list(self._open) if queue is not None else []:
                outcome = self._look(planned, queue or {})
                if outcome is None:
                    continue
                if outcome.state == "missing":
                    again.append(planned)
                    continue
                self._open.remove(planned)
                self.observer.finished(outcome)
                outcomes.append(outcome)
            if again:
                self.submitter.submit(again)
            if self._open:
                self._rest()
        return outcomes

    def _read_queue(self) -> dict[str, Job] | None:
        made = (
            submissions.read(CellPaths(self.submitter.folder, each.cell)) for each in self._open
        )
        try:
            queue = queues.read({os.getuid(), *(each.user for each in made if each)})
        except QueueError:
            if time.monotonic() - self._heard > SILENCE_SECONDS:
                raise
            return None
        self._heard = time.monotonic()
        return queue

    def _rest(self) -> None:
        end = time.monotonic() + self.submitter.options.poll
        while time.monotonic() < end:
            self.observer.tick()
            time.sleep(TICK_SECONDS)

    def _look(self, planned: PlannedCell, queue: dict[str, Job]) -> Outcome | None:
        """The cell's outcome, one with the state ``missing`` to submit it, None to wait."""
        sight = look(
            self.submitter.suite,
            planned,
            self.submitter.folder,
            queue,
            self.submitter.data_roots,
        )
        if sight is None:
            return self._look_elsewhere(planned)
        if isinstance(sight, Job):
            self._show(planned, sight)
            return None
        outcome = dataclasses.replace(sight.outcome, seconds=self._seconds(planned))
        return self._lost(planned, outcome) if sight.is_lost else outcome

    def _look_elsewhere(self, planned: PlannedCell) -> Outcome | None:
        """A cell without a job: another engine runs it, or another command has settled it."""
        now = plan.judge(planned, self.submitter.folder)
        if now.state == "running":
            if planned.cell.stem not in self._shown:
                self._shown.add(planned.cell.stem)
                self.observer.held(planned, f"being run by {now.reason or 'another process'}")
            return None
        if now.state == "done" or now.record != planned.record:
            state = now.state if now.state in ("done", "failed") else "skipped"
            return Outcome(planned.cell, state, now.reason, self._seconds(planned))
        return self._lost(planned, Outcome(planned.cell, "interrupted", "no job has it", 0.0))

    def _lost(self, planned: PlannedCell, outcome: Outcome) -> Outcome:
        self._losses[planned.cell.stem] += 1
        times = self._losses[planned.cell.stem]
        if times <= self.submitter.options.resubmissions:
            return dataclasses.replace(outcome, state="missing")
        paths = CellPaths(self.submitter.folder, planned.cell)
        ending = Ending(
            planned, paths, 0, stamp(paths.record), "", 0.0, self.submitter.threads, None
        )
        message = f"lost {times} times, given up; the last time: {outcome.reason}"
        return fail(self.submitter.suite, ending, "error", message)

    def _show(self, planned: PlannedCell, job: Job) -> None:
        if not job.is_waiting and planned.cell.stem not in self._shown:
            self._shown.add(planned.cell.stem)
            self._begun[planned.cell.stem] = time.monotonic()
            place = f" on {job.node}" if job.node else ""
            slot = Slot(f"Slurm job {job.id}{place}", "cuda", "", 0)
            self.observer.started(planned, slot)

    def _seconds(self, planned: PlannedCell) -> float:
        begun = self._begun.get(planned.cell.stem)
        return time.monotonic() - begun if begun is not None else 0.0
