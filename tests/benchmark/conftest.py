"""A small configs folder of its own and real ``udabench`` processes for every test that asks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tiny_configs

from benchmark import registry

FAKES = Path(__file__).parent / "fakes"
CARD = 'card = dict(title="{0}", summary="The {0} fragment.")\n'
METHODS = ("good", "better", "bad", "crash", "slow")


@dataclass
class Configs:
    """A configs folder that a test may write into."""

    root: Path

    def fragment(self, kind: str, name: str, text: str = "") -> Path:
        """Write a fragment with a card and ``text``."""
        path = self.root / f"{kind}s" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(CARD.format(name) + text)
        registry.forget()
        return path

    def suite(self, text: str, name: str = "tiny") -> Path:
        """Write a suite file; keys that ``text`` leaves out get small defaults."""
        defaults = {
            "title": "Tiny",
            "protocol": "short",
            "methods": "[good]",
            "encoders": "[small]",
            "shifts": "[there]",
            "seeds": "[0]",
        }
        given = {line.partition(":")[0] for line in text.splitlines()}
        kept = [f"{key}: {value}" for key, value in defaults.items() if key not in given]
        path = self.root / "suites" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join([*kept, text]) + "\n")
        return path


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configs:
    """One protocol, encoder, shift and two domains, and a method for every fake behaviour."""
    made = Configs(tmp_path / "configs")
    made.root.mkdir()
    monkeypatch.setenv("UDABENCH_CONFIGS", str(made.root))
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for method in METHODS:
        made.fragment("method", method, "rate = 1\n")
    made.fragment("protocol", "short")
    made.fragment("encoder", "small")
    made.fragment("encoder", "large")
    made.fragment("domain", "here")
    made.fragment("domain", "far")
    made.fragment("shift", "there", "source = 'here'\ntarget = 'far'\nunseen = []\n")
    return made


@dataclass
class Commands:
    """Real ``python -m benchmark`` processes with made-up cells."""

    folder: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command; its output is piped."""
        path = os.pathsep.join([str(FAKES), str(Path(registry.__file__).parents[1])])
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONFAULTHANDLER": ""}
        return subprocess.Popen(
            [sys.executable, "-m", "benchmark", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture
def udabench(configs: Configs, tmp_path: Path) -> Commands:
    """Runs commands in the test's folder against its configs."""
    return Commands(tmp_path)


def process_exists(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] not in "ZX"


@pytest.fixture
def is_running() -> Callable[[int], bool]:
    """The function that says whether a process runs."""
    return process_exists


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The project's own fragments, on a world of 10 training and 4 test images a domain."""
    home = tmp_path_factory.mktemp("tiny")
    configs = tiny_configs.write(home / "configs")
    (configs / "suites/tiny.yaml").write_text(
        "title: Tiny\nprotocol: minidrive\nmethods: [source-only, dacs]\n"
        "encoders: [resnet-mini, eva02-mini]\nshifts: [minidrive]\nseeds: [0]\n",
        encoding="utf-8",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UDABENCH_CONFIGS", str(configs))
        patch.setenv("UDABENCH_CACHE", str(home / "cache"))
        registry.forget()
        yield home
    registry.forget()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
