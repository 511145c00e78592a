"""Variants: a fragment that is another one but for some constants.

A file that says ``based_on = "daformer"`` takes over everything of the fragment ``daformer`` of its
kind and lays its own names over it, dictionaries key by key. It has a card of its own with at least
title and summary; the other facts are its base's where it does not say them. A base may be a
variant itself.

So that a slip of the pen is no silent copy of the base, a key must be there in the base already.
Options that the base leaves at their defaults are listed in ``adds``, with dots between the keys:
``adds = ("model.feature_distance.channel_norm",)``.

Nothing of this reaches a cell's configuration: equal constants make equal cells, whatever the
fragment is called.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from benchmark.errors import FragmentError
from benchmark.fragment import Fragment
from benchmark.messages import shortened, unknown
from benchmark.paths import shown

BASE = "based_on"
ADDS = "adds"
_FREE = ("card", "custom_imports")
"""Names whose keys nobody checks against those of the base."""
_SAME_FILE = ("type", "model", "variant", "depth", "stem", "pretrained", "checkpoint")
"""What of an encoder's backbone decides which weight file it loads."""


def overlaid(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes`` laid over it, dictionaries merged key by key."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), dict)
        merged[key] = overlaid(merged[key], value) if both else value
    return merged


def base_name(fragment: Fragment) -> str | None:
    """The name after ``based_on``, ``None`` without it.

    Raises:
        FragmentError: it is no text.
    """
    name = fragment.values.get(BASE)
    if name is not None and not isinstance(name, str):
        raise FragmentError(
            f"{shown(fragment.path)}: {BASE} must be the name of a {fragment.kind}, found "
            f"{shortened(name)}"
        )
    return name


def derived(own: Fragment, base: Fragment) -> Fragment:
    """The variant that the file of ``own`` makes of ``base``.

    Raises:
        FragmentError: a changed key is not there in ``base`` and not in ``adds``, or the other way
            round; names file and key.
    """
    added = own.values.get(ADDS, ())
    place = shown(own.path)
    if not isinstance(added, (list, tuple)) or not all(isinstance(key, str) for key in added):
        raise FragmentError(
            f"{place}: {ADDS} must be a list of keys, such as ('model.feature_distance.features',),"
            f" found {shortened(added)}"
        )
    changes = {name: own.values[name] for name in own.values if name not in (BASE, ADDS)}
    checked = {name: value for name, value in changes.items() if name not in _FREE}
    new = dict(_new_keys(checked, base.values))
    for key, valid in new.items():
        if key not in added:
            problem = unknown("key", key, valid)
            raise FragmentError(
                f"{place}: {problem}; an option that {base.kind} {base.name} leaves at its default "
                f"must be listed in {ADDS}"
            )
    for key in added:
        if key not in new:
            raise FragmentError(
                f"{place}: {ADDS} lists {key!r}, which is not changed here or is there in "
                f"{base.kind} {base.name} already"
            )
    values = MappingProxyType(overlaid(base.values, changes))
    return dataclasses.replace(own, values=values, base=base, changes=MappingProxyType(changes))


def _new_keys(
    changes: Mapping[str, Any], base: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, list[str]]]:
    """Dotted keys of ``changes`` that ``base`` lacks, each with those that it has in its place."""
    for key, value in changes.items():
        dotted = f"{prefix}{key}"
        if key not in base:
            yield dotted, [f"{prefix}{each}" for each in base if each != "card"]
        elif isinstance(value, Mapping) and isinstance(base[key], Mapping):
            yield from _new_keys(value, base[key], f"{dotted}.")


def in_protocol(method: Fragment, protocol: Fragment) -> dict[str, Any]:
    """What a method defines, with the changes that the protocol makes in it for its world.

    A variant begins with its base as it is in that world and changes it there; the protocol may
    change a variant once more under the variant's own name.

    Raises:
        FragmentError: a variant changes constants of a part that the protocol leaves out.
    """
    if method.base is None:
        values = copy.deepcopy(dict(method.values))
    else:
        below = in_protocol(method.base, protocol)
        _refuse_left_out(method, below, protocol)
        values = overlaid(below, copy.deepcopy(dict(method.changes)))
    changes = copy.deepcopy(dict(protocol.values.get("methods", {}).get(method.name, {})))
    rule = changes.pop("rare_class_sampling", {})  # of the data, all else is the model's
    if values.get("rare_class_sampling") is not None:
        values = overlaid(values, {"rare_class_sampling": rule})
    if changes:
        values = overlaid(values, {"model": changes})
    parts = protocol.values.get("optimizers", {}).get(method.name, {})
    return overlaid(values, {"optimizers": copy.deepcopy(parts)}) if parts else values


def _refuse_left_out(method: Fragment, below: Mapping[str, Any], protocol: Fragment) -> None:
    assert method.base is not None
    known, present = method.base.values.get("model", {}), below.get("model", {})
    for key, value in method.changes.get("model", {}).items():
        partly = isinstance(value, Mapping) and isinstance(known.get(key), Mapping)
        if partly and present.get(key) is None:
            raise FragmentError(
                f"{shown(method.path)}: changes model.{key}, which protocol {protocol.name} leaves "
                f"out of {method.base.name}; take another protocol, or leave this variant out"
            )


def weights_name(encoder: Fragment) -> str:
    """After which encoder a weight file is called: a variant loads the file of its base."""
    while encoder.base is not None:
        ours, theirs = (each.values.get("backbone", {}) for each in (encoder, encoder.base))
        if any(ours.get(key) != theirs.get(key) for key in _SAME_FILE):
            break
        encoder = encoder.base
    return encoder.name
