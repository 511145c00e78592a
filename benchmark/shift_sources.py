"""The labelled source of a shift: one domain, or several that are trained on together."""

from __future__ import annotations

from benchmark import registry
from benchmark.errors import FragmentError
from benchmark.messages import shortened
from benchmark.paths import shown
from benchmark.registry import Fragment


def names(shift: Fragment) -> tuple[str, ...]:
    """Names of the source domains, in the order in which their images are numbered.

    A shift says ``source = "gta5"`` or ``source = ["gta5", "synthia"]``; a list of one name means
    the same as the name.

    Raises:
        FragmentError: it says neither, or names a domain twice, or its target among the sources.
    """
    place, given = shown(shift.path), shift.values.get("source")
    listed = [given] if isinstance(given, str) else given
    is_list = isinstance(listed, (list, tuple)) and all(
        isinstance(name, str) and name for name in listed
    )
    if not is_list or not listed:
        raise FragmentError(
            f"{place}: source must be the name of a domain, or a list of names of domains that are "
            f"trained on together; found {shortened(given)}"
        )
    twice = [name for name in dict.fromkeys(listed) if listed.count(name) > 1]
    if twice:
        raise FragmentError(
            f"{place}: source names {', '.join(twice)} twice; each domain's images are trained on "
            "once, leave the repetition out"
        )
    if shift.values.get("target") in listed:
        raise FragmentError(
            f"{place}: {shift.values['target']} is the target and a source; its labels would be "
            "trained on. Name another source (the oracle is a method, not a shift)"
        )
    return tuple(listed)


def of_all() -> list[tuple[Fragment, tuple[str, ...]]]:
    """Every shift with the names of its sources, without those that a plugin has broken.

    Raises:
        FragmentError: one of ours is broken.
    """
    found = []
    for shift in registry.sound("shift"):
        try:
            found.append((shift, names(shift)))
        except FragmentError:
            if not shift.module:
                raise
    return found
