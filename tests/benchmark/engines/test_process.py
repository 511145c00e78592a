"""The environment a worker gets."""

from __future__ import annotations

import py_compile
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


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in a place where Python is told to write no bytecode."""
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(process, "LARGEST", "large")
    package = tmp_path / "large" / "__init__.py"
    package.parent.mkdir()
    package.write_text("value = 1\n", encoding="utf-8")
    return package


def loaded_from(installed: Path) -> Path:
    """Where a worker finds the compiled package, or would write it."""
    command = [sys.executable, "-c", "import large; print(large.__cached__)"]
    place = installed.parents[1]
    found = subprocess.run(
        command, env=environment(), cwd=place, check=True, capture_output=True, text=True
    )
    return Path(found.stdout.strip())


def test_compiled_modules_are_kept_in_our_cache_where_python_may_not_write_them(
    installed: Path, tmp_path: Path
) -> None:
    kept = loaded_from(installed)
    assert kept.is_file()
    assert kept.is_relative_to(tmp_path / "cache/bytecode")
    assert not list(installed.parent.glob("__pycache__"))


def test_what_the_installer_compiled_is_not_compiled_again(installed: Path, tmp_path: Path) -> None:
    compiled = py_compile.compile(str(installed))
    assert loaded_from(installed) == Path(compiled)
    assert not (tmp_path / "cache").exists()


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
