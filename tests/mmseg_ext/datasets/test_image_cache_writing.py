"""Making cache files: several processes, interrupts, full disks, and two who make the same."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path

import file_data
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmseg_ext.datasets import file_domain, image_cache_writing
from mmseg_ext.datasets.image_cache import HEADER, INDEX, ImageCache
from mmseg_ext.datasets.image_cache_partial import domain_of, remove
from mmseg_ext.datasets.image_cache_writing import build
from mmseg_ext.errors import ImageCacheError, UnreadableFileError
from mmseg_ext.registry import DATASETS

COUNT = 7


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    init_default_scope("mmseg_ext")
    file_domain._scan.cache_clear()
    monkeypatch.setattr(image_cache_writing, "_CHUNK", 2)


@pytest.fixture
def root(tmp_path):
    return file_data.write(tmp_path / "game", COUNT)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def data_set(root, **changes):
    return DATASETS.build({**file_data.config(root), **changes})


def made(dataset, path):
    """Whether the file holds what the first three transforms make of every sample."""
    cache = ImageCache(path)
    for row in range(len(dataset)):
        results = dataset.get_data_info(row)
        for transform in dataset.pipeline.transforms[:3]:
            results = transform(results)
        stored = cache.read(row)
        assert np.array_equal(stored.image, results["img"])
        assert np.array_equal(stored.label, results["gt_seg_map"])
    return len(cache) == len(dataset) and cache.damaged() == []


class Interrupt:
    """Ctrl-C after some samples."""

    def __init__(self, after):
        self.after = after

    def __call__(self, done, total):
        assert total == COUNT
        if done >= self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_any_number_of_processes_makes_the_same(root, folder, processes):
    dataset = data_set(root)
    seen = []
    built = build(dataset, folder, processes, lambda done, total: seen.append((done, total)))
    assert made(dataset, built.path)
    assert not built.was_there
    assert built.description.size == built.path.stat().st_size
    assert sorted(seen) == [(2, COUNT), (4, COUNT), (6, COUNT), (7, COUNT)] or processes == 2
    assert seen[-1] == (COUNT, COUNT)
    again = build(dataset, folder, processes, Interrupt(0))  # makes nothing
    assert again.was_there
    assert again.description == built.description


def test_an_interrupted_file_is_gone_on_with(root, folder, monkeypatch):
    dataset = data_set(root)
    with pytest.raises(KeyboardInterrupt):
        build(dataset, folder, 1, Interrupt(4))
    (partial,) = folder.iterdir()
    assert partial.name.startswith(".")
    stored = []
    store = image_cache_writing._Maker._store
    monkeypatch.setattr(
        image_cache_writing._Maker,
        "_store",
        lambda self, info: stored.append(Path(info["img_path"]).stem) or store(self, info),
    )
    built = build(dataset, folder)
    assert stored == ["00004", "00005", "00006"]
    assert made(dataset, built.path)
    assert list(folder.iterdir()) == [built.path]


@pytest.mark.parametrize("damage", ["sample", "entry", "cut", "cut in the index"])
def test_damage_in_what_was_left_behind_is_made_anew(root, folder, damage):
    dataset = data_set(root)
    with pytest.raises(KeyboardInterrupt):
        build(dataset, folder, 1, Interrupt(4))
    (partial,) = folder.iterdir()
    content = bytearray(partial.read_bytes())
    begin = HEADER + COUNT * INDEX.itemsize
    if damage == "sample":
        content[begin + 20] ^= 1
    elif damage == "entry":
        content[HEADER : HEADER + INDEX.itemsize] = b"\xff" * INDEX.itemsize
    elif damage == "cut":
        del content[-30_000:]
    else:
        del content[begin - 5 :]
    partial.write_bytes(content)
    assert made(dataset, build(dataset, folder).path)
    assert len(list(folder.iterdir())) == 1


def test_what_was_left_behind_of_other_content_is_removed(root, folder):
    with pytest.raises(KeyboardInterrupt):
        build(data_set(root), folder, 1, Interrupt(2))
    os.utime(root / "images/00000.png", (5, 5))
    dataset = data_set(root)
    assert made(dataset, build(dataset, folder).path)
    assert len(list(folder.iterdir())) == 1


def test_a_bad_file_is_named_and_nothing_is_left(root, folder):
    path = root / "images/00005.png"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UnreadableFileError, match=r"00005\.png"):
        build(data_set(root), folder)
    assert list(folder.iterdir()) == []


def test_too_little_space_is_known_before(root, folder, monkeypatch):
    def little(path):
        values = list(os.statvfs_result.__new__(os.statvfs_result, real(path)))
        values[1], values[4] = 4096, 10  # size of a block, blocks for users
        return os.statvfs_result(values)

    real = os.statvfs
    monkeypatch.setattr(os, "statvfs", little)
    with pytest.raises(ImageCacheError, match=r"needs about .* GB, and 4\.1e-05 GB are free"):
        build(data_set(root), folder)
    assert list(folder.iterdir()) == []


def test_a_disk_that_becomes_full_is_named_and_nothing_is_left(root, folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        with pytest.raises(ImageCacheError, match="the disk is full"):
            build(data_set(root), folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list(folder.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_whole(root, folder):
    first = build(data_set(root), folder)
    os.utime(root / "labels/00000.png", (5, 5))
    with pytest.raises(KeyboardInterrupt):
        build(data_set(root), folder, 1, Interrupt(2))
    assert ImageCache(first.path).description == first.description
    second = build(data_set(root), folder)
    assert second.path == first.path
    assert ImageCache(first.path).description.digest != first.description.digest


def test_two_who_make_the_same_do_not_disturb_each_other(root, folder):
    dataset = data_set(root)
    refused = []

    def another(done, total):
        with pytest.raises(ImageCacheError, match="another process is making") as caught:
            build(dataset, folder)
        refused.append(caught.value)
        assert remove(folder) == []

    built = build(dataset, folder, 1, another)
    assert len(refused) == 4
    assert made(dataset, built.path)


def test_killed_makers_leave_nothing_that_disturbs(root, folder):
    """SIGKILL in the middle, and the next one goes on."""
    dataset = data_set(root)
    told, tell = os.pipe()

    def stop(done):
        os.write(tell, b".")
        if done == 4:
            time.sleep(60)

    child = os.fork()
    if child == 0:
        build(dataset, folder, 1, lambda done, total: stop(done))
        os._exit(1)
    assert os.read(told, 1) == os.read(told, 1) == b"."
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    seen = []
    built = build(dataset, folder, 1, lambda done, total: seen.append(done))
    assert seen == [6, 7]  # four samples were there already
    assert made(dataset, built.path)
    assert list(folder.iterdir()) == [built.path]


def test_remove_takes_the_files_of_some_domains(root, folder):
    game, other = (build(data_set(root, domain=name), folder) for name in ("game", "other-game"))
    with pytest.raises(KeyboardInterrupt):
        build(
            data_set(file_data.write(root / "b", COUNT, 1), domain="new"), folder, 1, Interrupt(2)
        )
    assert domain_of(other.path) == "other-game"
    assert remove(folder, ["game"]) == [(game.path, game.description.size)]
    assert other.path.exists()
    assert len(remove(folder)) == 2
    assert list(folder.iterdir()) == []
    assert remove(folder / "none") == []
