"""What ``udabench doctor`` says about a user's own files, and about versions that do not fit."""

from __future__ import annotations

import importlib.metadata

from benchmark import registry
from benchmark.data_roots import VARIABLE as DATA_VARIABLE
from benchmark.data_roots import DataRoots
from benchmark.errors import UdabenchError, UsageError
from benchmark.paths import shown
from benchmark.weights import SUFFIXES, WeightsFolder
from benchmark.weights import VARIABLE as WEIGHTS_VARIABLE

Told = tuple[str, str]
"""A level and a sentence, as in ``benchmark.doctor.Finding``."""


def data() -> Told:
    """Which downloaded data sets are where the variables say; their files are not opened."""
    try:
        roots = DataRoots.chosen(None)
        names = registry.names("dataset")
        folders = {}
        for name in names:
            try:
                folders[name] = roots.of(registry.find("dataset", name))
            except UsageError:
                continue  # nobody said where it is
    except UdabenchError as error:
        return "warning", str(error)
    here = [name for name, folder in folders.items() if folder.is_dir()]
    if not folders:
        return "ok", f"no place is named; set {DATA_VARIABLE} to use downloaded data sets"
    if not here:
        return "warning", f"{DATA_VARIABLE} is set, and none of {len(names)} data sets is there"
    return "ok", f"found {', '.join(here)}; 'udabench data check' looks into them"


def weights() -> Told:
    """Which encoders have a weight file in the folder that the variable names."""
    try:
        chosen = WeightsFolder.chosen(None)
        names = registry.names("encoder")
    except UdabenchError as error:
        return "warning", str(error)
    if chosen.folder is None:
        return "ok", f"no folder is named; set {WEIGHTS_VARIABLE} to use pre-trained encoders"
    found = [name for name in names if chosen.file(name)]
    files = [path for path in chosen.folder.iterdir() if path.suffix in SUFFIXES]
    known = {path for name in found if (path := chosen.file(name))}
    others = sorted(path.name for path in files if path not in known)
    text = f"{shown(chosen.folder)}: {', '.join(found) or 'no file is called after an encoder'}"
    if not others:
        return "ok" if found else "warning", text
    return "warning", f"{text}; not called after an encoder: {', '.join(others[:5])}"


def versions() -> list[Told]:
    """Installed packages outside of the versions that udabench was written for."""
    from packaging.requirements import InvalidRequirement, Requirement

    found = []
    for text in _required():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            continue  # told where missing packages are; forks have other names
        if not requirement.specifier.contains(version, prereleases=True):
            wanted = f"{requirement.name}{requirement.specifier}"
            found.append(("warning", f"{requirement.name} {version}; tested with {wanted}"))
    return found


def _required() -> list[str]:
    try:
        return importlib.metadata.requires("udabench") or []
    except importlib.metadata.PackageNotFoundError:
        return []  # run from a checkout that is not installed
