"""Plugins: Python packages that bring methods, encoders, suites and the like without a fork.

A plugin may hold a folder ``configs`` laid out as ours, and its import registers its classes in the
registries of ``mmseg_ext``. It is found by an entry point of the group ``udabench.plugins`` (its
value is the module), by ``--plugin MODULE``, or by ``$UDABENCH_PLUGINS``. Finding one imports
nothing of it, so listing stays fast; only what builds components imports it.

``MODULE=FOLDER`` names another folder of fragments than the package's own.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import PluginError

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

GROUP = "udabench.plugins"
VARIABLE = "UDABENCH_PLUGINS"
CONFIGS = "configs"


@dataclass(frozen=True)
class Plugin:
    """A plugin that was found.

    Attributes:
        module: dotted name, the one to import.
        origin: how it came in, such as ``package fda 0.1.0`` or ``--plugin fda``.
        folder: where its fragments lie; it need not exist.
        package: the distribution that it came with, empty if none is known.
    """

    module: str
    origin: str
    folder: Path
    package: str = ""


@dataclass(frozen=True)
class Found:
    """The plugins, and what is wrong with entry points that lead to none."""

    plugins: tuple[Plugin, ...]
    problems: tuple[str, ...]


def active() -> tuple[Plugin, ...]:
    """Every plugin, those of installed packages first, each module once.

    Raises:
        PluginError: a module that ``--plugin`` or ``$UDABENCH_PLUGINS`` names cannot be found.
    """
    return _found(os.environ.get(VARIABLE, ""), tuple(sys.path)).plugins


def problems() -> tuple[str, ...]:
    """A sentence about each installed plugin that had to be left out.

    Such a package harms nobody who does not use it, so it is no error.
    """
    return _found(os.environ.get(VARIABLE, ""), tuple(sys.path)).problems


def forget() -> None:
    """Look for plugins again."""
    _found.cache_clear()


@contextmanager
def added(given: Sequence[str]) -> Iterator[None]:
    """Let the modules of ``--plugin`` count in this block and in the processes that it starts."""
    before = os.environ.get(VARIABLE)
    if given:
        texts = [_absolute(text) for text in (*_listed(before or ""), *given)]
        os.environ[VARIABLE] = ",".join(dict.fromkeys(texts))
    try:
        yield
    finally:
        if given and before is None:
            del os.environ[VARIABLE]
        elif given and before is not None:
            os.environ[VARIABLE] = before


def load(modules: Iterable[str]) -> None:
    """Import modules, so that their components are registered.

    Raises:
        PluginError: one cannot be imported.
    """
    import importlib

    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            origin = next((each.origin for each in active() if each.module == name), "")
            raise PluginError(
                f"plugin {name}{origin and f' ({origin})'}: importing it fails with "
                f"{type(error).__name__}: {error}; mend it or leave its components out"
            ) from error


@functools.lru_cache(maxsize=8)
def _found(variable: str, path: tuple[str, ...]) -> Found:
    """``path`` is ``sys.path``: with another one, other packages are installed."""
    plugins, problems = _installed()
    for text in _listed(variable):
        module, _, folder = text.partition("=")
        spec = _spec(module)
        if spec is None:
            raise PluginError(_missing(module, plugins))
        known = plugins.get(module)
        origin, package = (known.origin, known.package) if known else (f"--plugin {module}", "")
        place = Path(folder) if folder else _configs(spec)
        plugins[module] = Plugin(module, origin, place, package)
    return Found(tuple(plugins.values()), tuple(problems))


def _installed() -> tuple[dict[str, Plugin], list[str]]:
    """Plugins by module that packages announce, and what is wrong with the others."""
    from importlib.metadata import entry_points

    plugins: dict[str, Plugin] = {}
    problems: list[str] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
        spec = _spec(entry.value)
        if spec is None:
            problems.append(
                f"package {package}: its entry point {entry.name} = {entry.value} (group {GROUP}) "
                "leads to no module; install the package again, or uninstall it"
            )
        elif entry.value not in plugins:
            name = entry.dist.name if entry.dist else ""
            plugins[entry.value] = Plugin(entry.value, f"package {package}", _configs(spec), name)
    return plugins, problems


def _spec(module: str) -> ModuleSpec | None:
    """What Python would import as ``module``, found without importing it or its parents."""
    from importlib.machinery import PathFinder
    from importlib.util import find_spec

    top, *rest = module.split(".")
    try:
        spec = find_spec(top)
        for length, _ in enumerate(rest, start=1):
            if spec is None or spec.submodule_search_locations is None:
                return None
            name = ".".join((top, *rest[:length]))
            spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    except (ImportError, ValueError, AttributeError):
        return None
    return spec


def _configs(spec: ModuleSpec) -> Path:
    """The folder of a package's fragments; a module of one file has none, its path is never one."""
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))) / CONFIGS
    return Path(str(spec.origin)) / CONFIGS


def _missing(module: str, plugins: dict[str, Plugin]) -> str:
    import difflib
    import pkgutil

    here = [each.name for each in pkgutil.iter_modules()]
    close = difflib.get_close_matches(module, [*plugins, *here], n=1)
    hint = f"; closest: {close[0]!r}" if close else ""
    known = ", ".join(plugins) or "none"
    return (
        f"--plugin {module} (or ${VARIABLE}): no module of that name can be imported{hint}; "
        f"plugins of installed packages: {known}. Install its package, or put the folder that it "
        "lies in on PYTHONPATH"
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _absolute(text: str) -> str:
    """``MODULE=FOLDER`` with a folder that means the same to processes elsewhere."""
    module, equals, folder = text.partition("=")
    return f"{module}={Path(folder).expanduser().absolute()}" if equals else text
