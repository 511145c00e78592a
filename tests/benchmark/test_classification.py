"""Every choice is classified as identity or run time: a new one fails here until it is."""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmark import classification, cli, identity, plan, registry
from benchmark import suite as suites
from benchmark.classification import IDENTITY, RUN_TIME, SELECTION
from benchmark.data_roots import DataRoots
from benchmark.paths import CellPaths
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime
from benchmark.suite import Suite
from benchmark.weights import WeightsFolder

ROOT = Path(__file__).parents[2]
TABLES = ("CONFIG", "RUNNER", "RUNTIME", "SUITE", "OPTIONS", "VARIABLES")


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> list[Mapping[str, Any]]:
    """Every method on MiniDrive and in the study, and one method on every other shift."""
    out = tmp_path_factory.mktemp("none")
    shifts = [name for name in registry.names("shift") if name != "minidrive"]
    lines = ["title: Shifts", "protocol: daformer", "methods: [dacs]", "encoders: [resnet101]"]
    lines += ["seeds: [0]", f"shifts: [{', '.join(shifts)}]"]
    (out / "shifts.yaml").write_text("\n".join(lines))
    names = ("demo-methods", "paper", str(out / "shifts.yaml"))
    planned = [plan.make(suites.load(name), out) for name in names]
    return [entry.config for each in planned for entry in each.entries if entry.cell.seed == 0]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all plain values."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        yield path
    for key, item in items:
        yield from leaves(item, (*path, key))


def changed(value: Any, path: tuple[Any, ...]) -> Any:
    """A copy in which the value at ``path`` is another one."""
    if not path:
        return [value, "changed"]
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:])
    return copy


def test_every_entry_has_a_known_class_and_a_reason() -> None:
    for name in TABLES:
        for key, (kind, reason) in getattr(classification, name).items():
            assert kind in (IDENTITY, RUN_TIME, SELECTION), (name, key)
            assert len(reason.split()) > 1, (name, key)


def test_every_key_of_a_resolved_configuration_is_classified(configs: Any) -> None:
    assert {key for config in configs for key in config} == {*classification.CONFIG}
    assert {kind for kind, _ in classification.CONFIG.values()} == {IDENTITY}


def test_every_value_of_a_configuration_is_part_of_the_identity(configs: Any) -> None:
    for config in configs[:11:3]:
        reference = identity.identify(config, {}, {})
        for path in leaves(config):
            if path == ("train_dataloader", "dataset", "seed"):
                continue  # always equal to that of `randomness`, see the test of compose
            other = identity.identify(changed(config, path), {}, {})
            assert other.id != reference.id, path


def test_everything_the_runner_is_given_beside_it_is_classified(
    configs: Any, tmp_path: Path
) -> None:
    out = CellPaths(tmp_path, plan.make(suites.load("demo"), tmp_path).entries[0].cell)
    roots, weights = DataRoots(tmp_path), WeightsFolder(None, download=True)
    runtime = Runtime("cpu", 1, 2, roots, tmp_path, weights)
    added = set()
    for config in configs:
        runner = for_this_machine(config, out, runtime)
        added |= _added(config, runner)
    assert added <= {*classification.RUNNER}
    assert added >= {"work_dir", "data_root", "num_workers"}


def _added(config: Any, runner: Any) -> set[str]:
    """Keys that only the second has, at any depth."""
    found = set()
    if isinstance(config, dict) and isinstance(runner, dict):
        found = {key for key in runner if key not in config}
        pairs = [(config[key], runner[key]) for key in runner if key in config]
    elif isinstance(config, list) and isinstance(runner, list):
        pairs = list(zip(config, runner, strict=True))
    else:
        pairs = []
    return found.union(*(_added(*pair) for pair in pairs))


def test_every_field_of_runtime_and_suite_is_classified() -> None:
    assert [each.name for each in dataclasses.fields(Runtime)] == [*classification.RUNTIME]
    assert {kind for kind, _ in classification.RUNTIME.values()} == {RUN_TIME}
    assert {each.name for each in dataclasses.fields(Suite)} == {*classification.SUITE}


def test_every_command_and_option_is_classified() -> None:
    top = cli.parser()
    commands = subcommands(top)
    listed = (*classification.CELL_COMMANDS, *classification.OTHER_COMMANDS)
    assert {*commands} == {*listed}
    assert len(listed) == len({*listed})
    options = {
        action.dest for name in classification.CELL_COMMANDS for action in commands[name]._actions
    }
    options |= {action.dest for action in top._actions if action.option_strings}
    assert options - {"help", "version"} == {*classification.OPTIONS}


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def test_every_environment_variable_is_classified() -> None:
    files = [path for name in ("benchmark", "mmseg_ext") for path in (ROOT / name).rglob("*.py")]
    files = [path for path in files if path.name != "classification.py"]
    found = {
        name.rstrip("_")
        for path in files
        for name in re.findall(r"UDABENCH_[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    assert found == {*classification.VARIABLES}


def test_run_time_options_leave_identities_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.commands import options

    def ids(*arguments: str) -> list[str]:
        parsed = cli.parser().parse_args(["run", "demo", "--only", "method=dacs", *arguments])
        return [entry.identity.id for entry in options.make_plan(parsed).entries if entry.identity]

    reference = ids("--out", str(tmp_path))
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "elsewhere"))
    others = ["--out", str(tmp_path / "b"), "--data-root", str(tmp_path), "--threads", "3"]
    assert ids(*others, "--engine", "inline", "--devices", "cpu", "--rerun", "stale") == reference
    assert ids("--iterations", "7") != reference
