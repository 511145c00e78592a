"""Which training images to cache for whom, and where the files lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import domains, paths, registry, shift_sources
from benchmark.data_roots import DataRoots
from benchmark.domains import FILES
from benchmark.errors import UdabenchError, UsageError
from benchmark.registry import Fragment
from benchmark.runner_config import with_tuples

if TYPE_CHECKING:
    from mmseg_ext.datasets.image_cache_writing import Built

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Wanted:
    """A cache file to be made: a domain's training images, with labels or without."""

    domain: Fragment
    labelled: bool

    @property
    def title(self) -> str:
        return f"{self.domain.name} {'with' if self.labelled else 'without'} labels"


@dataclass(frozen=True)
class Removed:
    """A file that is gone, and its size in bytes."""

    path: Path
    size: int


@dataclass(frozen=True)
class Verdict:
    """What `verify` found in a file: damaged rows, or a problem of the whole."""

    path: Path
    samples: int
    size: int
    damaged: Sequence[int]
    problem: str | None = None


def folder() -> Path:
    """Where the cache files lie."""
    return paths.training_images(paths.cache_root())


def wanted(names: Sequence[str], roots: DataRoots, *, with_labels: bool) -> list[Wanted]:
    """The files that training on these domains reads; on all that are there without names.

    A source is read with its labels and a target without them (the label firewall: a file for
    targets holds none). A domain that no shift names counts as a source.

    Args:
        with_labels: targets with labels too, as the oracle reads them.

    Raises:
        UsageError: no such domain, or one that has nothing to cache.
    """
    chosen = (
        [registry.find("domain", name) for name in dict.fromkeys(names)]
        if names
        else registry.sound("domain")
    )
    if names:
        for domain in chosen:
            _refuse_uncacheable(domain)
    else:
        chosen = [domain for domain in chosen if _is_there(domain, roots)]
    shifts = shift_sources.of_all()
    found = []
    for domain in chosen:
        is_source = any(domain.name in sources for _, sources in shifts)
        is_target = any(shift.require("target") == domain.name for shift, _ in shifts)
        if is_source or not is_target or with_labels:
            found.append(Wanted(domain, labelled=True))
        if is_target:
            found.append(Wanted(domain, labelled=False))
    return found


def make(
    each: Wanted, protocol: Fragment, roots: DataRoots, processes: int, progress: Progress
) -> Built:
    """Make one file, unless there is one that fits.

    Raises:
        UsageError: nobody said where the data set lies.
        UdabenchError: it is not there, a file in it is bad, or the disk is too full.
    """
    with _named_errors():
        from mmseg_ext.datasets.image_cache_writing import build

        dataset = _dataset(each, protocol, roots)
        return build(dataset, folder(), processes, progress)


def verify(names: Sequence[str], progress: Progress) -> list[Verdict]:
    """Read every cache file of these domains, or of all, and compare the checksums."""
    with _named_errors():
        from mmseg_ext.datasets.image_cache import SUFFIX, ImageCache
        from mmseg_ext.datasets.image_cache_partial import domain_of
        from mmseg_ext.errors import ImageCacheError

        verdicts = []
        for path in sorted(folder().glob(f"*{SUFFIX}")):
            if names and domain_of(path) not in names:
                continue
            size = path.stat().st_size
            try:
                cache = ImageCache(path)
                damaged = cache.damaged(progress)
                verdicts.append(Verdict(path, len(cache), size, damaged))
            except ImageCacheError as error:
                verdicts.append(Verdict(path, 0, size, (), str(error)))
        return verdicts


def remove(names: Sequence[str]) -> list[Removed]:
    """Remove the cache files of these domains, or of all."""
    with _named_errors():
        from mmseg_ext.datasets.image_cache_partial import remove

        return [Removed(path, size) for path, size in remove(folder(), names or None)]


def _refuse_uncacheable(domain: Fragment) -> None:
    if domain.require("reader") != FILES:
        raise UsageError(
            f"domain {domain.name} is generated in the size that training uses; it needs no cache"
        )
    if domain.require("train") is None:
        raise UsageError(f"domain {domain.name} has no training images, only they are cached")


def _is_there(domain: Fragment, roots: DataRoots) -> bool:
    if domain.require("reader") != FILES or domain.require("train") is None:
        return False
    try:
        return roots.of(domains.dataset_of(domain)).is_dir()
    except UsageError:
        return False


def _dataset(each: Wanted, protocol: Fragment, roots: DataRoots) -> Any:
    """The data set as training builds it, up to where chance comes in."""
    from mmengine.registry import DefaultScope

    from mmseg_ext.registry import DATASETS

    config = domains.trained(each.domain, protocol, (), labelled=each.labelled)
    config["data_root"] = str(roots.of(domains.dataset_of(each.domain)))
    config["pipeline"] = [with_tuples(transform) for transform in config["pipeline"]]
    with DefaultScope.overwrite_default_scope("mmseg_ext"):
        return DATASETS.build(config)


@contextmanager
def _named_errors() -> Iterator[None]:
    """Errors of the data plane and of the disk as those that the command line reports."""
    from mmseg_ext.errors import ExtensionError

    try:
        yield
    except (ExtensionError, OSError) as error:
        raise UdabenchError(f"{error} (UDABENCH_CACHE moves the cache)") from error
