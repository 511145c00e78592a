"""Submitting cells: one job array for all that are due, written and sent by submitit."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark import lease, plan, ranks
from benchmark.data_roots import DataRoots
from benchmark.engines import Slot, slurm_queue
from benchmark.engines import submission as submissions
from benchmark.engines.pool import Command
from benchmark.engines.slurm_job import CellJob
from benchmark.engines.slurm_options import Options
from benchmark.engines.submission import Submission
from benchmark.engines.verdict import stamp
from benchmark.errors import UdabenchError, UsageError
from benchmark.paths import CellPaths, jobs_folder
from benchmark.plan import PlannedCell

WAIT_SECONDS = 0.25
SUBMITTER_SECONDS = 300.0
OWN_VARIABLES = "UDABENCH_"


def check() -> None:
    """Raise ``UsageError`` where jobs cannot be submitted from."""
    if not slurm_queue.is_installed():
        raise UsageError("--engine slurm: there is no sbatch here; run it on a login node of Slurm")
    try:
        import submitit  # noqa: F401
    except ImportError:
        raise UsageError(
            "--engine slurm: submitit is missing; install the extra: pip install 'udabench[slurm]'"
        ) from None


@dataclass(frozen=True)
class Submitter:
    """Submits the cells of one suite.

    ``folder`` is the suite's result folder, ``command`` makes a worker's command line, ``limit`` is
    a cell's own limit in seconds; ``data_roots`` are folders that no record may name.
    """

    suite: str
    folder: Path
    options: Options
    command: Command
    threads: int
    limit: float | None
    data_roots: DataRoots = field(default_factory=lambda: DataRoots(None))

    def submit(self, cells: Sequence[PlannedCell]) -> None:
        """Submit those of ``cells`` that nobody runs, has run or has submitted.

        Raises:
            UdabenchError: Slurm refuses the jobs or cannot be asked.
        """
        with self._submitting():
            fresh = []
            for planned in cells:
                now = plan.judge(planned, self.folder)
                is_queued = submissions.read(CellPaths(self.folder, planned.cell)) is not None
                if not is_queued and now.state not in ("running", "done"):
                    fresh.append(now)
            if not fresh:
                return
            size = slurm_queue.largest_array()
            previous = None
            for begin in range(0, len(fresh), size):
                # The throttle holds for one array only, so the next one waits.
                after = previous if self.options.parallel else None
                previous = self._array(fresh[begin : begin + size], after)

    @contextlib.contextmanager
    def _submitting(self) -> Iterator[None]:
        """One submitter at a time: what it has submitted must be seen by the next."""
        path = submissions.submitter_lease(self.folder)
        end = time.monotonic() + SUBMITTER_SECONDS
        while True:
            try:
                with lease.hold(path):
                    yield
                return
            except lease.LeaseHeldError:
                if time.monotonic() > end:
                    raise
                time.sleep(WAIT_SECONDS)

    def _array(self, cells: Sequence[PlannedCell], after: str | None) -> str:
        """Submit one array and return its id; ``after``: that of the array it waits for."""
        name = f"udabench-{self.suite}-{uuid.uuid4().hex[:8]}"
        made = []
        for index, planned in enumerate(cells):
            paths = CellPaths(self.folder, planned.cell)
            made.append(
                Submission(
                    name=name,
                    index=index,
                    size=len(cells),
                    user=os.getuid(),
                    threads=self.threads,
                    submitted=time.time(),
                    before=stamp(paths.record),
                )
            )
            submissions.write(paths, made[-1])
        try:
            ids = self._sbatch(name, [self._job(planned) for planned in cells], after)
        except Exception:
            for planned in cells:
                submissions.remove(CellPaths(self.folder, planned.cell))
            raise
        for planned, each, job in zip(cells, made, ids, strict=True):
            written = dataclasses.replace(each, job=job)
            submissions.write(CellPaths(self.folder, planned.cell), written)
        return ids[0].partition("_")[0]

    def _sbatch(self, name: str, jobs: Sequence[CellJob], after: str | None) -> list[str]:
        from submitit import SlurmExecutor
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        parameters = self.options.parameters(self.threads)
        if after:
            parameters["dependency"] = f"afterany:{after}"
        executor = SlurmExecutor(folder=jobs_folder(self.folder).absolute() / name)
        executor.update_parameters(
            job_name=name,
            array_parallelism=self.options.parallel or len(jobs),
            **parameters,
        )
        try:
            with _outside_of_jobs():
                return [str(job.job_id) for job in executor.submit_array(jobs)]
        except (FailedJobError, FailedSubmissionError) as error:
            lines = [line for line in str(error).splitlines() if "error:" in line]
            problem = "; ".join(line.partition("error:")[2].strip() for line in lines)
            raise UdabenchError(f"sbatch refused the jobs: {problem or error}") from error

    def _job(self, planned: PlannedCell) -> CellJob:
        device = "cuda" if self.options.gpus else "cpu"
        slot = Slot("slurm", device, "", self.options.loaders(self.threads))
        python, dash, module, *cell = self.command(planned, slot)
        own = {key: text for key, text in os.environ.items() if key.startswith(OWN_VARIABLES)}
        return CellJob(
            command=(python, dash, module, *cell),
            cell=tuple(cell),
            device=device,
            processes=max(1, self.options.gpus),
            threads=self.threads,
            workers=slot.workers,
            limit=self.limit,
            time=self.options.time,
            warning=self.options.warning,
            extensions=self.options.extensions,
            requeues=self.options.requeues,
            folder=str(Path.cwd()),
            environment=own,
        )


@contextlib.contextmanager
def _outside_of_jobs() -> Iterator[None]:
    """Submit as if from a login node: a job's own variables would be taken for wishes."""
    inside = "SLURM_JOB_ID" in os.environ
    names = [
        name
        for name in os.environ
        if name in ranks.VARIABLES
        or (inside and name.startswith(("SLURM_", "SUBMITIT_")) and name != "SLURM_CONF")
    ]
    kept = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(kept)
