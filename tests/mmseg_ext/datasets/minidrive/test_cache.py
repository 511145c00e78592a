"""Preparing a world: complete, atomic, once, and safe under two processes."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmseg_ext.datasets.minidrive import (
    CacheError,
    MiniDriveError,
    World,
    prepare,
    split_folder,
    world_folder,
)
from mmseg_ext.datasets.minidrive.__main__ import main

SMALL = World(height=32, width=64, train_images=20, test_images=5)
SOME = [("real", "train"), ("night", "test")]

_PREPARE = """
import sys
from pathlib import Path
from mmseg_ext.datasets.minidrive import World, prepare
world = World(height=32, width=64, train_images={images}, test_images=5)
def report(done, total):
    print(done, flush=True)
prepare(world, Path(sys.argv[1]), domains=[("real", "train")], progress=report)
"""


def _start(cache: Path, images: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _PREPARE.format(images=images), str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _snapshot(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*.png"))
    }


def test_files_hold_the_rendered_scenes(tmp_path: Path) -> None:
    folder = prepare(SMALL, tmp_path, domains=SOME)
    assert folder == tmp_path / "minidrive" / SMALL.key()
    parameters = json.loads((folder / "world.json").read_text())
    assert parameters["height"] == 32
    assert parameters["generator"] >= 1
    for domain, split in SOME:
        place = split_folder(SMALL, tmp_path, domain, split)
        captions = (place / "captions.txt").read_text().splitlines()
        assert len(captions) == SMALL.count(domain, split)
        names = sorted(path.name for path in (place / "images").iterdir())
        assert names == [f"{index:06d}.png" for index in range(len(captions))]
        for index in (0, len(captions) - 1):
            scene = SMALL.render(domain, split, index)
            image = cv2.imread(str(place / "images" / names[index]), cv2.IMREAD_UNCHANGED)
            label = cv2.imread(str(place / "labels" / names[index]), cv2.IMREAD_UNCHANGED)
            assert image is not None
            assert label is not None
            np.testing.assert_array_equal(image[:, :, ::-1], scene.image_rgb)
            np.testing.assert_array_equal(label, scene.label)
            assert captions[index] == scene.caption
    leftovers = list(folder.rglob(".*"))
    assert leftovers == []


def test_progress_counts_only_what_is_missing(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    prepare(SMALL, tmp_path, domains=[SOME[0]], progress=lambda *step: calls.append(step))
    assert calls == [(0, 20), (16, 20), (20, 20)]
    before = _snapshot(tmp_path)
    calls.clear()
    prepare(SMALL, tmp_path, domains=[*SOME, SOME[1]], progress=lambda *step: calls.append(step))
    assert calls == [(0, 5), (5, 5)]
    calls.clear()
    prepare(SMALL, tmp_path, domains=SOME, progress=lambda *step: calls.append(step))
    assert calls == []
    after = _snapshot(tmp_path)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("damage", ["shorten", "remove", "no index", "extra"])
def test_a_damaged_split_is_made_again(tmp_path: Path, damage: str) -> None:
    prepare(SMALL, tmp_path, domains=SOME)
    place = split_folder(SMALL, tmp_path, "night", "test")
    image = place / "images" / "000003.png"
    good = image.read_bytes()
    if damage == "shorten":
        image.write_bytes(good[:40])
    elif damage == "remove":
        image.unlink()
    elif damage == "extra":
        (place / "images" / "000005.png").write_bytes(good)
    else:
        (place / "split.json").write_text("{")
    calls: list[tuple[int, int]] = []
    prepare(SMALL, tmp_path, domains=SOME, progress=lambda *step: calls.append(step))
    assert calls[-1] == (5, 5)
    assert image.read_bytes() == good
    assert not (place / "images" / "000005.png").exists()


def test_worker_processes_write_the_same_files(tmp_path: Path) -> None:
    one = prepare(SMALL, tmp_path / "one", domains=SOME[:1])
    two = prepare(SMALL, tmp_path / "two", domains=SOME[:1], processes=2)
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(files) > 40
    assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    for name in files:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_two_processes_at_once_share_the_work(tmp_path: Path) -> None:
    pair = [_start(tmp_path, 120), _start(tmp_path, 120)]
    outputs = [process.communicate(timeout=60)[0].split() for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert sorted(len(output) > 0 for output in outputs) == [False, True]
    world = World(height=32, width=64, train_images=120, test_images=5)
    place = split_folder(world, tmp_path, "real", "train")
    assert len(list((place / "images").iterdir())) == 120


def test_a_killed_owner_is_taken_over(tmp_path: Path) -> None:
    process = _start(tmp_path, 4000)
    assert process.stdout is not None
    while int(process.stdout.readline()) < 32:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    process.stdout.close()
    world = World(height=32, width=64, train_images=4000, test_images=5)
    folder = world_folder(world, tmp_path)
    assert list(folder.glob("*/.*.partial")), "the killed process leaves its unfinished folder"
    assert not (folder / "real" / "train").exists()
    prepare(world, tmp_path, domains=[("snow", "test")])
    assert list(folder.glob("*/.*.partial")) == []
    assert (folder / "snow" / "test" / "split.json").exists()


def test_waits_while_another_process_holds_the_lock(tmp_path: Path) -> None:
    folder = world_folder(SMALL, tmp_path)
    folder.mkdir(parents=True)
    finished = threading.Event()

    def work() -> None:
        prepare(SMALL, tmp_path, domains=[SOME[1]])
        finished.set()

    with (folder / "world.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.4)
        assert not finished.is_set()
        assert not (folder / "night").exists()
    thread.join(timeout=30)
    assert finished.is_set()
    assert (folder / "night" / "test" / "split.json").exists()


def test_an_interrupted_split_is_never_visible(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(SMALL, tmp_path, domains=SOME, progress=stop)
    assert not split_folder(SMALL, tmp_path, *SOME[0]).exists()
    folder = prepare(SMALL, tmp_path, domains=SOME)
    assert list(folder.glob("*/.*")) == []


def test_unknown_splits_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(MiniDriveError, match=r"'snow'.*Valid: test"):
        prepare(SMALL, tmp_path, domains=[("real", "train"), ("snow", "train")])
    assert list(tmp_path.iterdir()) == []


def test_an_unusable_cache_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(CacheError, match=str(blocked)):
        prepare(SMALL, blocked, domains=SOME)


def test_a_full_disk_is_named_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imwrite", lambda *_: False)
    with pytest.raises(CacheError, match=r"could not write 000000\.png.*another cache folder"):
        prepare(SMALL, tmp_path, domains=SOME)
    assert list(world_folder(SMALL, tmp_path).rglob("*.png")) == []
    assert list(world_folder(SMALL, tmp_path).rglob("*.partial")) == []


def test_a_dead_worker_is_named(tmp_path: Path) -> None:
    def kill_children(done: int, total: int) -> None:
        if done:
            for child in multiprocessing.active_children():
                child.kill()

    world = World(height=32, width=64, train_images=2000)
    with pytest.raises(CacheError, match="worker process died"):
        prepare(world, tmp_path, domains=SOME, processes=2, progress=kill_children)
    assert list(world_folder(world, tmp_path).rglob("*.partial")) == []


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--height", "32", "--width", "64", "--images", "10"]
    sheet = tmp_path / "sheet.png"
    assert main(["--cache", str(tmp_path), *size, "--sheet", str(sheet)]) == 0
    output = capsys.readouterr()
    world = World(height=32, width=64, train_images=10, test_images=2)
    assert output.out.strip() == str(world_folder(world, tmp_path))
    assert "44 of 44 images" in output.err
    for domain, split in world.splits():
        assert (split_folder(world, tmp_path, domain, split) / "split.json").exists()
    assert cv2.imread(str(sheet)) is not None
    assert main(["--cache", str(tmp_path), "--images", "0"]) == 2
    assert "train_images" in capsys.readouterr().err


def test_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "mmseg_ext.datasets.minidrive", "--help"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert "--processes" in run.stdout
