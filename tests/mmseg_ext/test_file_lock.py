"""The lock with real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mmseg_ext import file_lock

OWNER = """
import sys, time
from pathlib import Path
from mmseg_ext import file_lock
with file_lock.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_who_comes_second_waits_until_the_owner_dies(tmp_path: Path) -> None:
    path = tmp_path / "work.lock"
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "held\n"
    entered = threading.Event()

    def second() -> None:
        with file_lock.held(path):
            entered.set()

    waiting = threading.Thread(target=second)
    waiting.start()
    assert not entered.wait(3 * file_lock.POLL_SECONDS)
    owner.send_signal(signal.SIGKILL)
    assert entered.wait(20)
    waiting.join()
    owner.wait()
    assert path.is_file()


def test_the_lock_is_free_after_an_exception(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeyError), file_lock.held(tmp_path / "work.lock"):
            raise KeyError
