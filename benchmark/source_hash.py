"""Which modules of the project and its plugins a cell's configuration uses, and their digests.

Where it starts: every text in the configuration that is the name of a registered component, such
as ``DACS`` or ``mmseg_ext.DACS``. From there imports are followed as far as they stay inside of
the packages, and so are names of components in the code itself. A name that a package passes on
leads to the module that defines it, so a change of one method touches only the cells that use it.

Not followed: other packages (their versions are in the provenance), names that are put together
when the program runs, and `benchmark` itself (see ``benchmark.identity.PROCEDURE``).
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib.util
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark import paths, source_index
from benchmark.errors import UsageError
from benchmark.records import write_atomically
from benchmark.source_index import FileFacts

PROJECT = "mmseg_ext"
YOUNG_SECONDS = 2.0
"""A file changed so recently may change again within one tick of its time stamp."""

# Facts of files by path, beside those in the cache folder.
_memory: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Module:
    """A Python file of a package: its path from the package's parent, and its facts."""

    path: str
    is_package: bool
    facts: FileFacts


@dataclass(frozen=True)
class Sources:
    """The modules of some packages by dotted name, as they are on disk."""

    modules: Mapping[str, Module]
    _closures: dict[frozenset[str], dict[str, str]] = field(default_factory=dict)

    def used_by(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Digest of every module that a configuration uses, by path, sorted by path."""
        registered = self._registered
        starts = frozenset(
            module for text in set(_texts(config)) for module in registered.get(_last(text), ())
        )
        if starts not in self._closures:
            found = self._reached(starts)
            self._closures[starts] = dict(
                sorted((m.path, m.facts.digest) for m in map(self.modules.__getitem__, found))
            )
        return self._closures[starts]

    @property
    def _registered(self) -> Mapping[str, list[str]]:
        """Modules by the name of each component that they register."""
        if "_names" not in self.__dict__:
            names: dict[str, list[str]] = {}
            for name, module in self.modules.items():
                for component in module.facts.registers:
                    names.setdefault(component, []).append(name)
            object.__setattr__(self, "_names", names)
        found: Mapping[str, list[str]] = self.__dict__["_names"]
        return found

    def _reached(self, starts: Iterable[str]) -> set[str]:
        """Every module that counts when ``starts`` are used."""
        pending, seen, counted = list(starts), set[str](), set[str]()
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            module = self.modules[name]
            counted |= {name} if module.facts.own else set()
            for imported, what, _ in module.facts.imports:
                pending += self._targets(imported, what)
            for word in module.facts.words:
                pending += self._registered.get(_last(word), ())
            for package in self._packages_above(name):
                counted |= {package} if self.modules[package].facts.own else set()
                for imported, what, local in self.modules[package].facts.imports:
                    if local in self.modules[package].facts.used:
                        pending += self._targets(imported, what)
        return counted

    def _packages_above(self, name: str) -> Iterator[str]:
        parts = name.split(".")
        for length in range(1, len(parts)):
            above = ".".join(parts[:length])
            if above in self.modules:
                yield above

    def _targets(self, imported: str, what: str, depth: int = 0) -> list[str]:
        """Modules behind one import; none for what is not of these packages."""
        if what and f"{imported}.{what}" in self.modules:
            return [f"{imported}.{what}"]
        if imported not in self.modules:
            # ``import package.module`` of which only the package is ours.
            return []
        module = self.modules[imported]
        if what and module.is_package and depth < 20:
            for source, name, local in module.facts.imports:
                if local == what:
                    return self._targets(source, name, depth + 1)
        return [imported]


def scan(packages: Iterable[str] = (), roots: Mapping[str, Path] | None = None) -> Sources:
    """The sources of the project and of further ``packages`` (of plugins) that lie on this machine.

    Args:
        packages: dotted names; their first part says which package or module is meant.
        roots: folders or files of packages, instead of those that Python would import.

    Raises:
        UsageError: a package is not installed, or one of its files cannot be read as Python.
    """
    if roots is None:
        tops = dict.fromkeys([PROJECT, *(name.partition(".")[0] for name in packages)])
        roots = {name: _root_of(name) for name in tops}
    files = {name: (top, path) for top, root in roots.items() for name, path in _files(top, root)}
    cache = _cache_file(roots)
    known = {**_known(cache), **_memory}
    modules, fresh, is_new = {}, {}, False
    for name, (top, path) in files.items():
        is_package = path.name == "__init__.py"
        stamp = path.stat()
        key, mark = str(path), [stamp.st_size, stamp.st_mtime_ns]
        entry = known.get(key)
        if entry is not None and entry["stamp"] == mark:
            facts = _facts(entry["facts"])
        else:
            facts = _read(path, name, is_package)
            entry, is_new = {"stamp": mark, "facts": dataclasses.asdict(facts)}, True
        if abs(time.time() - stamp.st_mtime) > YOUNG_SECONDS:
            fresh[key] = entry
        shown = path.relative_to(roots[top].parent).as_posix()
        modules[name] = Module(shown, is_package, facts)
    if is_new and fresh:
        _memory.update(fresh)
        _store(cache, fresh)
    return Sources(modules)


def _root_of(name: str) -> Path:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not (spec.submodule_search_locations or spec.origin):
        raise UsageError(f"package {name}: not installed, so nobody can tell what its cells use")
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(str(spec.origin))


def _files(top: str, root: Path) -> Iterator[tuple[str, Path]]:
    """Dotted name and path of every Python file of a package or single-file module."""
    if root.is_file():
        yield top, root
        return
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        yield ".".join((top, *parts)), path


def _read(path: Path, name: str, is_package: bool) -> FileFacts:
    try:
        return source_index.read(path.read_text(encoding="utf-8"), name, is_package=is_package)
    except (OSError, SyntaxError, ValueError) as error:
        raise UsageError(
            f"{paths.shown(path)}: cannot be read as Python ({error}); mend it before cells are "
            "planned or run"
        ) from error


def _texts(value: Any) -> Iterator[str]:
    """Every text that is a value in a configuration, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _last(text: str) -> str:
    """The name of a component without its scope."""
    return text.rpartition(".")[2]


@functools.cache
def _format() -> str:
    """What facts depend on beside the files: how they are found."""
    return hashlib.sha256(Path(source_index.__file__).read_bytes()).hexdigest()[:16]


def _cache_file(roots: Mapping[str, Path]) -> Path:
    key = json.dumps({name: str(path) for name, path in sorted(roots.items())})
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    return paths.cache_root() / "source_index" / f"{name}.json"


def _known(cache: Path) -> Mapping[str, Any]:
    """Facts of files by path, from an earlier scan; none if there was none that can be used."""
    try:
        document = json.loads(cache.read_text(encoding="utf-8"))
        is_usable = document["format"] == _format()
        return document["files"] if is_usable else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _facts(entry: Mapping[str, Any]) -> FileFacts:
    lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    return FileFacts(**{**entry, **lists, "imports": tuple(map(tuple, entry["imports"]))})


def _store(cache: Path, files: Mapping[str, Any]) -> None:
    text = json.dumps({"format": _format(), "files": files})
    with contextlib.suppress(OSError):  # a cache: the next scan reads the files again
        write_atomically(cache, text)
