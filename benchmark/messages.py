"""Sentences that several errors are made of."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable


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
