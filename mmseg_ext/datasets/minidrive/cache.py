"""Writing a world to disk, once.

Layout: <cache>/minidrive/<key>/<domain>/<split>/{images,labels}/000000.png, captions.txt (one line
per image) and split.json, which is written last and says that the split is complete. A split is
generated in a hidden folder next to its place and renamed when finished.

Two processes may prepare the same world at once: a lock file is held with `flock` while images
are written. The kernel releases it when its owner dies, so a killed process blocks nobody; what it
left behind is removed by the next owner.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from mmseg_ext import file_lock

from .errors import CacheError
from .workers import workers
from .world import World

Split = tuple[str, str]
Progress = Callable[[int, int], None]

_KINDS = ("images", "labels")
_CHUNK = 16
_FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def world_folder(world: World, cache: Path) -> Path:
    """Folder of a world below a cache root."""
    return Path(cache) / "minidrive" / world.key()


def split_folder(world: World, cache: Path, domain: str, split: str) -> Path:
    """Folder of one split of a world.

    Raises:
        MiniDriveError: no such domain or split.
    """
    world.count(domain, split)
    return world_folder(world, cache) / domain / split


def prepare(
    world: World,
    cache: Path,
    *,
    domains: Sequence[Split] | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Generate what is missing of a world.

    Args:
        world: the world.
        cache: cache root; made when missing.
        domains: pairs of domain and split; default: all of them.
        processes: worker processes. With more than one, fresh interpreters are started.
        progress: called with the images done and the images to do, first with (0, total); not
            called when nothing is missing.

    Returns:
        The folder of the world.

    Raises:
        MiniDriveError: no such domain or split.
        CacheError: files could not be written, or a worker process died.
    """
    wanted = world.splits() if domains is None else tuple(dict.fromkeys(domains))
    folder = world_folder(world, cache)
    for domain, split in wanted:
        world.count(domain, split)
    if not _missing(world, folder, wanted):
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file_lock.held(folder / "world.lock"):
            _remove_leftovers(folder)
            _write_json(folder / "world.json", world.parameters())
            missing = _missing(world, folder, wanted)
            if missing:
                _generate(world, folder, missing, processes, progress or _silent)
    except OSError as error:
        raise CacheError(
            f"cannot write the MiniDrive world to {folder}: {error}."
            " Free some space or choose another cache folder."
        ) from error
    return folder


def _silent(done: int, total: int) -> None:
    """Progress nobody asked for."""


def _missing(world: World, folder: Path, wanted: Sequence[Split]) -> list[Split]:
    return [pair for pair in wanted if not _is_complete(world, folder / pair[0] / pair[1], pair)]


def _is_complete(world: World, folder: Path, pair: Split) -> bool:
    """Whether all files of a split are there with the sizes that were written.

    Sizes reveal files cut short by a crash of the machine; changed content is not noticed.
    """
    try:
        index = json.loads((folder / "split.json").read_text())
        return bool(index == _index(folder, pair, world.count(*pair)))
    except (OSError, ValueError):
        return False


def _index(folder: Path, pair: Split, count: int) -> dict[str, object]:
    sizes = {}
    for kind in _KINDS:
        found = {entry.name: entry.stat().st_size for entry in os.scandir(folder / kind)}
        sizes[kind] = sum(found[_file(index)] for index in range(count) if _file(index) in found)
        sizes[f"{kind}_files"] = len(found)
    captions = (folder / "captions.txt").stat().st_size
    return {"domain": pair[0], "split": pair[1], "count": count, "captions": captions, **sizes}


def _file(index: int) -> str:
    return f"{index:06d}.png"


def _remove_leftovers(folder: Path) -> None:
    """Remove unfinished folders. Only the owner of the lock has any, and it has not begun."""
    for stale in folder.glob("*/.*.partial"):
        shutil.rmtree(stale, ignore_errors=True)


def _write_json(path: Path, value: object) -> None:
    """Write a file under a temporary name and move it to its place."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with temporary.open("w") as handle:
        json.dump(value, handle, indent=1, sort_keys=True)
        handle.write("\n")
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)


def _generate(
    world: World, folder: Path, missing: Sequence[Split], processes: int, progress: Progress
) -> None:
    done, total = 0, sum(world.count(*pair) for pair in missing)
    progress(done, total)
    with workers(processes) as run:
        for pair in missing:
            place = folder / pair[0] / pair[1]
            temporary = place.with_name(f".{pair[1]}.{uuid.uuid4().hex[:8]}.partial")
            try:
                for kind in _KINDS:
                    (temporary / kind).mkdir(parents=True)
                captions: dict[int, str] = {}
                chunks = _chunks(world.count(*pair))
                for part in run(partial(_write_chunk, world, temporary, pair), chunks):
                    captions.update(part)
                    done += len(part)
                    progress(done, total)
                _finish(temporary, place, pair, [captions[index] for index in sorted(captions)])
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


def _chunks(count: int) -> list[range]:
    return [range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]


def _finish(temporary: Path, place: Path, pair: Split, captions: Sequence[str]) -> None:
    """Complete a split and move it to its place, replacing a damaged one."""
    (temporary / "captions.txt").write_text("".join(f"{line}\n" for line in captions))
    _write_json(temporary / "split.json", _index(temporary, pair, len(captions)))
    if place.exists():
        shutil.rmtree(place)
    os.replace(temporary, place)


def _write_chunk(world: World, folder: Path, pair: Split, indices: range) -> dict[int, str]:
    """Render and write some images; returns their captions."""
    captions = {}
    for index in indices:
        scene = world.render(*pair, index)
        _write_png(folder / "images" / _file(index), scene.image_rgb[:, :, ::-1])
        _write_png(folder / "labels" / _file(index), scene.label)
        captions[index] = scene.caption
    return captions


def _write_png(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    if not cv2.imwrite(str(path), np.ascontiguousarray(pixels), _FAST):
        raise OSError(f"OpenCV could not write {path.name}")
