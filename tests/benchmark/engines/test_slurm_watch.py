"""What an ended job means for its cell, with what Slurm's commands print made up."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmark import lease, plan, records
from benchmark.cell import Cell
from benchmark.data_roots import DataRoots
from benchmark.engines import Outcome, Slot, slurm, slurm_queue, slurm_watch, submission
from benchmark.engines.slurm import Slurm
from benchmark.engines.slurm_options import Options
from benchmark.engines.slurm_queue import Job, QueueError
from benchmark.engines.slurm_submit import Submitter
from benchmark.engines.slurm_watch import Settled, look
from benchmark.engines.submission import Submission
from benchmark.engines.verdict import stamp
from benchmark.paths import CellPaths
from benchmark.plan import PlannedCell
from benchmark.records import Failure, Identity, Record

ROOTS = DataRoots(None)
IDENTITY = Identity("id", 1, "config", "data", "metric")
PLANNED = PlannedCell(Cell("m", "e", "s", 0), IDENTITY, {}, "missing", "")
NAME = "udabench-suite-1"

Commands = dict[str, str]


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Commands:
    """What each of Slurm's commands prints; one that is not in it fails."""
    texts: Commands = {}

    def call(command: Sequence[str]) -> str:
        if command[0] not in texts:
            raise QueueError(f"{command[0]} does not answer")
        return texts[command[0]]

    monkeypatch.setattr(slurm_queue, "call", call)
    return texts


def submitted(folder: Path, job: str | None = "7_1", size: int = 2) -> CellPaths:
    paths = CellPaths(folder, PLANNED.cell)
    made = Submission(NAME, 1, size, os.getuid(), 3, 0.0, stamp(paths.record), job)
    submission.write(paths, made)
    if job is not None:
        log = made.log(folder)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    return paths


def write(folder: Path, state: str = "done") -> None:
    failure = Failure("nan", "no number", "log.txt") if state == "failed" else None
    record = Record("suite", PLANNED.cell, IDENTITY, state, failure=failure)
    records.write_record(folder, record)


def settled(folder: Path) -> Settled:
    found = look("suite", plan.judge(PLANNED, folder), folder, {}, ROOTS)
    assert isinstance(found, Settled)
    return found


def shown(state: str, code: str = "0:0") -> str:
    return f"JobId=7 ArrayTaskId=1 JobState={state} Reason=X Restarts=0 ExitCode={code} NodeList=n"


@pytest.mark.parametrize(
    ("state", "code", "kind"),
    [
        ("TIMEOUT", "0:0", "timeout"),
        ("DEADLINE", "0:0", "timeout"),
        ("OUT_OF_MEMORY", "0:125", "oom"),
        ("FAILED", "0:9", "oom"),
        ("FAILED", "137:0", "oom"),
        ("FAILED", "140:0", "timeout"),
        ("FAILED", "0:12", "timeout"),
        ("FAILED", "1:0", "error"),
        ("FAILED", "0:11", "error"),
    ],
)
def test_a_job_that_ended_by_the_cells_fault_becomes_a_typed_failure(
    tmp_path: Path, says: Commands, state: str, code: str, kind: str
) -> None:
    paths = submitted(tmp_path)
    says["scontrol"] = shown(state, code)
    found = settled(tmp_path)
    assert (found.outcome.state, found.is_lost) == ("failed", False)
    record = records.read_record(paths.record)
    assert record.failure is not None
    assert record.failure.kind == kind
    assert state in record.failure.message
    assert not paths.submission.exists()


@pytest.mark.parametrize(
    ("state", "code", "is_lost"),
    [
        ("NODE_FAIL", "0:0", True),
        ("BOOT_FAIL", "0:0", True),
        ("PREEMPTED", "0:15", True),
        ("FAILED", "130:0", True),
        ("FAILED", "0:15", True),
        ("COMPLETED", "0:0", True),
        ("CANCELLED", "0:0", False),
    ],
)
def test_a_cell_that_is_not_to_blame_is_missing_again(
    tmp_path: Path, says: Commands, state: str, code: str, is_lost: bool
) -> None:
    paths = submitted(tmp_path)
    says["scontrol"] = shown(state, code)
    found = settled(tmp_path)
    assert (found.outcome.state, found.is_lost) == ("interrupted", is_lost)
    assert not paths.record.exists()
    assert not paths.submission.exists()
    assert plan.judge(PLANNED, tmp_path).state == "missing"


def test_a_task_that_vanished_before_it_began_was_cancelled(tmp_path: Path, says: Commands) -> None:
    submitted(tmp_path)
    (tmp_path / f"slurm/{NAME}/7_1_0_log.out").unlink()
    found = settled(tmp_path)
    assert (found.outcome.reason, found.is_lost) == ("Slurm job 7_1: CANCELLED", False)


def test_what_the_queue_still_shows_needs_no_further_question(
    tmp_path: Path, says: Commands
) -> None:
    submitted(tmp_path)
    found = look("suite", PLANNED, tmp_path, {"7_1": Job("7_1", "TIMEOUT", "", "n", NAME)}, ROOTS)
    assert isinstance(found, Settled)
    assert found.outcome.reason == "timeout: Slurm ended the job: TIMEOUT"
    # A failed one is asked about: its exit code matters.
    submitted(tmp_path)
    says["scontrol"] = shown("FAILED", "0:9")
    found = look("suite", PLANNED, tmp_path, {"7_1": Job("7_1", "FAILED", "", "n", NAME)}, ROOTS)
    assert isinstance(found, Settled)
    assert found.outcome.reason.startswith("oom")


def test_the_last_words_of_a_job_name_no_data_folder(tmp_path: Path, says: Commands) -> None:
    paths = submitted(tmp_path)
    log = next(iter(paths.suite_folder.rglob("*_log.out")))
    log.write_text(f"OSError: {tmp_path}/disk/gta5/images/00001.png\n")
    says["scontrol"] = shown("FAILED", "1:0")
    found = look("suite", plan.judge(PLANNED, tmp_path), tmp_path, {}, DataRoots(tmp_path / "disk"))
    assert isinstance(found, Settled)
    assert "ends with: OSError: <data-root>/gta5/images/00001.png" in found.outcome.reason
    assert str(tmp_path) not in records.read_record(paths.record).to_json()


def test_the_accounting_is_asked_when_the_controller_has_forgotten(
    tmp_path: Path, says: Commands
) -> None:
    submitted(tmp_path)
    says["sacct"] = "OUT_OF_MEMORY|0:125\n"
    assert settled(tmp_path).outcome.reason.startswith("oom")
    submitted(tmp_path)
    says["sacct"] = "CANCELLED by 0|0:0\n"
    assert settled(tmp_path).is_lost is False


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("slurmstepd: error: *** STEP 7.0 ON n CANCELLED AT 2026 DUE TO TIME LIMIT ***", "timeout"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=7.0.", "oom"),
        ("submitit ERROR - Submitted job triggered an exception\nImportError: no", "error"),
        ("slurmstepd: error: *** STEP 7.0 ON n CANCELLED AT 2026 DUE TO NODE FAILURE ***", ""),
        ("nothing to see", ""),
    ],
)
def test_without_accounting_the_jobs_own_log_tells(
    tmp_path: Path, says: Commands, line: str, kind: str
) -> None:
    submitted(tmp_path)
    log = tmp_path / f"slurm/{NAME}/7_1_0_log.out"
    log.write_text(f"*** STEP 7.0 CANCELLED AT 2026 DUE TO PREEMPTION ***\nbegin\n{line}\n")
    found = settled(tmp_path)
    assert found.outcome.reason.partition(":")[0] == (kind or "Slurm job 7_1")


def test_a_record_written_since_is_what_counts(tmp_path: Path, says: Commands) -> None:
    says["scontrol"] = shown("TIMEOUT")
    submitted(tmp_path)
    write(tmp_path, "failed")
    assert settled(tmp_path).outcome == Outcome(PLANNED.cell, "failed", "nan: no number", 0.0)
    # Again, while that record lies there: the new job left none.
    submitted(tmp_path)
    assert settled(tmp_path).outcome.reason.startswith("timeout")
    submitted(tmp_path)
    write(tmp_path)
    assert settled(tmp_path).outcome.state == "done"


def test_a_cell_whose_lease_is_alive_is_not_settled(tmp_path: Path, says: Commands) -> None:
    says["scontrol"] = shown("NODE_FAIL")
    paths = submitted(tmp_path)
    with lease.hold(paths.lease):
        assert isinstance(look("suite", PLANNED, tmp_path, {}, ROOTS), Job)
    assert isinstance(look("suite", PLANNED, tmp_path, {}, ROOTS), Settled)


def test_a_job_is_found_by_name_when_its_submitter_died_before_it_knew_the_id(
    tmp_path: Path, says: Commands
) -> None:
    paths = submitted(tmp_path, job=None)
    queue = {id: Job(id, "PENDING", "", "", NAME) for id in ("7_0", "7_1")}
    found = look("suite", PLANNED, tmp_path, queue, ROOTS)
    assert found == queue["7_1"]
    made = submission.read(paths)
    assert made is not None
    assert made.job == "7_1"

    submitted(tmp_path, job=None, size=1)
    assert look("suite", PLANNED, tmp_path, {"8": Job("8", "RUNNING", "", "n", NAME)}, ROOTS)
    submitted(tmp_path, job=None)
    with lease.hold(submission.submitter_lease(tmp_path)):
        assert look("suite", PLANNED, tmp_path, {}, ROOTS) == slurm_watch.BEING_MADE
    assert settled(tmp_path).is_lost


def test_a_broken_submission_is_none(tmp_path: Path) -> None:
    paths = submitted(tmp_path)
    for text in ("", "[]", "{}", '{"before": null, "what": 1}'):
        paths.submission.write_text(text)
        assert submission.read(paths) is None


def test_the_queue_is_read_line_by_line(says: Commands) -> None:
    says["squeue"] = "7_1|PENDING|Resources||a|b\n8|RUNNING|None|n1|c\nnoise\n"
    queue = slurm_queue.read([0])
    assert queue == {
        "7_1": Job("7_1", "PENDING", "Resources", "", "a|b"),
        "8": Job("8", "RUNNING", "None", "n1", "c"),
    }
    assert [str(job) for job in queue.values()] == [
        "Slurm job 7_1 pending (Resources)", "Slurm job 8 running on n1",
    ]  # fmt: skip


class Notes:
    """An observer that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def started(self, planned: PlannedCell, slot: Slot) -> None:
        self.events.append(f"started on {slot.name}")

    def held(self, planned: PlannedCell, reason: str) -> None:
        self.events.append(f"held: {reason}")

    def finished(self, outcome: Outcome) -> None:
        self.events.append(f"{outcome.state}: {outcome.reason}")

    def tick(self) -> None:
        """Not of interest."""


@dataclasses.dataclass(frozen=True)
class Sending(Submitter):
    """Submits into a made-up queue."""

    send: Callable[[], None] = lambda: None

    def submit(self, cells: Sequence[PlannedCell]) -> None:
        for planned in cells:
            if submission.read(CellPaths(self.folder, planned.cell)) is None:
                submitted(self.folder)
                self.send()


def follow(folder: Path, send: Callable[[], None], resubmissions: int) -> tuple[Outcome, Notes]:
    notes = Notes()
    options = Options(time=5, poll=0, resubmissions=resubmissions)
    sender = Sending("suite", folder, options, lambda *_: [], 1, None, send=send)
    (outcome,) = Slurm(sender, notes).run([PLANNED])
    return outcome, notes


def test_a_lost_cell_is_submitted_again_but_not_for_ever(tmp_path: Path, says: Commands) -> None:
    sent: list[int] = []
    says["squeue"] = ""
    says["scontrol"] = shown("NODE_FAIL")
    outcome, _ = follow(tmp_path, lambda: sent.append(1), 2)
    assert len(sent) == 3
    assert outcome.state == "failed"
    assert outcome.reason.startswith("error: lost 3 times, given up")
    assert plan.judge(PLANNED, tmp_path).state == "failed"


def test_a_lost_cell_that_then_ends_well_is_done(tmp_path: Path, says: Commands) -> None:
    sent: list[int] = []

    def send() -> None:
        sent.append(1)
        if len(sent) == 2:
            write(tmp_path)

    says["squeue"] = ""
    says["scontrol"] = shown("NODE_FAIL")
    outcome, notes = follow(tmp_path, send, 3)
    assert (outcome.state, len(sent)) == ("done", 2)
    assert notes.events == ["done: "]


def test_a_cancelled_cell_is_not_submitted_again(tmp_path: Path, says: Commands) -> None:
    sent: list[int] = []
    says["squeue"] = ""
    says["scontrol"] = shown("CANCELLED")
    outcome, _ = follow(tmp_path, lambda: sent.append(1), 3)
    assert (outcome.state, len(sent)) == ("interrupted", 1)


def test_a_controller_that_is_away_is_waited_for_but_not_for_ever(
    tmp_path: Path, says: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm, "SILENCE_SECONDS", 0.3)
    with pytest.raises(QueueError, match="squeue does not answer"):
        follow(tmp_path, lambda: None, 3)
