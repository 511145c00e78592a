"""Names of what differs. Imports nothing heavy: waiting processes use it too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """Paths of the values that are not the same in both, in the order of the first."""
    paths = [*first, *(path for path in second if path not in first)]
    return [path for path in paths if first.get(path) != second.get(path)]


def some(names: Sequence[str], most: int = 3) -> str:
    """The first of many names, and how many there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
