"""``udabench data cache``: training images stored at training size, so that reading is fast."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark import data_cache, paths, registry
from benchmark.cli import EXIT_DONE, EXIT_FAILED
from benchmark.commands.bars import progress_bar
from benchmark.data_roots import DataRoots
from benchmark.engines.devices import cores
from benchmark.errors import UdabenchError, UsageError


def run(parsed: argparse.Namespace) -> int:
    """Make, verify or remove cache files."""
    for name in parsed.domains:
        registry.find("domain", name)
    if parsed.remove:
        return _remove(parsed.domains)
    if parsed.verify:
        return _verify(parsed.domains)
    roots = DataRoots.chosen(parsed.data_root)
    protocol = registry.find("protocol", parsed.protocol)
    wanted = data_cache.wanted(parsed.domains, roots, with_labels=parsed.with_labels)
    if not wanted:
        raise UsageError(
            "no data set is there to cache; say where they are with --data-root, see "
            "`udabench data check`"
        )
    problems = []
    for each in wanted:
        try:
            with progress_bar(f"caching {each.title}") as progress:
                built = data_cache.make(
                    each, protocol, roots, parsed.processes or cores(), progress
                )
        except UsageError:
            raise
        except UdabenchError as error:
            problems.append(f"{each.title}: {error}")
            continue
        state = "was there and fits" if built.was_there else "made"
        description = built.description
        print(f"{each.title}: {state}; {description.samples} images, {_size(description.size)}")
        print(f"  {_place(built.path)}")
    if len(problems) < len(wanted):
        print("Training reads these files from now on, as long as they fit the data.")
        print("They can be removed with: udabench data cache --remove [DOMAIN...]")
    if problems:
        raise UdabenchError("\n".join(problems))
    return EXIT_DONE


def _remove(names: list[str]) -> int:
    removed = data_cache.remove(names)
    for each in removed:
        print(f"removed {_place(each.path)}, {_size(each.size)}")
    if not removed:
        print(f"nothing to remove in {data_cache.folder()}")
    return EXIT_DONE


def _verify(names: list[str]) -> int:
    with progress_bar("reading the cache") as progress:
        verdicts = data_cache.verify(names, progress)
    good = True
    for each in verdicts:
        problem = each.problem
        if each.damaged:
            rows = ", ".join(map(str, each.damaged[:5]))
            problem = f"{len(each.damaged)} of {each.samples} images are damaged, such as {rows}"
        good = good and problem is None
        print(f"{_place(each.path)}: {problem or f'{each.samples} images, all whole'}")
    if not verdicts:
        print(f"nothing in {data_cache.folder()}")
    if not good:
        print("Remove damaged files with --remove and make them again.")
    return EXIT_DONE if good else EXIT_FAILED


def _place(path: Path) -> str:
    return paths.shown(path)


def _size(size: int) -> str:
    return f"{size / 1e9:.3g} GB" if size >= 10**8 else f"{size / 1e6:.3g} MB"
