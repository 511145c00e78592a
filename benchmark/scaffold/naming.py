"""Names of new methods and encoders: valid in Python and in file names, and not taken."""

from __future__ import annotations

import importlib.util
import keyword
import re
from dataclasses import dataclass

from benchmark import registry
from benchmark.errors import UsageError
from benchmark.messages import shortened


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
            f"{shortened(name)} cannot name a {kind}: expected a Python identifier of lower-case "
            f"letters and digits joined by single '_'; closest: {_closest(kind, name)!r}"
        )
    words = name.split("_")
    names = Names(
        kind,
        name,
        "".join(word[:1].upper() + word[1:] for word in words),
        " ".join([words[0].capitalize(), *words[1:]]),
    )
    taken = _owner(names)
    if taken:
        raise UsageError(f"{name!r} is taken: {taken}; closest free name: {_free(kind, name)!r}")
    return names


def _is_valid(name: str) -> bool:
    plain = name.isascii() and name.isidentifier() and name == name.lower()
    return plain and not keyword.iskeyword(name) and bool(registry.NAME.fullmatch(name))


def _closest(kind: str, name: str) -> str:
    made = "_".join(re.findall(r"[a-z0-9]+", name.lower()))
    made = made if made[:1].isalpha() else f"{kind}_{made}".rstrip("_")
    return f"{made}_{kind}" if keyword.iskeyword(made) else made


def _free(kind: str, name: str) -> str:
    """The name with what tells it from those that are taken."""
    candidates = [f"my_{name}", f"my_{name}_{kind}", *(f"my_{name}_{n}" for n in range(2, 100))]
    for candidate in candidates:
        words = candidate.split("_")
        class_name = "".join(word[:1].upper() + word[1:] for word in words)
        if not _owner(Names(kind, candidate, class_name, "")):
            return candidate
    return candidates[-1]


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
