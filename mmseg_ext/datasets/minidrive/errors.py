"""Errors of the MiniDrive generator."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ...errors import ExtensionError


class MiniDriveError(ExtensionError, ValueError):
    """A MiniDrive world, domain, split or index that does not exist."""


class CacheError(MiniDriveError):
    """The generated files could not be written."""


def unknown(kind: str, name: object, valid: Iterable[str]) -> MiniDriveError:
    """The error for a name that is not among the `valid` ones; suggests the nearest."""
    names = list(valid)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return MiniDriveError(f"unknown {kind} {name!r}.{hint} Valid: {', '.join(names)}.")
