"""The environment a worker gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmark import ranks
from benchmark.engines import Slot, process


def environment(threads: int = 3) -> dict[str, str]:
    return process._environment(Slot("gpu", "cuda", "GPU-uuid", 0), 7, threads)


def test_it_names_the_device_the_threads_and_the_pipe() -> None:
    made = environment()
    assert made["CUDA_VISIBLE_DEVICES"] == "GPU-uuid"
    assert {made[name] for name in process.THREAD_VARIABLES} == {"3"}
    assert made[process.PARENT_FD] == "7"


def test_compiled_modules_are_kept_in_our_cache_where_python_may_not_write_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "module.py").write_text("value = 1\n", encoding="utf-8")
    command = [sys.executable, "-c", "import module"]
    subprocess.run(command, env=environment(), cwd=tmp_path, check=True)
    assert not list(tmp_path.glob("__pycache__"))
    assert list((tmp_path / "cache/bytecode").rglob("module.*.pyc"))


def test_otherwise_python_keeps_them_where_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    assert "PYTHONPYCACHEPREFIX" not in environment()


def test_a_worker_is_the_only_process_of_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ranks.VARIABLES:
        monkeypatch.setenv(name, "2")
    assert ranks.count() == ranks.rank() == 2
    assert not set(environment()) & set(ranks.VARIABLES)
    monkeypatch.delenv("MASTER_PORT")  # RANK and WORLD_SIZE alone may mean anything
    assert (ranks.rank(), ranks.count()) == (0, 1)
