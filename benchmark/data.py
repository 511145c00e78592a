"""Generated data: making sure that the worlds a plan's cells read are in the cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import paths
from benchmark.domains import GENERATED, generated_pairs
from benchmark.engines.devices import cores
from benchmark.errors import FragmentError, UdabenchError
from benchmark.plan import PlannedCell

if TYPE_CHECKING:
    from mmseg_ext.datasets.minidrive import World

TRAINED_ROLES = ("source", "target")

Progress = Callable[[int, int], None]
# One world (its parameters as JSON text) and the (domain, split) pairs that are read from it.
Needs = dict[str, list[tuple[str, str]]]


def prepare(cells: Iterable[PlannedCell], progress: Progress | None = None) -> list[Path]:
    """Generate what ``cells`` read and the cache lacks; return the folders of the worlds.

    ``progress`` is called with images done and images in all, for each world from zero.

    Raises:
        UdabenchError: the cache folder cannot be written.
    """
    folders = []
    for parameters, pairs in needs(cells).items():
        folders.append(generate(json.loads(parameters), pairs, progress))
    return folders


def needs(cells: Iterable[PlannedCell]) -> Needs:
    """The generated (domain, split) pairs that ``cells`` read, by world.

    Source and target are read for training and evaluation, unseen domains for evaluation only.
    """
    found: Needs = {}
    for planned in cells:
        roles = planned.config.get("roles", {})
        for name, domain in planned.config.get("domains", {}).items():
            if domain["reader"] != GENERATED:
                continue
            pairs = found.setdefault(json.dumps(domain["world"], sort_keys=True), [])
            splits = ("train", "test") if roles.get(name) in TRAINED_ROLES else ("test",)
            for pair in (each for split in splits for each in generated_pairs(domain, split)):
                if pair not in pairs:
                    pairs.append(pair)
    return found


def generate(
    parameters: dict[str, Any],
    pairs: list[tuple[str, str]] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Generate the world with these parameters, all of it by default, and return its folder.

    Raises:
        FragmentError: no world has such parameters or pairs.
        UdabenchError: the cache folder cannot be written.
    """
    from mmseg_ext.datasets import minidrive

    cache = paths.cache_root()
    world = world_of(parameters)
    try:
        return minidrive.prepare(world, cache, domains=pairs, processes=cores(), progress=progress)
    except (OSError, minidrive.CacheError) as error:
        raise UdabenchError(f"{error} The cache is {cache}; UDABENCH_CACHE moves it.") from error
    except minidrive.MiniDriveError as error:
        raise FragmentError(f"configs/domains: {error}") from error


def world_of(parameters: dict[str, Any]) -> World:
    """The world that a domain fragment describes. Raises ``FragmentError``."""
    from mmseg_ext.datasets import minidrive

    try:
        return minidrive.World(**parameters)
    except (TypeError, minidrive.MiniDriveError) as error:
        raise FragmentError(f"configs/domains: world = {parameters}: {error}") from error


def cached_worlds() -> Iterator[tuple[str, dict[str, Any]]]:
    """Key and description of every generated world in the cache."""
    for path in sorted((paths.cache_root() / "minidrive").glob("*/world.json")):
        try:
            yield path.parent.name, json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            yield path.parent.name, {"problem": "world.json cannot be read"}
