"""Downloaded data that a plan's cells read and that is not there: said before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import corruptions, registry, training_data
from benchmark.data_roots import VARIABLE, DataRoots, variable_part
from benchmark.domains import FILES
from benchmark.errors import UsageError
from benchmark.plan import PlannedCell
from benchmark.registry import Fragment

if TYPE_CHECKING:
    from mmseg_ext.datasets.files import Listing


def missing_data(cells: Iterable[PlannedCell], roots: DataRoots) -> list[str]:
    """One text for each data set of which something is missing: what, where from, where looked.

    A package that images are read with is missing data, too.

    This is a look at names, archives and lists only: whether a published layout of the data set is
    there, for every split that is read. ``udabench data check`` reads the files.

    Raises:
        UsageError: a domain's data set is unknown, or a variable in a path is not set.
    """
    problems: dict[str, dict[str, list[str]]] = {}
    listings: dict[Path, Listing] = {}
    cells = list(cells)
    package = corruptions.missing_package(planned.config for planned in cells)
    for dataset, purpose, reader in _read(cells):
        problem = _problem(dataset, reader, roots, listings)
        if problem:
            users = problems.setdefault(dataset, {}).setdefault(problem, [])
            user = f"{reader['domain']} ({purpose})"
            users += [] if user in users else [user]
    texts = [_text(registry.find("dataset", name), each, roots) for name, each in problems.items()]
    return [*texts, *([package] if package else [])]


def _read(cells: Iterable[PlannedCell]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every different (data set, what for, configuration of its reader) that the cells read."""
    seen = set()
    for planned in cells:
        facts = planned.config.get("domains", {})
        if not any(domain["reader"] == FILES for domain in facts.values()):
            continue
        pair = planned.config["train_dataloader"]["dataset"]
        readers = [("training", dataset) for dataset in training_data.datasets(pair)]
        readers += [
            ("scoring", loader["dataset"]) for loader in planned.config["test_dataloader"].values()
        ]
        for purpose, reader in readers:
            if facts[reader["domain"]]["reader"] != FILES:
                continue
            labelled = any("labels" in layout for layout in reader["layouts"])
            key = (reader["domain"], purpose, labelled)
            if key not in seen:
                seen.add(key)
                yield facts[reader["domain"]]["dataset"], purpose, reader


def _problem(
    name: str, reader: Mapping[str, Any], roots: DataRoots, listings: dict[Path, Listing]
) -> str | None:
    """What one reader would not find, or ``None``."""
    from mmseg_ext.datasets.files import scan
    from mmseg_ext.datasets.layouts import Layout, find
    from mmseg_ext.datasets.panoptic import segments_of
    from mmseg_ext.errors import ExtensionError

    dataset = registry.find("dataset", name)
    try:
        folder = roots.of(dataset)
    except UsageError:
        return "its place is not known"
    try:
        if folder not in listings:
            listings[folder] = scan(folder)
        layouts = [Layout(**layout) for layout in reader["layouts"]]
        found = find(listings[folder], layouts, reader["placeholders"], reader["where"])
        if found.layout.segments:
            segments_of(listings[folder], found)  # scoring would fail, after all of the training
    except ExtensionError as error:
        return str(error).removeprefix(f"{folder}: ")
    if listings[folder].damaged:
        return "; ".join(listings[folder].problems)
    excluded = set(reader["excluded"])
    unlabelled = [path for path in found.unlabelled if Path(path).stem not in excluded]
    if unlabelled and not reader["partly_labelled"]:
        return f"{len(unlabelled)} of {len(found.samples)} images have no label"
    return None


def _text(dataset: Fragment, problems: Mapping[str, list[str]], roots: DataRoots) -> str:
    try:
        place = f"looked in {roots.of(dataset)}"
    except UsageError:
        place = "nobody said where it is"
    card = dataset.card
    packages = list(card.get("packages", ())) or ["its packages"]
    if len(packages) > 6:
        packages = [*packages[:2], "...", packages[-1]]
    access = f" ({card['access']})" if card.get("access") else ""
    folder = str(dataset.values.get("folder", dataset.name))
    domain = next(iter(problems.values()))[0].partition(" ")[0]
    return "\n    ".join(
        [
            f"data set {dataset.name} ({card['title']}) is missing or incomplete; {place}",
            *(f"{', '.join(users)}: {problem}" for problem, users in problems.items()),
            f"from {card.get('url', 'its owners')}{access}: {', '.join(packages)}",
            f"say where it is with --data-root DIR (a folder with {folder}/ in it) or "
            f"{VARIABLE}_{variable_part(folder)}; 'udabench data check {domain}' looks closer",
        ]
    )
