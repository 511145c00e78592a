"""Several processes for one cell: their variables, their end, and that none outlives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.engines import launcher

SLEEP = "import time; time.sleep(60)"


def launch(script: str, count: int = 2) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmark.engines.launcher", str(count)]
    path = str(Path(launcher.__file__).parents[2])
    return subprocess.Popen(
        [*command, sys.executable, "-S", "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )


def test_each_process_is_told_its_rank_and_where_to_meet(tmp_path: Path) -> None:
    script = "import json, os; names = ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_ADDR', "
    script += f"'MASTER_PORT'); open(f'{tmp_path}/' + os.environ['RANK'], 'w').write(json.dumps("
    script += "{name: os.environ[name] for name in names}))"
    assert launch(script, 3).wait(20) == 0
    told = [json.loads((tmp_path / str(rank)).read_text()) for rank in range(3)]
    assert [(each["RANK"], each["LOCAL_RANK"], each["WORLD_SIZE"]) for each in told] == [
        (str(rank), str(rank), "3") for rank in range(3)
    ]
    assert {each["MASTER_ADDR"] for each in told} == {"127.0.0.1"}
    assert len({each["MASTER_PORT"] for each in told}) == 1


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("raise SystemExit(75)", "raise SystemExit(3)", 75),
        ("pass", "raise SystemExit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", "pass", -9),
        ("import os; os.kill(os.getpid(), 11)", "pass", -11),
    ],
)
def test_the_exit_code_is_that_of_rank_0_or_of_who_failed(
    first: str, second: str, code: int
) -> None:
    script = f"import os\nif os.environ['RANK'] == '0':\n {first}\nelse:\n {second}"
    assert launch(script).wait(20) == code


@pytest.mark.parametrize(("failing", "code"), [("0", 4), ("1", 4)])
def test_who_waits_for_a_failed_process_is_ended(
    monkeypatch: pytest.MonkeyPatch, failing: str, code: int
) -> None:
    monkeypatch.setattr(launcher, "GRACE_SECONDS", 0.3)
    script = f"import os, time\nif os.environ['RANK'] == '{failing}': raise SystemExit(4)\n"
    arguments = ["2", sys.executable, "-S", "-c", f"{script}{SLEEP}"]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    begun = time.monotonic()
    try:
        assert launcher.main(arguments) == code
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert time.monotonic() - begun < 10


def test_stopping_the_group_stops_all(tmp_path: Path, is_running: Callable[[int], bool]) -> None:
    script = f"import os; open(f'{tmp_path}/{{os.getpid()}}', 'w')\n{SLEEP}"
    process = launch(script)
    while len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(20) == -signal.SIGTERM
    assert not any(is_running(int(path.name)) for path in tmp_path.iterdir())
