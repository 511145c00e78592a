"""``--plugin`` and ``list`` on the command line, with real processes and made-up cells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import plugin_package
import pytest

from benchmark import plugins, records

ROOT = Path(__file__).parents[3]
# A method of which the made-up cells know how to behave, and none of the configs folder's.
STEPS = "rate = 1\n"


@pytest.fixture
def site(tmp_path: Path, udabench: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that ``udabench`` finds packages in: it is started in it."""
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    return tmp_path


@pytest.mark.parametrize("before", [True, False])
def test_the_option_reaches_the_processes_of_cells(
    site: Path, udabench: Any, configs: Any, before: bool
) -> None:
    plugin_package.write(site, "extras", {"methods/steps.py": STEPS}, code="1 / 0")
    configs.suite("methods: [good, steps]")
    option, command = ("--plugin", "extras"), ("run", "tiny")
    found = udabench(*((*option, *command) if before else (*command, *option)))
    assert (found.returncode, found.stderr) == (0, "")
    record = records.read_record(
        site / "results/local/tiny/records/steps__small__there__seed0.json"
    )
    assert record.diagnostics["step"] == 12
    without = udabench("run", "tiny")
    assert without.returncode == 2
    assert "key 'methods': unknown method 'steps'" in without.stderr


def test_the_option_may_be_given_several_times(site: Path, udabench: Any) -> None:
    plugin_package.write(site, "one", {"methods/steps.py": STEPS})
    plugin_package.write(site, "two", {"encoders/tower.py": ""})
    found = udabench("--plugin", "one", "list", "--json", "--plugin=two")
    origins = {entry["name"]: entry["origin"] for entry in json.loads(found.stdout)}
    assert (origins["steps"], origins["tower"]) == ("--plugin one", "--plugin two")
    assert origins["good"] == "udabench"


def test_a_module_that_is_not_there_and_an_option_without_one(site: Path, udabench: Any) -> None:
    found = udabench("--plugin", "extras", "list")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("udabench: --plugin extras (or $UDABENCH_PLUGINS): no module")
    found = udabench("list", "--plugin")
    assert found.returncode == 2
    assert "argument --plugin: expected one argument" in found.stderr


def test_list_and_show_tell_the_origin(site: Path, udabench: Any) -> None:
    files = {"methods/steps.py": STEPS, "tables/best.py": 'build = "extras:best"\n'}
    plugin_package.write(site, "extras", files, "uda-extras")
    listed = udabench("list").stdout
    assert "  good    The good fragment.\n" in listed
    assert "  steps   The steps of a plugin. [package uda-extras 1.2]\n" in listed
    tables = udabench("list", "tables").stdout
    assert "of udabench itself: uda, generalization" in tables
    assert "  best  The best of a plugin. [package uda-extras 1.2]\n" in tables
    shown = udabench("show", "steps").stdout
    assert "from extras/configs/methods/steps.py (package uda-extras 1.2)" in shown
    assert "from configs/methods/good.py (udabench)" in udabench("show", "good").stdout


def test_a_broken_plugin_leaves_list_and_our_suites_alone(
    site: Path, udabench: Any, configs: Any
) -> None:
    files = {"methods/torn.py": "1 / 0\n", "methods/good.py": STEPS, "methods/steps.py": STEPS}
    plugin_package.write(site, "extras", files, "uda-extras")
    plugin_package.announce(site, "uda-gone", "gone")
    found = udabench("list", "methods")
    assert found.returncode == 2
    assert [line.split()[0] for line in found.stdout.splitlines()] == [
        *("bad", "better", "crash", "slow", "steps"),
    ]
    told = found.stderr.splitlines()
    assert len(told) == 3
    assert told[0].startswith("udabench: package uda-gone 1.2: its entry point own = gone")
    assert "method 'good' is there 2 times: configs/methods/good.py (udabench) and" in told[1]
    assert "extras/configs/methods/torn.py:2: ZeroDivisionError" in told[2]
    configs.suite("methods: [better]")
    assert udabench("run", "tiny").returncode == 0


def test_listing_imports_neither_torch_nor_the_plugin(tmp_path: Path) -> None:
    plugin_package.write(tmp_path, "extras", {"methods/steps.py": STEPS}, "uda-extras", "1 / 0")
    script = (
        "import sys; from benchmark import cli; code = cli.main(['list', '--plugin', 'extras']); "
        "print(code, *sorted(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    environment.pop("UDABENCH_CONFIGS", None)
    found = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    code, *modules = found.stdout.splitlines()[-1].split()
    assert code == "0"
    assert "steps" in found.stdout
    heavy = {"torch", "numpy", "mmengine", "mmcv", "mmseg", "mmseg_ext", "extras", "pandas"}
    assert not {name.partition(".")[0] for name in modules} & heavy
