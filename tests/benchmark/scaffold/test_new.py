"""Packages to begin from: clean, installable, found, and kept to the rules from the first day."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark import cli
from benchmark.errors import UsageError
from benchmark.scaffold import naming, package

ROOT = Path(__file__).parents[3]
LONGEST = "abcdefghij_klmnopqrst_uvwxyz23"
KINDS = ("method", "encoder")


def run(*command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["x1", LONGEST])
def test_what_is_written_is_clean(tmp_path: Path, kind: str, name: str) -> None:
    made = package.write(naming.of(kind, name), tmp_path)
    settings = ("--config", str(ROOT / "pyproject.toml"))
    for command in (("check", "--no-cache"), ("format", "--check", "--no-cache")):
        found = run("ruff", *command, *settings, ".", folder=made)
        assert found.returncode == 0, found.stdout


def test_what_is_written_is_typed(tmp_path: Path) -> None:
    """The libraries are left out: reading them takes a minute, and our own use is typed anyway."""
    made = [package.write(naming.of(kind, f"new_{kind}"), tmp_path) for kind in KINDS]
    strict = ("--strict", "--allow-subclassing-any", "--allow-untyped-decorators")
    imports = ("--follow-imports=skip", "--ignore-missing-imports", "--no-warn-return-any")
    cache = f"--cache-dir={tmp_path / 'cache'}"
    paths = [str(path) for folder in made for path in folder.rglob("*.py")]
    found = run("mypy", *strict, *imports, cache, *paths, folder=tmp_path, MYPYPATH=os.pathsep.join(
        map(str, made)
    ))  # fmt: skip
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dacs", "'dacs' is taken: the name of a method; closest free name: 'my_dacs'"),
        ("minidrive", "is taken: the name of a shift"),
        ("supervised", "is taken: mmseg_ext has a class Supervised"),
        ("json", "is taken: the name of a Python module"),
        ("My-Method", "closest: 'my_method'"),
        ("class", "closest: 'class_method'"),
        ("3d", "closest: 'method_3d'"),
        ("a__b", "closest: 'a_b'"),
        ("_x", "closest: 'x'"),
        ("é", "closest: 'method'"),
        (f"{LONGEST}4", f"closest: '{LONGEST}'"),
    ],
)
def test_names_that_will_not_do(name: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        naming.of("method", name)
    assert reason in str(caught.value)


def test_nothing_is_overwritten_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note").write_text("kept")
    assert cli.main(["new", "method", "mine", "--to", str(tmp_path)]) == cli.EXIT_USAGE
    assert "is there already and is left as it is" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "note"]

    def full(self: Path, text: str, encoding: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert cli.main(["new", "encoder", "other", "--to", str(tmp_path)]) == cli.EXIT_FAILED
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A method and an encoder, written and installed: the folders of sources and of packages."""
    sources, packages = (tmp_path_factory.mktemp(name) for name in ("sources", "packages"))
    for kind in KINDS:
        assert cli.main(["new", kind, f"new_{kind}", "--to", str(sources)]) == 0
    uv = shutil.which("uv")
    if not uv and run("pip", "--version", folder=sources).returncode:
        pytest.skip("neither uv nor pip is here")
    command = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
    options = ["--no-build-isolation", "--no-deps", "--offline" if uv else "--no-index"]
    python = ["--python", sys.executable] if uv else []
    subprocess.run(
        [*command, "install", "-q", *python, *options, "--target", str(packages)]
        + [str(sources / f"new_{kind}") for kind in KINDS],
        check=True,
    )
    return sources, packages


def test_what_is_installed_is_listed_with_its_origin(
    installed: tuple[Path, Path], tmp_path: Path
) -> None:
    paths = os.pathsep.join([str(ROOT), str(installed[1])])
    for kind in KINDS:
        command = ("benchmark", "list", f"{kind}s", "--json")
        found = run(*command, folder=tmp_path, PYTHONPATH=paths)
        (entry,) = [each for each in json.loads(found.stdout) if each["name"] == f"new_{kind}"]
        assert entry["title"] == f"New {kind}"
        assert entry["origin"] == f"package new_{kind} 0.1.0"


@pytest.mark.slow
def test_what_is_installed_passes_its_own_tests_which_check_it(
    installed: tuple[Path, Path], tmp_path: Path
) -> None:
    sources, packages = installed
    tests = [str(sources / f"new_{kind}" / "tests" / f"test_new_{kind}.py") for kind in KINDS]
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", str(sources))
    paths = os.pathsep.join([str(ROOT), str(packages)])
    found = run("pytest", *options, *tests, folder=tmp_path, PYTHONPATH=paths)
    assert found.returncode == 0, found.stdout
    assert "4 passed" in found.stdout
