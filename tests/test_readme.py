"""Every command of the README is run: here, or by the test that is named for it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

SHORTENED = {
    "python -m pip install uv && uv run udabench run demo": (
        "udabench run demo --iterations 1 --only method=source-only,encoder=resnet-mini"
    ),
    "uv run udabench report demo --open": "udabench report demo --iterations 1 --open --no-figures",
    "uv run udabench run demo --iterations 5 --encoder timm:test_vit.random": (
        "udabench run demo --iterations 5 --encoder timm:test_vit.random --only method=source-only"
    ),
    "uv run udabench check foo": "PYTHONPATH=foo udabench --plugin foo check foo",
    "PYTHONPATH=bar uv run udabench --plugin bar check bar": (
        "PYTHONPATH=bar udabench --plugin bar check bar"
    ),
}
"""What takes long or needs an installation, and the same in short."""

ELSEWHERE = {
    "uv run pytest -n 2 --dist worksteal": "tests/test_readme.py::test_every_command_is_run",
    "uv run udabench rehearse paper": "tests/benchmark/commands/test_rehearse.py",
    "uv run udabench run paper": "tests/benchmark/test_paper_cell.py",
    "uv run udabench run paper --devices 0,1,2,3,4,5,6,7": (
        "tests/benchmark/engines/test_devices.py"
    ),
    "uv run udabench run paper --engine slurm --slurm "
    "partition=gpu,gpus=1,time=24:00:00,mem=32,parallel=20": "tests/slurm/test_slurm.py",
    "uv run udabench export predictions paper --cell mic__mit-b5__gta5-cityscapes__seed0 "
    "--domain cityscapes --split test --to upload --zip": "tests/benchmark/test_predictions.py",
    "uv pip install --no-deps --editable ./foo": ".ci/run",
    "PYTHONPATH=tests/plugins/fda uv run udabench --plugin udabench_fda run fda-demo": (
        "tests/plugins/test_installed.py"
    ),
    "uv run udabench run demo --encoder open_clip:ViT-B-32/laion2b_s34b_b79k --weights ~/weights": (
        "tests/mmseg_ext/encoders/test_open_clip_encoder.py"
    ),
}
"""What another test runs, because it takes many devices, downloads, a cluster or minutes."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Commands of all blocks in reading order, without comments and line continuations."""
    text = "\n".join(blocks("bash")).replace("\\\n", " ")
    lines = (re.sub(r"\s+#.*", "", line) for line in text.splitlines())
    return [re.sub(r"\s+", " ", line).strip() for line in lines if line.strip()]


def test_what_is_named_here_is_in_the_readme() -> None:
    assert (set(SHORTENED) | set(ELSEWHERE)) <= set(commands())
    for place in ELSEWHERE.values():
        path, _, name = place.partition("::")
        assert (ROOT / path).is_file(), path
        assert name in (ROOT / path).read_text(encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with the data and the weights that the README speaks of."""
    from benchmark import minidrive_export, registry
    from mmseg_ext.registry import MODELS

    for name in ("gta5", "cityscapes"):
        minidrive_export.export(name, tmp_path / "data", images=2)
    backbone = {**registry.find("encoder", "resnet101").values["backbone"], "pretrained": None}
    (tmp_path / "weights").mkdir()
    weights = MODELS.build(backbone).state_dict()
    torch.save(weights, tmp_path / "weights" / "resnet101.pth")
    return tmp_path


@pytest.mark.slow
def test_every_command_is_run(home: Path) -> None:
    script = ["set -eu"]
    for command in commands():
        if command in ELSEWHERE:
            continue
        said = SHORTENED.get(command, command.removeprefix("uv run "))
        if re.search(r"udabench (plan|status|report)", said):
            said += " || test $? -eq 3"  # cells are missing, and they say so
        script += [f"echo '$ {said}'", said]
    program = home / "udabench"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m benchmark "$@"\n')
    program.chmod(0o755)
    finished = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=home,
        env={
            **os.environ,
            "HOME": str(home),
            "PATH": f"{home}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "BROWSER": "true",  # what --open starts
            "UDABENCH_CACHE": os.environ.get("UDABENCH_CACHE", str(home / "cache")),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-3000:]


def test_python_is_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    reading, *configurations = blocks("python")
    names: dict[str, object] = {}
    exec(compile(reading, "README.md", "exec"), names)
    assert len(names["frame"]) == 14 * 7  # type: ignore[arg-type]
    for text in configurations:
        ast.parse(text)


def test_links_and_pictures_are_there() -> None:
    places = re.findall(r"\]\(([^)#:]+)\)", README) + re.findall(r'src="([^"]+)"', README)
    assert places
    assert not [place for place in places if not (ROOT / place).exists()]


def test_options_and_commands_in_the_text_exist() -> None:
    """Code spans that begin with the program's name are complete commands or parts of one."""
    from benchmark.surface import parser

    known = parser()._subparsers
    assert known is not None
    choices = known._group_actions[0].choices
    assert isinstance(choices, dict)
    spans = re.findall(r"`(?:uv run )?udabench ([a-z-]+)[^`]*`", README)
    assert spans
    assert set(spans) <= set(choices)
    options = {
        option
        for command in choices.values()
        for group in [command, *_below(command)]
        for action in group._actions
        for option in action.option_strings
    } | {"--version", "--plugin"}
    for span in re.findall(r"`(?:uv run )?udabench [^`]*`", README):
        for option in re.findall(r"(?<= )--[a-z-]+", span):
            assert option in options, span


def _below(command: object) -> list[object]:
    groups = getattr(command, "_subparsers", None)
    if groups is None:
        return []
    return [each for action in groups._group_actions for each in (action.choices or {}).values()]
