"""The pool with real processes: every way in which a worker can end, and none left behind."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmark import lease, records
from benchmark.cell import Cell
from benchmark.engines import Interrupted, Outcome, Slot, pool
from benchmark.engines.pool import Pool
from benchmark.paths import CellPaths
from benchmark.plan import PlannedCell
from benchmark.records import Failure, Identity, Record
from benchmark.suite import Budget

IDENTITY = Identity("id", 1, "config", "data", "metric")
CPU = Slot("cpu0", "cpu", "", 0)
SLEEP = "import time; time.sleep(120)"
LEAVE = "import os, sys; os.replace(sys.argv[1] + '.ready', sys.argv[1])"


class Notes:
    """An observer that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def started(self, planned: PlannedCell, slot: Slot) -> None:
        self.events.append(f"started {planned.cell.seed} on {slot.name}")

    def held(self, planned: PlannedCell, reason: str) -> None:
        self.events.append(f"held {planned.cell.seed}: {reason}")

    def retried(self, planned: PlannedCell, reason: str) -> None:
        self.events.append(f"retried {planned.cell.seed}: {reason}")

    def finished(self, outcome: Outcome) -> None:
        self.events.append(f"{outcome.state} {outcome.cell.seed}")

    def tick(self) -> None:
        """Not of interest."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(pool, "LOOK_ELSEWHERE_SECONDS", 0.05)


def cell(seed: int) -> PlannedCell:
    return PlannedCell(Cell("m", "e", "s", seed), IDENTITY, {}, "missing", "")


def ready(folder: Path, planned: PlannedCell, failure: Failure | None = None) -> None:
    """Lay out the record that the worker script ``LEAVE`` will move into place."""
    assert planned.identity is not None
    state = "failed" if failure else "done"
    record = Record("suite", planned.cell, planned.identity, state, failure=failure)
    path = records.record_path(folder, planned.cell)
    records.write_atomically(path.with_name(f"{path.name}.ready"), record.to_json())


def run(
    folder: Path,
    scripts: Sequence[str],
    *,
    slots: Sequence[Slot] = (CPU,),
    limit: float | None = None,
    grace: float = 0.3,
    cells: Sequence[PlannedCell] | None = None,
    budget: Budget | None = None,
) -> tuple[list[Outcome], Notes]:
    """Run one cell for each script; ``sys.argv[1]`` of a script is its record's path."""

    def command(planned: PlannedCell, slot: Slot) -> list[str]:
        path = records.record_path(folder, planned.cell)
        return [sys.executable, "-S", "-c", scripts[planned.cell.seed], str(path)]

    notes = Notes()
    made = Pool("suite", folder, slots, command, notes, threads=3, limit=limit, grace=grace)
    made.budget = budget or Budget()
    return made.run(cells or [cell(seed) for seed in range(len(scripts))]), notes


def failure_of(folder: Path, seed: int = 0) -> Failure:
    record = records.read_record(records.record_path(folder, cell(seed).cell))
    assert record.state == "failed"
    assert record.failure is not None
    return record.failure


def test_a_worker_that_leaves_a_record_is_done(tmp_path: Path) -> None:
    ready(tmp_path, cell(0))
    ready(tmp_path, cell(1))
    outcomes, notes = run(tmp_path, [LEAVE, LEAVE])
    assert [outcome.state for outcome in outcomes] == ["done", "done"]
    assert notes.events == ["started 0 on cpu0", "done 0", "started 1 on cpu0", "done 1"]


def test_two_slots_work_at_the_same_time(tmp_path: Path) -> None:
    wait = "import os, sys, time\nfolder = os.path.dirname(sys.argv[1])\n"
    wait += "open(sys.argv[1] + '.here', 'w')\n"
    wait += "while sum(n.endswith('.here') for n in os.listdir(folder)) < 2: time.sleep(0.01)\n"
    for seed in range(2):
        ready(tmp_path, cell(seed))
    slots = [CPU, dataclasses.replace(CPU, name="cpu1")]
    outcomes, _ = run(tmp_path, [wait + LEAVE] * 2, slots=slots, limit=20)
    assert [outcome.state for outcome in outcomes] == ["done", "done"]


def test_equal_devices_are_separate_slots(tmp_path: Path) -> None:
    gpu = Slot("gpu0", "cuda", "0", 0)
    _, notes = run(tmp_path, ["", ""], slots=[gpu, gpu])
    assert notes.events[:2] == ["started 0 on gpu0", "started 1 on gpu0"]


def test_a_worker_sees_its_device_and_threads_and_logs_to_a_file(tmp_path: Path) -> None:
    script = "import os, sys; e = os.environ; print(e['CUDA_VISIBLE_DEVICES'], e['OMP_NUM_THREADS']"
    script += ", e['MKL_NUM_THREADS'], e['OPENBLAS_NUM_THREADS']); print('oops', file=sys.stderr)"
    run(tmp_path, [script], slots=[Slot("gpu", "cuda", "GPU-4f", 2)])
    log = CellPaths(tmp_path, cell(0).cell).log.read_text().splitlines()
    assert log[0].startswith("--- m / e / s / seed 0, started ")
    assert sorted(log[1:]) == ["GPU-4f 3 3 3", "oops"]


@pytest.mark.parametrize(
    ("script", "kind", "message"),
    [
        ("import os; os.kill(os.getpid(), 11)", "error", "killed by SIGSEGV"),
        ("import os; os.kill(os.getpid(), 9)", "oom", "killed by SIGKILL, most likely because"),
        ("import os; os.kill(os.getpid(), 15)", "interrupted", "stopped from outside"),
        ("raise SystemExit(130)", "interrupted", "stopped from outside"),
        ("raise SystemExit(3)", "error", "exit code 3 without a record; the log is empty"),
        ("1/0", "error", "exit code 1 without a record; the log ends with: ZeroDivisionError"),
        ("pass", "error", "exit code 0 without a record; the log is empty"),
        ("import sys; open(sys.argv[1], 'w').write('{')", "error", "not a readable record"),
    ],
)
def test_a_crash_becomes_a_typed_failure(
    tmp_path: Path, script: str, kind: str, message: str
) -> None:
    (tmp_path / "records").mkdir()
    outcomes, _ = run(tmp_path, [script])
    failure = failure_of(tmp_path)
    assert failure.kind == kind
    assert message in failure.message
    assert str(tmp_path) not in failure.message
    assert outcomes[0].state == "failed"
    assert outcomes[0].reason == f"{kind}: {failure.message}"
    assert (tmp_path / failure.log).is_file()


def test_a_recorded_failure_is_kept_as_it_is_and_others_go_on(tmp_path: Path) -> None:
    ready(tmp_path, cell(0), Failure("nan", "loss is nan", "log.txt"))
    ready(tmp_path, cell(1))
    outcomes, _ = run(tmp_path, [f"{LEAVE}; raise SystemExit(1)", LEAVE])
    assert [outcome.state for outcome in outcomes] == ["failed", "done"]
    assert failure_of(tmp_path) == Failure("nan", "loss is nan", "log.txt")


def test_a_crash_after_the_record_is_still_done(tmp_path: Path) -> None:
    ready(tmp_path, cell(0))
    outcomes, _ = run(tmp_path, [f"{LEAVE}; os.kill(os.getpid(), 11)"])
    assert outcomes[0].state == "done"


def test_an_old_record_does_not_hide_a_crash_and_its_attempts_are_kept(tmp_path: Path) -> None:
    run(tmp_path, ["raise SystemExit(3)"])
    old = records.read_record(records.record_path(tmp_path, cell(0).cell))
    again = dataclasses.replace(cell(0), state="failed", record=old)
    run(tmp_path, ["raise SystemExit(4)"], cells=[again])
    record = records.read_record(records.record_path(tmp_path, cell(0).cell))
    assert record.failure is not None
    assert "exit code 4" in record.failure.message
    assert [attempt["failure"] for attempt in record.attempts] == ["error", "error"]


def test_the_time_limit_stops_a_worker_even_if_it_ignores_sigterm(
    tmp_path: Path, is_running: Callable[[int], bool]
) -> None:
    script = "import os, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    script += f"print(os.getpid(), flush=True)\n{SLEEP}"
    begun = time.monotonic()
    outcomes, _ = run(tmp_path, [script], limit=0.6)
    assert time.monotonic() - begun < 10
    assert outcomes[0].state == "failed"
    assert failure_of(tmp_path) == Failure(
        "timeout", "stopped after the limit of 0.01 minutes", "cells/m__e__s__seed0/log.txt"
    )
    log = CellPaths(tmp_path, cell(0).cell).log.read_text().splitlines()
    assert not is_running(int(log[1]))


def test_what_a_worker_leaves_running_is_swept_away(
    tmp_path: Path, is_running: Callable[[int], bool]
) -> None:
    ready(tmp_path, cell(0))
    script = "import subprocess, sys\n"
    script += f"print(subprocess.Popen([sys.executable, '-S', '-c', {SLEEP!r}]).pid, flush=True)\n"
    outcomes, _ = run(tmp_path, [script + LEAVE])
    assert outcomes[0].state == "done"
    log = CellPaths(tmp_path, cell(0).cell).log.read_text().splitlines()
    deadline = time.monotonic() + 5
    while is_running(int(log[1])) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(int(log[1]))


def test_the_lease_of_a_crashed_worker_is_removed(tmp_path: Path) -> None:
    path = CellPaths(tmp_path, cell(0).cell).lease
    script = f"import sys, pathlib, os; sys.path[:0] = {sys.path!r}\nfrom benchmark import lease\n"
    script += f"lease.acquire(pathlib.Path({str(path)!r})); os.kill(os.getpid(), 9)"
    run(tmp_path, [script])
    assert failure_of(tmp_path).kind == "oom"
    assert not path.exists()


def test_a_cell_done_by_others_meanwhile_is_not_started(tmp_path: Path) -> None:
    ready(tmp_path, cell(0))
    path = records.record_path(tmp_path, cell(0).cell)
    path.with_name(f"{path.name}.ready").rename(path)
    outcomes, notes = run(tmp_path, ["raise SystemExit(3)"])
    assert outcomes[0].state == "done"
    assert notes.events == ["done 0"]


@pytest.mark.parametrize("leaves_record", [True, False])
def test_a_cell_that_others_run_is_waited_for(tmp_path: Path, leaves_record: bool) -> None:
    path = CellPaths(tmp_path, cell(0).cell).lease
    ready(tmp_path, cell(0))
    held = lease.acquire(path)

    def end() -> None:
        if leaves_record:
            record = records.record_path(tmp_path, cell(0).cell)
            record.with_name(f"{record.name}.ready").rename(record)
        lease.release(path, held)

    timer = threading.Timer(0.4, end)
    timer.start()
    outcomes, notes = run(tmp_path, [LEAVE])
    timer.join()
    assert outcomes[0].state == "done"
    assert notes.events[0] == f"held 0: being run by process {os.getpid()} on {held.host}"
    assert ("started 0 on cpu0" in notes.events) is not leaves_record


def test_a_worker_that_finds_its_cell_taken_makes_the_pool_wait(tmp_path: Path) -> None:
    ready(tmp_path, cell(0))
    script = "import os, sys; flag = sys.argv[1] + '.tried'\n"
    script += "if not os.path.exists(flag): open(flag, 'w'); raise SystemExit(75)\n"
    outcomes, notes = run(tmp_path, [script.replace(": open", ":\n open") + LEAVE])
    assert [outcome.state for outcome in outcomes] == ["done"]
    assert notes.events[:2] == ["started 0 on cpu0", "held 0: being run by another process"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_within_the_grace(
    tmp_path: Path, is_running: Callable[[int], bool], number: signal.Signals
) -> None:
    deaf = "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    script = f"{deaf}print(os.getpid(), flush=True)\n{SLEEP}"
    log = CellPaths(tmp_path, cell(0).cell).log

    def interrupt() -> None:
        while not (log.exists() and len(log.read_text().splitlines()) > 1):
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    threading.Thread(target=interrupt, daemon=True).start()
    before = signal.getsignal(number)
    with pytest.raises(Interrupted):
        run(tmp_path, [script, SLEEP])
    assert signal.getsignal(number) is before
    assert not is_running(int(log.read_text().splitlines()[1]))
    assert not list((tmp_path).glob("records/*.json"))
    assert not CellPaths(tmp_path, cell(1).cell).folder.exists()


def test_an_error_of_the_observer_leaves_no_worker(
    tmp_path: Path, is_running: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = CellPaths(tmp_path, cell(0).cell).log

    def explode(notes: Notes) -> None:
        if log.exists() and len(log.read_text().splitlines()) > 1:
            raise RuntimeError("display")

    monkeypatch.setattr(Notes, "tick", explode)
    with pytest.raises(RuntimeError, match="display"):
        run(tmp_path, [f"import os; print(os.getpid(), flush=True)\n{SLEEP}"])
    assert not is_running(int(log.read_text().splitlines()[1]))


def batched(batch: int) -> PlannedCell:
    """A cell that trains on batches of so many images."""
    return dataclasses.replace(cell(0), config={"train_dataloader": {"batch_size": batch}})


def test_out_of_memory_is_tried_again_in_more_micro_batches(tmp_path: Path) -> None:
    script = "import os, sys; print(sys.argv[2:], flush=True); os.kill(os.getpid(), 9)"
    budget = Budget(retries={"oom": 3})
    outcomes, notes = run(tmp_path, [script], cells=[batched(6)], budget=budget)
    log = CellPaths(tmp_path, cell(0).cell).log.read_text().splitlines()
    told = [line for line in log if not line.startswith("---")]
    assert told == [
        "[]", "['--accumulate', '2']", "['--accumulate', '3']", "['--accumulate', '6']",
    ]  # fmt: skip
    assert [outcome.state for outcome in outcomes] == ["failed"]
    record = records.read_record(records.record_path(tmp_path, cell(0).cell))
    assert [(each["failure"], each["changed"]) for each in record.attempts] == [
        ("oom", {}),
        ("oom", {"accumulate": 2}),
        ("oom", {"accumulate": 3}),
        ("oom", {"accumulate": 6}),
    ]
    assert all(each["seconds"] >= 0 for each in record.attempts)
    assert record.notes == ("accumulated over 6 micro-batches after out of memory",)
    assert notes.events.count("started 0 on cpu0") == 4
    assert notes.events[1].startswith("retried 0: oom: killed by SIGKILL")
    assert notes.events[1].endswith("trying again in 2 micro-batches a step")


@pytest.mark.parametrize(
    ("retries", "batch", "starts"),
    [({}, 4, 1), ({"oom": 0, "error": 5}, 4, 1), ({"oom": 1}, 4, 2), ({"oom": 9}, 1, 1)],
)
def test_there_are_as_many_attempts_as_allowed_and_possible(
    tmp_path: Path, retries: dict[str, int], batch: int, starts: int
) -> None:
    script = "import os; os.kill(os.getpid(), 9)"
    _, notes = run(tmp_path, [script], cells=[batched(batch)], budget=Budget(retries=retries))
    assert notes.events.count("started 0 on cpu0") == starts


def test_an_error_is_tried_again_as_it_was_and_may_end_well(tmp_path: Path) -> None:
    ready(tmp_path, cell(0))
    script = "import os, sys; flag = sys.argv[1] + '.tried'\n"
    script += "if not os.path.exists(flag):\n open(flag, 'w'); raise SystemExit(3)\n"
    outcomes, notes = run(tmp_path, [script + LEAVE], budget=Budget(retries={"error": 1}))
    assert [outcome.state for outcome in outcomes] == ["done"]
    assert notes.events[1].endswith("trying again")
    assert notes.events[2:] == ["started 0 on cpu0", "done 0"]


def test_a_cell_that_others_failed_at_meanwhile_is_not_started(tmp_path: Path) -> None:
    ready(tmp_path, cell(0), Failure("nan", "loss is nan", "log.txt"))
    path = records.record_path(tmp_path, cell(0).cell)
    path.with_name(f"{path.name}.ready").rename(path)
    outcomes, notes = run(tmp_path, ["raise SystemExit(3)"])
    assert outcomes[0].state == "failed"
    assert outcomes[0].reason == "run by another process; nan: loss is nan"
    assert notes.events == ["failed 0"]


def test_a_failure_is_not_written_over_what_others_recorded_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the end of a worker and its record another process takes the cell and ends it."""
    ready(tmp_path, cell(0))
    path = records.record_path(tmp_path, cell(0).cell)
    acquire = lease.acquire

    def late(at: Path) -> lease.Lease:
        path.with_name(f"{path.name}.ready").rename(path)
        return acquire(at)

    monkeypatch.setattr(lease, "acquire", late)
    outcomes, _ = run(tmp_path, ["raise SystemExit(3)"])
    assert outcomes[0].state == "done"
    assert records.read_record(path).state == "done"


def test_a_worker_that_cannot_be_started_fails_alone(tmp_path: Path) -> None:
    ready(tmp_path, cell(1))
    CellPaths(tmp_path, cell(0).cell).folder.parent.mkdir(parents=True)
    CellPaths(tmp_path, cell(0).cell).folder.write_text("in the way")
    outcomes, notes = run(tmp_path, [LEAVE, LEAVE])
    assert [outcome.state for outcome in outcomes] == ["failed", "done"]
    assert outcomes[0].reason.startswith("error: it could not be started (")
    assert notes.events == ["failed 0", "started 1 on cpu0", "done 1"]


@pytest.mark.parametrize(("number", "kind"), [(74, "disk"), (71, "oom")])
def test_exit_codes_that_stand_for_a_record(tmp_path: Path, number: int, kind: str) -> None:
    run(tmp_path, [f"raise SystemExit({number})"])
    assert failure_of(tmp_path).kind == kind


@pytest.mark.parametrize("slots", [1, 4])
def test_a_cell_costs_the_pool_a_few_milliseconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slots: int
) -> None:
    """At the real polling interval; a grid of 2,000 trivial cells is to cost below 100 ms each."""
    monkeypatch.setattr(pool, "POLL_SECONDS", 0.2)
    count = 150
    for seed in range(count):
        ready(tmp_path, cell(seed))

    def command(planned: PlannedCell, slot: Slot) -> list[str]:
        path = str(records.record_path(tmp_path, planned.cell))
        return ["/bin/mv", f"{path}.ready", path]

    places = [dataclasses.replace(CPU, name=f"cpu{i}") for i in range(slots)]
    made = Pool("suite", tmp_path, places, command, Notes())
    begun = time.monotonic()
    outcomes = made.run([cell(seed) for seed in range(count)])
    assert (time.monotonic() - begun) / count < 0.1
    assert {outcome.state for outcome in outcomes} == {"done"}
