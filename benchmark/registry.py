"""Fragments: the Python files under configs/ that describe methods, encoders, shifts and so on.

A fragment is executed in the control plane, so it holds plain names and never imports torch. There
are ours and those of plugins (`benchmark.plugins`); a name of one kind belongs to one of them.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType

from benchmark import encoder_reference, fragment, paths, plugins, variants
from benchmark.errors import FragmentError, UsageError
from benchmark.fragment import OWN as OWN
from benchmark.fragment import Fragment as Fragment
from benchmark.messages import shortened as shortened
from benchmark.messages import unknown as unknown
from benchmark.plugins import Plugin
from benchmark.variants import overlaid as overlaid

FRAGMENT_KINDS = ("method", "encoder", "shift", "domain", "dataset", "evaluation", "protocol")
PLUGIN_KINDS = ("table",)
"""Kinds of which our own are no fragments, see `benchmark.report.tables`."""
YAML_KINDS = ("claim", "suite")
MODULES = {"claim": "claims", "suite": "suite"}
KINDS = (*FRAGMENT_KINDS, *PLUGIN_KINDS, *YAML_KINDS)
# '__' separates the parts of a cell's file name, so no part may contain it.
NAME = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")

_cache: dict[tuple[str, str, tuple[Path, ...]], Fragment] = {}


def names(kind: str) -> list[str]:
    """Sorted names of every fragment (or suite) of ``kind``, ours and those of plugins.

    Raises:
        UsageError: ``kind`` is not one of ``KINDS``.
        FragmentError: the name of one of our files cannot be part of a cell's file name.
    """
    return sorted(_homes(kind))


def locate(kind: str, name: str) -> Path:
    """File of the named fragment or suite. Raises as `home`."""
    return _file(home(kind, name), kind, name)


def home(kind: str, name: str) -> Plugin:
    """Whose the named fragment or suite is; ours come as a plugin without a module.

    Raises:
        UsageError: there is none; the message names the closest match.
        FragmentError: there are several; the message names each origin.
    """
    homes = _homes(kind)
    if name not in homes:
        places = [paths.shown(paths.configs_root() / f"{kind}s")]
        places += [each.origin for each in plugins.active()]
        left_out = "".join(f"; left out: {problem}" for problem in plugins.problems())
        raise UsageError(f"{unknown(kind, name, homes)} (in {', '.join(places)}){left_out}")
    found = homes[name]
    if len(found) > 1:
        places = [f"{paths.shown(_file(each, kind, name))} ({each.origin})" for each in found]
        raise FragmentError(
            f"{kind} {name!r} is there {len(found)} times: {' and '.join(places)}; rename one, or "
            "leave its plugin out"
        )
    return found[0]


def find(kind: str, name: str) -> Fragment:
    """Execute and return a fragment; a second call returns the same object.

    An encoder may also be a tower of a library, see `benchmark.encoder_reference`, and any fragment
    a variant of another, see `benchmark.variants`.

    Raises:
        UsageError: there is no such fragment, or ``kind`` is one of ``YAML_KINDS``.
        FragmentError: the file cannot be executed or lacks its card, the name is a plugin's too,
            or a variant does not fit its base.
    """
    return _found(kind, name, ())


def _found(kind: str, name: str, variants_of_it: tuple[str, ...]) -> Fragment:
    """`find`, for a fragment that the named variants lead to, each based on the next."""
    if kind in YAML_KINDS:
        raise UsageError(f"a {kind} is read with benchmark.{MODULES[kind]}.load, it is no fragment")
    key = kind, name, tuple(each.folder for each in _all())
    if key in _cache:
        return _cache[key]
    if kind == "encoder" and name not in names(kind):
        reference = encoder_reference.parse(name)
        if reference:
            values = MappingProxyType(reference.values())
            return Fragment(kind, reference.name, Path(reference.origin), values)
    owner = home(kind, name)
    made = fragment.execute(kind, _file(owner, kind, name), owner)
    below = variants.base_name(made)
    if below is not None:
        chain = (*variants_of_it, name)
        if below in chain:
            loop = " -> ".join((*chain[chain.index(below) :], below))
            raise FragmentError(f"{paths.shown(made.path)}: {kind}s based on each other: {loop}")
        try:
            made = variants.derived(made, _found(kind, below, chain))
        except FragmentError:
            raise
        except UsageError as error:
            raise FragmentError(f"{paths.shown(made.path)}: {variants.BASE}: {error}") from error
    return _cache.setdefault(key, made)


def sound(kind: str) -> list[Fragment]:
    """Every fragment of ``kind``, without those that a plugin has broken.

    For commands that look through all of them: a plugin must not stop who does not use it.

    Raises:
        FragmentError: one of ours is broken.
    """
    found = []
    for name, homes in sorted(_homes(kind).items()):
        try:
            found.append(find(kind, name))
        except FragmentError:
            if not any(each.module for each in homes):
                raise
    return found


def forget() -> None:
    """Drop the executed fragments, so that changed files are read again."""
    _cache.clear()
    plugins.forget()


def _all() -> tuple[Plugin, ...]:
    """Whose fragments there are: ours first. A plugin that brings our own folder adds nothing."""
    own = Plugin("", OWN, paths.configs_root())
    return (own, *(each for each in plugins.active() if each.folder != own.folder))


def _homes(kind: str) -> dict[str, list[Plugin]]:
    """Owners of every name of ``kind``."""
    if kind not in KINDS:
        raise UsageError(unknown("kind", kind, KINDS))
    found: dict[str, list[Plugin]] = {}
    for owner in _all():
        for path in (owner.folder / f"{kind}s").glob(f"*{_suffix(kind)}"):
            if path.name.startswith((".", "_")):
                continue
            if NAME.fullmatch(path.stem):
                found.setdefault(path.stem, []).append(owner)
            elif not owner.module:
                raise FragmentError(
                    f"{paths.shown(path)}: a {kind} is named by letters and digits, joined by "
                    "single '-', '_' or '.'; rename the file"
                )
    return found


def _file(owner: Plugin, kind: str, name: str) -> Path:
    return owner.folder / f"{kind}s" / f"{name}{_suffix(kind)}"


def _suffix(kind: str) -> str:
    return ".yaml" if kind in YAML_KINDS else ".py"
