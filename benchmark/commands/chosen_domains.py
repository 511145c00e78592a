"""The domains that a command about downloaded data sets is for, with their folders."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark import corruptions, domains, paths, registry
from benchmark.data_roots import VARIABLE, DataRoots
from benchmark.errors import UdabenchError, UsageError
from benchmark.registry import Fragment

Chosen = list[tuple[Fragment, Path]]


def chosen(parsed: argparse.Namespace) -> Chosen:
    """The domains that were named, or all whose folder is there, but for corrupted ones.

    The files behind corrupted images are those of another domain.

    Raises:
        UsageError: a name is unknown or that of a generated domain, or nobody said where data is.
        UdabenchError: no domain was named and no folder is there.
    """
    roots = DataRoots.chosen(parsed.data_root)
    names = list(dict.fromkeys(parsed.domains))
    if names:
        return [_placed(registry.find("domain", name), roots) for name in names]
    found: Chosen = []
    unknown: UsageError | None = None
    for domain in registry.sound("domain"):
        if domain.require("reader") == domains.FILES and not corruptions.is_corrupted(domain):
            try:
                domain, folder = _placed(domain, roots)
            except UsageError as error:
                unknown = error
                continue
            if folder.exists():
                found.append((domain, folder))
    if found:
        return found
    if roots.root is None:
        raise unknown or UsageError(f"{paths.configs_root()}: no domain has reader = 'files'")
    datasets = ", ".join(_folders())
    raise UdabenchError(
        f"{roots.root}: no data set is there; its folders must be called {datasets}. For one that "
        f"lies elsewhere set {VARIABLE}_<NAME>"
    )


def _folders() -> list[str]:
    """What the folders of data sets are called; several may share one."""
    named = registry.sound("dataset")
    return sorted({str(dataset.values.get("folder", dataset.name)) for dataset in named})


def _placed(domain: Fragment, roots: DataRoots) -> tuple[Fragment, Path]:
    if domain.require("reader") != domains.FILES:
        raise UsageError(
            f"domain {domain.name} is generated, not downloaded; there are no files to look at"
        )
    return domain, roots.of(domains.dataset_of(domain))
