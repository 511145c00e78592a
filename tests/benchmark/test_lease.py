"""Leases: exactly one holder, and a dead one is recognised whatever took its place."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark import lease

HOLD = """
import sys, time, pathlib
from benchmark import lease
lease.acquire(pathlib.Path(sys.argv[1]))
print("held", flush=True)
time.sleep(120)
"""

RACE = """
import sys, time, pathlib
from benchmark import lease
path, start = pathlib.Path(sys.argv[1]), float(sys.argv[2])
time.sleep(max(0.0, start - time.time()))
try:
    lease.acquire(path)
except lease.LeaseHeldError:
    print("lost", flush=True)
else:
    print("won", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cells" / "stem" / "lease.json"


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_held_lease_is_alive_refuses_others_and_goes_away(path: Path) -> None:
    with lease.hold(path) as held:
        assert lease.read(path) == held
        assert held.pid == os.getpid()
        assert lease.is_alive(path)
        with pytest.raises(lease.LeaseHeldError, match=f"stem is being run by process {held.pid}"):
            lease.acquire(path)
    assert not path.exists()
    assert not lease.is_alive(path)


def test_an_error_in_the_block_releases_the_lease(path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), lease.hold(path):
        raise ValueError("inside")
    assert not path.exists()


def test_the_lease_of_a_killed_process_is_taken_over(path: Path) -> None:
    process = start(HOLD, str(path))
    assert line_of(process) == "held"
    assert lease.is_alive(path)
    process.kill()
    # Killed but not yet reaped: its entry in the process table must not count as life.
    deadline = time.monotonic() + 5
    while lease.is_alive(path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not lease.is_alive(path)
    assert path.exists()
    with lease.hold(path) as held:
        assert held.pid == os.getpid()
    process.wait()


@pytest.mark.parametrize("leave_dead_lease", [False, True])
def test_of_several_processes_exactly_one_wins(path: Path, leave_dead_lease: bool) -> None:
    if leave_dead_lease:
        process = start(HOLD, str(path))
        assert line_of(process) == "held"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert path.exists()
    moment = str(time.time() + 0.6)
    racers = [start(RACE, str(path), moment) for _ in range(6)]
    results = sorted(line_of(racer) for racer in racers)
    for racer in racers:
        racer.communicate()
    assert results == ["lost"] * 5 + ["won"]


def rewrite(path: Path, **changes: object) -> None:
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, **changes}))


def test_a_reused_process_number_is_not_the_holder(path: Path) -> None:
    lease.acquire(path)
    rewrite(path, started=1)
    assert not lease.is_alive(path)
    with lease.hold(path):
        assert lease.is_alive(path)


def test_another_host_is_judged_by_its_heartbeat(path: Path) -> None:
    lease.acquire(path)
    rewrite(path, host="elsewhere", pid=1)
    assert lease.is_alive(path)
    old = time.time() - lease.EXPIRY_SECONDS - 1
    os.utime(path, (old, old))
    assert not lease.is_alive(path)


def test_the_heartbeat_renews_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.02)
    with lease.hold(path):
        os.utime(path, (1, 1))
        deadline = time.monotonic() + 5
        while path.stat().st_mtime < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert path.stat().st_mtime > 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": 1}'])
def test_an_unwritten_lease_counts_for_a_moment_only(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert lease.is_alive(path)
    old = time.time() - lease.UNWRITTEN_SECONDS - 1
    os.utime(path, (old, old))
    assert not lease.is_alive(path)
    with lease.hold(path):
        assert lease.is_alive(path)


def test_a_lease_taken_over_by_another_is_not_released(path: Path) -> None:
    mine = lease.acquire(path)
    rewrite(path, token="another")
    lease.release(path, mine)
    assert path.exists()


def test_only_a_dead_lease_is_discarded(path: Path) -> None:
    lease.discard_dead(path)
    lease.acquire(path)
    lease.discard_dead(path)
    assert path.exists()
    rewrite(path, started=1)
    lease.discard_dead(path)
    assert not list(path.parent.iterdir())


def test_a_lease_from_the_future_is_held_until_it_has_stood_still(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was set back after another host's last heartbeat."""
    lease.acquire(path)
    rewrite(path, host="elsewhere", pid=1)
    now, watched = time.time(), [1000.0]
    os.utime(path, (now + 1e6, now + 1e6))
    monkeypatch.setattr(time, "monotonic", lambda: watched[0])
    assert lease.is_alive(path)
    watched[0] += lease.EXPIRY_SECONDS - 1
    assert lease.is_alive(path)
    os.utime(path, (now + 2e6, now + 2e6))  # it beats: it lives
    watched[0] += lease.EXPIRY_SECONDS - 1
    assert lease.is_alive(path)
    watched[0] += lease.EXPIRY_SECONDS
    assert not lease.is_alive(path)
    with lease.hold(path) as held:
        assert held.pid == os.getpid()


def test_a_process_number_of_another_boot_or_container_says_nothing(path: Path) -> None:
    lease.acquire(path)
    rewrite(path, space="another boot", started=1)
    assert lease.is_alive(path)  # by its heartbeat
    old = time.time() - lease.EXPIRY_SECONDS - 1
    os.utime(path, (old, old))
    assert not lease.is_alive(path)


def test_the_heartbeat_does_not_keep_another_alive(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.01)
    with lease.hold(path):
        rewrite(path, token="another")
        os.utime(path, (1, 1))
        time.sleep(0.1)
        assert path.stat().st_mtime == 1


def test_a_lease_that_cannot_be_written_leaves_no_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dumps", full)
    with pytest.raises(OSError, match="No space left"):
        lease.acquire(path)
    assert not list(path.parent.iterdir())
