"""The classes that a shift is scored on, where its source has labels of fewer than all 19."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark import registry
from benchmark.errors import FragmentError
from benchmark.paths import shown
from benchmark.registry import Fragment


def of_shift(shift: Fragment) -> dict[str, Any]:
    """``classes`` (train ids of the headline mean) and ``also`` (ids by the name of a mean).

    A shift gives classes by name or by train id; what it does not give is left out here.

    Raises:
        FragmentError: a class does not exist, stands twice, or there is none.
    """
    found: dict[str, Any] = {}
    if shift.values.get("classes") is not None:
        found["classes"] = _ids(shift, "classes", shift.values["classes"])
    also = shift.values.get("also", {})
    if not isinstance(also, Mapping) or not all(isinstance(name, str) and name for name in also):
        raise FragmentError(
            f"{shown(shift.path)}: also is {registry.shortened(also)}, expected a dict from the "
            "name of a mean to its classes"
        )
    if also:
        found["also"] = {name: _ids(shift, f"also[{name!r}]", each) for name, each in also.items()}
    return found


def names(ids: Sequence[int]) -> tuple[str, ...]:
    """Names of train ids."""
    from mmseg_ext.datasets.classes import CLASSES

    return tuple(CLASSES[each] for each in ids)


def _ids(shift: Fragment, key: str, given: Any) -> list[int]:
    from mmseg_ext.datasets.classes import CLASSES

    place = f"{shown(shift.path)}: {key}"
    if isinstance(given, str) or not isinstance(given, (list, tuple, range)) or not given:
        raise FragmentError(
            f"{place} is {registry.shortened(given)}, expected a list of class names or train ids"
        )
    found = []
    for each in given:
        if each in CLASSES:
            found.append(CLASSES.index(each))
        elif type(each) is int and 0 <= each < len(CLASSES):
            found.append(each)
        else:
            raise FragmentError(f"{place}: {registry.unknown('class', each, CLASSES)}")
    if len(set(found)) < len(found):
        raise FragmentError(f"{place} names a class twice")
    return sorted(found)
