"""The example as its users have it: installed, found by its entry point, run in a grid."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_configs

ROOT = Path(__file__).parents[2]
FDA = Path(__file__).parent / "fda"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def installer() -> list[str]:
    """A command that installs from a folder without a network, or the test is skipped."""
    if shutil.which("uv"):
        return ["uv", "pip", "install", "--offline", "--python", sys.executable]
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip("neither uv nor pip is here")
    return [sys.executable, "-m", "pip", "install"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small world and ``site``, into which the example was installed."""
    home = tmp_path_factory.mktemp("fda")
    tiny_configs.write(home / "configs")
    project = shutil.copytree(FDA, home / "project")  # building leaves files behind
    options = ("--no-build-isolation", "--no-deps", "--target", str(home / "site"))
    made = subprocess.run(
        [*installer(), *options, str(project)], cwd=home, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    return home


def run(home: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``udabench`` with packages of ``path`` beside those of this environment."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(path), str(ROOT)]),
        "UDABENCH_CONFIGS": str(home / "configs"),
        "UDABENCH_CACHE": str(home / "cache"),
    }
    return subprocess.run(
        [sys.executable, "-m", "benchmark", *arguments],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_what_it_brings_is_listed_with_its_origin(home: Path) -> None:
    listed = run(home, home / "site", "list", "--json")
    found = {entry["name"]: entry["origin"] for entry in json.loads(listed.stdout)}
    origin = "package udabench-fda 0.1.0"
    assert (found["fda"], found["fda-demo"]) == (origin, origin)
    assert found["dacs"] == "udabench"
    shown = run(home, home / "site", "show", "fda").stdout
    assert "arxiv.org/abs/2004.05498" in shown


def test_without_being_installed_it_is_a_plain_module(home: Path) -> None:
    assert "fda" not in run(home, ROOT, "list", "methods").stdout
    listed = run(home, FDA, "--plugin", "udabench_fda", "list", "methods").stdout
    assert "[--plugin udabench_fda]" in listed
    planned = run(home, FDA, "plan", "fda-demo", "--plugin", "udabench_fda", "--json")
    methods = [entry["method"] for entry in json.loads(planned.stdout)["cells"]]
    assert methods == ["source-only", "fda", "dacs", "oracle"]


@pytest.mark.slow
def test_it_runs_in_a_grid_and_is_in_the_table(home: Path) -> None:
    axes = ("--only", "method=source-only+fda", "--iterations", "2", "--out", "out")
    found = run(home, home / "site", "run", "fda-demo", "--devices", "cpu", *axes)
    assert "fda / resnet-mini / minidrive / seed 0: done" in found.stdout, found.stderr
    table = (home / "out/fda-demo/tables/uda.md").read_text()
    assert "| FDA" in table
    record = json.loads(
        (home / "out/fda-demo/records/fda__resnet-mini__minidrive__seed0.json").read_text()
    )
    assert record["state"] == "done"
    assert {"loss_source", "loss_entropy", "target_entropy"} <= {*record["diagnostics"]["curves"]}
    assert "udabench_fda/fda.py" in record["identity"]["modules"]
    assert record["provenance"]["packages"]["udabench-fda"] == "0.1.0"

    def states() -> dict[str, str]:
        status = run(home, home / "site", "status", "fda-demo", *axes[2:], "--json")
        return {each["method"]: each["state"] for each in json.loads(status.stdout)["cells"]}

    before = states()
    source = home / "site/udabench_fda/fda.py"
    source.write_text(source.read_text().replace("0.001**2", "0.002**2"))
    assert before == {
        "source-only": "done",
        "fda": "done",
        "dacs": "missing",
        "oracle": "missing",
    }
    assert states() == {**before, "fda": "stale"}
