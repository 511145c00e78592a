"""Fragments: the Python files under configs/ that describe methods, encoders, shifts and so on.

A fragment is executed in the control plane, so it holds plain names and never imports torch.
"""

from __future__ import annotations

import copy
import difflib
import re
import reprlib
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from benchmark import encoder_reference, paths
from benchmark.errors import FragmentError, UsageError

FRAGMENT_KINDS = ("method", "encoder", "shift", "domain", "dataset", "evaluation", "protocol")
YAML_KINDS = ("claim", "suite")
MODULES = {"claim": "claims", "suite": "suite"}
KINDS = (*FRAGMENT_KINDS, *YAML_KINDS)
# '__' separates the parts of a cell's file name, so no part may contain it.
NAME = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")

_cache: dict[Path, Fragment] = {}


@dataclass(frozen=True)
class Fragment:
    """One executed fragment: ``values`` maps its public names to what they hold."""

    kind: str
    name: str
    path: Path
    values: Mapping[str, Any]

    @property
    def card(self) -> Mapping[str, Any]:
        """Title, summary and the other facts that ``list``, ``show`` and the report print."""
        card: Mapping[str, Any] = self.values["card"]
        return card

    def require(self, key: str) -> Any:
        """A copy of what the fragment defines as ``key``. Raises ``FragmentError`` without it."""
        if key not in self.values:
            raise FragmentError(f"{self.path}: a {self.kind} must define {key!r}")
        return copy.deepcopy(self.values[key])


def overlaid(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes`` laid over it, dictionaries merged key by key."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), dict)
        merged[key] = overlaid(merged[key], value) if both else value
    return merged


def unknown(what: str, name: object, valid: Iterable[str]) -> str:
    """The sentence about an unknown name: closest match first, then every valid name."""
    names = sorted(valid)
    given = shortened(name)
    close = difflib.get_close_matches(given.strip("'\""), names, n=1, cutoff=0.0)
    hint = f"; closest: {close[0]!r}" if close else ""
    return f"unknown {what} {given}{hint}; valid: {', '.join(names) or 'none'}"


def shortened(value: object) -> str:
    """``repr`` of a value from a user's file, cut to a length that a message can carry."""
    try:
        return reprlib.repr(value)
    except ValueError:  # an integer of thousands of digits has no decimal form
        return type(value).__name__


def names(kind: str) -> list[str]:
    """Sorted names of every fragment (or suite) of ``kind``.

    Raises:
        UsageError: ``kind`` is not one of ``KINDS``.
        FragmentError: a file's name cannot be part of a cell's file name.
    """
    if kind not in KINDS:
        raise UsageError(unknown("kind", kind, KINDS))
    suffix = ".yaml" if kind in YAML_KINDS else ".py"
    found = []
    for path in _folder(kind).glob(f"*{suffix}"):
        if path.name.startswith((".", "_")):
            continue
        if not NAME.fullmatch(path.stem):
            raise FragmentError(
                f"{paths.shown(path)}: a {kind} is named by letters and digits, joined by single "
                "'-', '_' or '.'; rename the file"
            )
        found.append(path.stem)
    return sorted(found)


def locate(kind: str, name: str) -> Path:
    """File of the named fragment or suite. Raises ``UsageError`` naming the closest match."""
    valid = names(kind)
    if name not in valid:
        raise UsageError(unknown(kind, name, valid) + f" (in {paths.shown(_folder(kind))})")
    suffix = ".yaml" if kind in YAML_KINDS else ".py"
    return _folder(kind) / f"{name}{suffix}"


def find(kind: str, name: str) -> Fragment:
    """Execute and return a fragment; a second call returns the same object.

    An encoder may also be a tower of a library, see `benchmark.encoder_reference`.

    Raises:
        UsageError: there is no such fragment, or ``kind`` is one of ``YAML_KINDS``.
        FragmentError: the file cannot be executed or lacks its card.
    """
    if kind in YAML_KINDS:
        raise UsageError(f"a {kind} is read with benchmark.{MODULES[kind]}.load, it is no fragment")
    known = _cache.get(_folder(kind) / f"{name}.py")
    if known is not None:
        return known
    if kind == "encoder" and name not in names(kind):
        reference = encoder_reference.parse(name)
        if reference:
            values = MappingProxyType(reference.values())
            return Fragment(kind, reference.name, Path(reference.origin), values)
    path = locate(kind, name)
    if path not in _cache:
        fragment = Fragment(kind, name, path, MappingProxyType(_execute(path)))
        _check_card(fragment)
        _cache[path] = fragment
    return _cache[path]


def forget() -> None:
    """Drop the executed fragments, so that changed files are read again."""
    _cache.clear()


def _folder(kind: str) -> Path:
    return paths.configs_root() / f"{kind}s"


def _execute(path: Path) -> dict[str, Any]:
    import runpy

    had_torch = "torch" in sys.modules
    try:
        found = runpy.run_path(str(path))
    except SyntaxError as error:
        place = f"{paths.shown(Path(error.filename or path))}:{error.lineno}"
        raise FragmentError(f"{place}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == str(path)
        ]
        place = f"{paths.shown(path)}:{lines[-1]}" if lines else paths.shown(path)
        raise FragmentError(f"{place}: {type(error).__name__}: {error}") from error
    if not had_torch and "torch" in sys.modules:
        raise FragmentError(
            f"{paths.shown(path)}: imports torch; a fragment holds plain names and type strings, "
            "classes are built by the worker"
        )
    return {name: value for name, value in found.items() if _is_public(name, value)}


def _is_public(name: str, value: object) -> bool:
    is_future = type(value).__module__ == "__future__"
    return not name.startswith("_") and not isinstance(value, ModuleType) and not is_future


def _check_card(fragment: Fragment) -> None:
    place = paths.shown(fragment.path)
    card = fragment.values.get("card")
    if not isinstance(card, dict):
        raise FragmentError(
            f"{place}: must define card = dict(title=..., summary=...), found {type(card).__name__}"
        )
    for key in ("title", "summary"):
        if not isinstance(card.get(key), str) or not card[key].strip():
            raise FragmentError(f"{place}: card[{key!r}] must be a non-empty text")
