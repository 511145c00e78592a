"""Patterns of paths with placeholders, and the files of a listing that they fit.

``{name}`` stands for one part of a name without slashes. Anything may stand before a pattern, and
the case of its suffix does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mmseg_ext.datasets.files import Listing

Values = str | Sequence[str]
"""A regular expression, or the allowed values."""

Found = tuple[str, Mapping[str, str]]  # a path and what the placeholders stand for in it
Key = tuple[str, ...]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def names(pattern: str) -> list[str]:
    """Names of the placeholders of a pattern, in their order."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(pattern)))


def _compiled(pattern: str, allowed: Mapping[str, Values]) -> re.Pattern[str]:
    # The suffix apart: cameras and archivers do not agree about its case.
    stem, dot, suffix = pattern.rpartition(".")
    if not suffix.isalnum() or not dot:
        stem, dot, suffix = pattern, "", ""
    parts, seen = ["(?:.*/)?"], set()
    for index, part in enumerate(_PLACEHOLDER.split(stem)):
        if index % 2 == 0:
            parts.append(re.escape(part))
        elif part in seen:
            parts.append(f"(?P={part})")
        else:
            seen.add(part)
            values = allowed.get(part, "[^/]+?")
            if not isinstance(values, str):
                values = "|".join(re.escape(value) for value in values)
            parts.append(f"(?P<{part}>{values})")
    parts.append(f"(?i:{re.escape(dot + suffix)})")
    return re.compile("".join(parts), re.DOTALL)


def matching(
    listing: Listing, pattern: str, allowed: Mapping[str, Values]
) -> tuple[list[Found], list[str]]:
    """Paths that a pattern fits with their values, and those that say the same once more."""
    fits = _compiled(pattern, allowed).fullmatch
    matches = [(path, found.groupdict()) for path in listing.files if (found := fits(path))]
    # Files in folders come first: who unpacks an archive means the unpacked files.
    matches.sort(key=lambda match: ".zip/" in match[0].lower())
    kept, passed_over = unique(matches, tuple(names(pattern)))
    paths = set(kept.values())
    return [match for match in matches if match[0] in paths], passed_over


def unique(found: Sequence[Found], names: tuple[str, ...]) -> tuple[dict[Key, str], list[str]]:
    """The first path for each combination of these placeholders' values, and the other paths."""
    first: dict[Key, str] = {}
    others = []
    for path, values in found:
        if first.setdefault(part(values, names), path) != path:
            others.append(path)
    return first, others


def part(values: Mapping[str, str], names: Sequence[str]) -> Key:
    """The values of some placeholders."""
    return tuple(values[name] for name in names)


def only(listing: Listing, pattern: str | None, allowed: Mapping[str, Values]) -> str | None:
    """The first path that a pattern fits, or ``None``."""
    if pattern is None:
        return None
    found, _ = matching(listing, pattern, allowed)
    return found[0][0] if found else None
