"""Provenance: enough to run a record's code again, nothing about who ran it and where."""

from __future__ import annotations

import getpass
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark import paths, provenance


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A committed repository that this package seems to be run from."""
    root = tmp_path / "repository"
    (root / "configs").mkdir(parents=True)
    (root / "pyproject.toml").write_text("one\n")
    monkeypatch.setattr(paths, "PACKAGE", root / "benchmark")
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "nobody")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "nobody@example.org")
    git(root, "init", "--quiet")
    git(root, "add", ".")
    provenance.source_state.cache_clear()
    yield root
    provenance.source_state.cache_clear()


def git(root: Path, *arguments: str) -> str:
    found = subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True
    )
    return found.stdout.strip()


def test_a_clean_checkout_is_its_commit(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "commit", "--quiet", "-m", "first")
    found = provenance.capture(threads=1, folder=tmp_path / "cell")
    assert found["git_sha"] == git(checkout, "rev-parse", "HEAD")
    assert (found["git_dirty"], found["git_diff_sha256"]) == (False, None)
    assert not (tmp_path / "cell").exists()


def test_uncommitted_changes_are_saved_beside_the_cell(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "commit", "--quiet", "-m", "first")
    (checkout / "pyproject.toml").write_text("two\n")
    (checkout / "new.py").write_text("x = 1\n")
    found = provenance.capture(threads=1, folder=tmp_path / "cell")
    assert found["git_dirty"] is True
    assert len(found["git_diff_sha256"]) == 64
    diff = (tmp_path / "cell" / "dirty.diff").read_text()
    assert "-one\n+two\n" in diff
    assert "untracked new.py sha256 " in diff


def test_new_results_do_not_make_a_checkout_dirty(checkout: Path) -> None:
    git(checkout, "commit", "--quiet", "-m", "first")
    (checkout / "results").mkdir()
    (checkout / "results" / "record.json").touch()
    assert provenance.capture(threads=1)["git_dirty"] is False


def test_before_the_first_commit_there_is_no_sha(checkout: Path) -> None:
    found = provenance.capture(threads=1)
    assert (found["git_sha"], found["git_dirty"]) == (None, None)


def test_a_wheel_inside_somebody_elses_repository_has_no_sha(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(checkout, "commit", "--quiet", "-m", "first")
    monkeypatch.setattr(paths, "PACKAGE", checkout / "venv" / "site-packages" / "benchmark")
    assert provenance.capture(threads=1)["git_sha"] is None


def test_versions_are_those_installed() -> None:
    versions = provenance.package_versions()
    assert versions["numpy"] == __import__("numpy").__version__
    assert "torch" in versions
    assert provenance.package_versions(["no-such-package"]) == {}


def test_nothing_tells_where_or_who(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["run", str(tmp_path / "own.yaml"), "--out", str(tmp_path), "--data-root=/data/x"]
    found = provenance.capture(threads=2, devices=["NVIDIA A"], command=[*command, "--seeds", "3"])
    assert found["command"] == "udabench run own.yaml --seeds 3"
    assert found["threads"] == 2
    assert found["devices"] == ["NVIDIA A"]
    text = json.dumps(found)
    for private in (str(tmp_path), str(Path.home()) + os.sep, socket.gethostname()):
        assert private not in text


def test_scrub_takes_out_folders_host_and_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "workstation-7")
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody")
    monkeypatch.setenv("UDABENCH_CACHE", "/var/scratch/cache")
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.chdir(tmp_path)
    text = f"{tmp_path}/a /var/scratch/cache/b /home/somebody/c somebody@workstation-7 /big/out/d"
    expected = "./a <cache>/b ~/c <name>@<name> <out>/d"
    assert provenance.scrub(text, {Path("/big/out"): "<out>"}) == expected


def test_scrub_leaves_longer_names_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert provenance.scrub(f"{tmp_path}2/x") == f"{tmp_path}2/x"


def test_times_are_utc_to_the_second() -> None:
    found = provenance.capture(threads=1, started=provenance.begin())
    assert found["start"] <= found["end"]
    assert found["end"].endswith("+00:00")
    assert len(found["end"]) == len("2000-01-01T00:00:00+00:00")


def test_durations_come_from_a_clock_that_nobody_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    started = provenance.begin()
    monkeypatch.setattr(time, "monotonic", lambda: started.clock + 90.0)
    found = provenance.capture(threads=1, started=started)
    assert found["seconds"] == 90.0
    assert provenance.capture(threads=1)["seconds"] is None
