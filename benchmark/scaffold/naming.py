"""Names of new methods and encoders: valid in Python and in file names, and not taken."""

from __future__ import annotations

import importlib.util
import keyword
import re
from dataclasses import dataclass

from benchmark import registry
from benchmark.errors import UsageError
from benchmark.messages import shortened

_LONGEST = 30
"""Letters of a name; it is part of file names, and titles head columns of tables."""


@dataclass(frozen=True)
class Names:
    """What a new thing is called: ``name`` as module and fragment, its class and its title."""

    kind: str
    name: str
    class_name: str
    title: str


def of(kind: str, name: str) -> Names:
    """The names of a new method or encoder.

    Raises:
        UsageError: ``name`` is no lower-case Python identifier, or something is called so already.
    """
    if not _is_valid(name):
        raise UsageError(
            f"{shortened(name)} cannot name a {kind}: expected a Python identifier of at most "
            f"{_LONGEST} lower-case letters and digits joined by single '_'; closest: "
            f"{_closest(kind, name)!r}"
        )
    names = _names(kind, name)
    taken = _owner(names)
    if taken:
        raise UsageError(f"{name!r} is taken: {taken}; closest free name: {_free(kind, name)!r}")
    return names


def _names(kind: str, name: str) -> Names:
    words = name.split("_")
    class_name = "".join(word.capitalize() for word in words)
    return Names(kind, name, class_name, " ".join([words[0].capitalize(), *words[1:]]))


def _is_valid(name: str) -> bool:
    plain = (
        len(name) <= _LONGEST and name.isascii() and name.isidentifier() and name == name.lower()
    )
    return plain and not keyword.iskeyword(name) and bool(registry.NAME.fullmatch(name))


def _closest(kind: str, name: str) -> str:
    made = "_".join(re.findall(r"[a-z0-9]+", name.lower()))
    made = made if made[:1].isalpha() else f"{kind}_{made}".rstrip("_")
    return f"{made}_{kind}" if keyword.iskeyword(made) else made[:_LONGEST].rstrip("_")


def _free(kind: str, name: str) -> str:
    """The name with something before it, so that nothing is called so."""
    candidates = (f"{first}_{name}" for first in ("my", "our", "new", "another", "own"))
    return next(each for each in candidates if not _owner(_names(kind, each)))


def _owner(names: Names) -> str:
    """What is called so already; empty if nothing is."""
    # Anywhere else, too: `show` and `check` take a name without its kind.
    for kind in registry.KINDS:
        if names.name in registry.names(kind):
            return f"the name of a {kind}"
    if importlib.util.find_spec(names.name) is not None:
        return "the name of a Python module that is installed here"
    if names.class_name in _registered():
        return f"mmseg_ext has a class {names.class_name}"
    return ""


def _registered() -> set[str]:
    from benchmark import source_hash

    modules = source_hash.scan((source_hash.PROJECT,)).modules.values()
    return {component for module in modules for component in module.facts.registers}
