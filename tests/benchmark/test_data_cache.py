"""``udabench data cache`` on exported MiniDrive data, and that training finds what it made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from mmengine.registry import init_default_scope

from benchmark import cli, minidrive_export, plan
from benchmark import suite as suites
from benchmark.data_roots import DataRoots
from benchmark.paths import CellPaths
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime
from benchmark.weights import WeightsFolder

SIZE = (320, 176)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    minidrive_export.export("gta5", root, images=3, size=SIZE)
    minidrive_export.export("cityscapes", root, images=2, size=SIZE)
    return root


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("UDABENCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/training_images"


def command(*arguments: str) -> int:
    return cli.main(["data", "cache", *arguments])


def cell(method: str, tmp_path: Path) -> plan.PlannedCell:
    suite = suites.load("paper").with_overrides(only={"method": [method], "encoder": ["mit-b5"]})
    return plan.make(suite, tmp_path / "out").entries[0]


def training(method: str, root: Path, tmp_path: Path) -> Any:
    """The training data set of a cell of the paper's suite, as the worker builds it."""
    from mmseg_ext.registry import DATASETS

    planned = cell(method, tmp_path)
    weights = WeightsFolder(None, download=True)
    runtime = Runtime("cpu", 1, 0, DataRoots(root), tmp_path / "cache", weights)
    runner = for_this_machine(planned.config, CellPaths(tmp_path, planned.cell), runtime)
    config = runner["train_dataloader"]["dataset"]
    config.pop("rare_class_sampling", None)  # images of this size have too few pixels
    assert all("cache" not in loader["dataset"] for loader in runner["test_dataloader"].values())
    init_default_scope("mmseg_ext")
    return DATASETS.build(config)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("method", ["source-only", "daformer", "mic"])
def test_training_reads_what_the_command_made(
    method: str, exported: Path, cache: Path, tmp_path: Path
) -> None:
    protocol = suites.load("paper").protocol_of(method)
    arguments = ("gta5", "cityscapes", "--protocol", protocol, "--processes", "1")
    arguments += ("--data-root", str(exported))
    identity = cell(method, tmp_path).identity
    assert training(method, exported, tmp_path).source._cached is None
    assert command(*arguments) == cli.EXIT_DONE
    dataset = training(method, exported, tmp_path)
    for part in (dataset.source, dataset.target):
        assert part is None or part._cached is not None
    assert (dataset.target is None) == (method == "source-only")
    assert cell(method, tmp_path).identity == identity


def test_the_oracle_reads_a_target_with_labels(
    exported: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("cityscapes", "--data-root", str(exported), "--processes", "1", "--with-labels")
    assert command(*arguments) == cli.EXIT_DONE
    assert training("oracle", exported, tmp_path).source._cached is not None
    assert files(cache) == [
        "cityscapes-labelled-1024x512.cache",
        "cityscapes-unlabelled-1024x512.cache",
    ]
    said = capsys.readouterr().out
    assert "cityscapes with labels: made; 2 images" in said
    assert "--remove" in said


def test_it_is_made_once_verified_and_removed(
    exported: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("gta5", "--data-root", str(exported), "--processes", "1")
    assert command(*arguments) == cli.EXIT_DONE
    (path,) = cache.iterdir()
    made = path.stat()
    assert "gta5 with labels: made; 3 images" in capsys.readouterr().out
    assert command(*arguments) == cli.EXIT_DONE
    assert "was there and fits" in capsys.readouterr().out
    assert path.stat().st_mtime_ns == made.st_mtime_ns
    assert command("--verify") == cli.EXIT_DONE
    assert "3 images, all whole" in capsys.readouterr().out

    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert command("--verify") == cli.EXIT_FAILED
    assert "1 of 3 images are damaged" in capsys.readouterr().out
    path.write_bytes(content[:-1])
    assert command("--verify", "gta5") == cli.EXIT_FAILED
    assert "not a whole file" in capsys.readouterr().out

    assert command("--remove", "cityscapes") == cli.EXIT_DONE
    assert path.exists()
    assert command("--remove") == cli.EXIT_DONE
    assert files(cache) == []


def test_without_names_all_that_are_there_are_made(
    exported: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--data-root", str(exported), "--processes", "1") == cli.EXIT_DONE
    assert {name.split("-")[0] for name in files(cache)} == {"gta5", "cityscapes"}
    (tmp_path / "empty").mkdir()
    assert command("--data-root", str(tmp_path / "empty")) == cli.EXIT_USAGE
    assert "no data set is there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["gta6"], cli.EXIT_USAGE, "gta6"),
        (["minidrive-real"], cli.EXIT_USAGE, "needs no cache"),
        (["gta5", "--protocol", "none"], cli.EXIT_USAGE, "none"),
        (["gta5"], cli.EXIT_USAGE, "--data-root"),
        (["gta5", "--data-root", "nowhere"], cli.EXIT_FAILED, "no such folder"),
        (["--remove", "gta6"], cli.EXIT_USAGE, "gta6"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str],
    code: int,
    message: str,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(*arguments) == code
    assert message in capsys.readouterr().err
    assert not cache.exists() or files(cache) == []


def test_a_bad_file_does_not_keep_the_other_domains_from_being_made(
    exported: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "gta5").symlink_to(exported / "gta5")
    (root / "cityscapes").mkdir()
    arguments = ("cityscapes", "gta5", "--data-root", str(root), "--processes", "1")
    assert command(*arguments) == cli.EXIT_FAILED
    assert "cityscapes without labels: " in capsys.readouterr().err
    assert files(cache) == ["gta5-labelled-1280x720.cache"]
