"""One fragment: a file of plain names under a configs folder, executed and checked."""

from __future__ import annotations

import copy
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from benchmark import paths
from benchmark.errors import FragmentError
from benchmark.messages import shortened
from benchmark.plugins import Plugin

OWN = "udabench"
"""Origin of what comes with the project, or lies in ``$UDABENCH_CONFIGS``."""


@dataclass(frozen=True)
class Fragment:
    """One executed fragment: ``values`` maps its public names to what they hold.

    ``origin`` is ``udabench`` or how its plugin came in, ``module`` that plugin's module. A variant
    (see `benchmark.variants`) has a ``base``, and ``changes`` are what its file says of its own.
    """

    kind: str
    name: str
    path: Path
    values: Mapping[str, Any]
    origin: str = OWN
    module: str = ""
    base: Fragment | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def card(self) -> Mapping[str, Any]:
        """Title, summary and the other facts that ``list``, ``show`` and the report print."""
        card: Mapping[str, Any] = self.values["card"]
        return card

    @property
    def imports(self) -> tuple[str, ...]:
        """Modules whose import registers what it names: its plugin's, and its ``custom_imports``.

        Raises:
            FragmentError: ``custom_imports`` has not the form that MMEngine gives it.
        """
        given = self.values.get("custom_imports", {"imports": []})
        listed = given.get("imports") if isinstance(given, Mapping) else None
        if not isinstance(listed, (list, tuple)) or not all(isinstance(x, str) for x in listed):
            raise FragmentError(
                f"{paths.shown(self.path)}: custom_imports must be dict(imports=[...]) with names "
                f"of modules, found {shortened(given)}"
            )
        below = self.base.imports if self.base is not None else ()
        own = [self.module] if self.module else []
        return tuple(dict.fromkeys([*below, *own, *listed]))

    def require(self, key: str) -> Any:
        """A copy of what the fragment defines as ``key``. Raises ``FragmentError`` without it."""
        if key not in self.values:
            raise FragmentError(f"{self.path}: a {self.kind} must define {key!r}")
        return copy.deepcopy(self.values[key])


def execute(kind: str, path: Path, owner: Plugin) -> Fragment:
    """The fragment that a file of a plugin, or of ours, defines.

    Raises:
        FragmentError: the file cannot be executed or lacks its card.
    """
    values = MappingProxyType(_execute(path))
    fragment = Fragment(kind, path.stem, path, values, owner.origin, owner.module)
    _check_card(fragment)
    return fragment


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
