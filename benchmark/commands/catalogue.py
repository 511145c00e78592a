"""``udabench list`` and ``show``: what there is, from the cards of fragments and suites."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Mapping
from typing import Any

from benchmark import claims, encoder_reference, paths, registry
from benchmark import suite as suites
from benchmark.errors import UsageError

WIDTH = 96


def list_all(parsed: argparse.Namespace) -> int:
    """Print the names and summaries of one kind or of all."""
    kinds = [parsed.kind.removesuffix("s")] if parsed.kind else list(registry.KINDS)
    if parsed.json:
        found = [
            {"kind": kind, "name": name, **_plain(_card(kind, name))}
            for kind in kinds
            for name in registry.names(kind)
        ]
        print(json.dumps(found, indent=1))
        return 0
    for number, kind in enumerate(kinds):
        if not parsed.kind:
            print(f"{'' if number == 0 else chr(10)}{kind}s")
        names = registry.names(kind)
        width = max(map(len, names), default=0)
        for name in names:
            print(f"  {name.ljust(width)}  {_card(kind, name)['summary']}")
        if not names:
            print("  none")
    return 0


def show(parsed: argparse.Namespace) -> int:
    """Print everything that is called NAME; a kind before a slash narrows it down."""
    reference = encoder_reference.parse(parsed.name.removeprefix("encoder/"))
    kind, slash, name = parsed.name.rpartition("/")
    kind = kind.removesuffix("s")
    if reference:
        kind, slash, name = "encoder", "/", reference.name
    if slash and kind not in registry.KINDS:
        raise UsageError(registry.unknown("kind", kind, registry.KINDS))
    kinds = [kind] if slash else [k for k in registry.KINDS if name in registry.names(k)]
    if not kinds:
        everything = {name for kind in registry.KINDS for name in registry.names(kind)}
        raise UsageError(registry.unknown("name", name, everything))
    shown = [_entry(kind, name) for kind in kinds]
    if parsed.json:
        print(json.dumps(shown, indent=1))
    else:
        print("\n\n".join(_text(entry) for entry in shown))
    return 0


def _card(kind: str, name: str) -> Mapping[str, Any]:
    if kind == "claim":
        claim = claims.load(name)
        return {"title": claim.title, "summary": claim.statement}
    if kind != "suite":
        return registry.find(kind, name).card
    suite = suites.load(name)
    axes = {key: len(getattr(suite, key)) for key in suites.AXES.values()}
    sizes = (f"{size} {key if size != 1 else key[:-1]}" for key, size in axes.items())
    grid = f"{len(suite.cells())} cells: {', '.join(sizes)}"
    return {"title": suite.title, "summary": suite.summary or f"{suite.title}, {grid}"}


def _entry(kind: str, name: str) -> dict[str, Any]:
    """What ``show`` prints about one thing, as plain JSON values."""
    if kind == "suite":
        suite = suites.load(name)
        settings: dict[str, Any] = {
            "protocol": suite.protocol,
            **{key: found for key in ("protocols", "provenance") if (found := getattr(suite, key))},
            "methods": suite.methods,
            "encoders": suite.encoders,
            "shifts": suite.shifts,
            "seeds": suite.seeds,
            "excluded": [f"{cell}: {reason}" for cell, reason in suite.excluded_cells()],
            "minutes_per_cell": suite.budget.minutes_per_cell,
        }
        path = suite.path
    elif kind == "claim":
        claim = claims.load(name)
        settings = claim.facts()
        path = claim.path
    else:
        fragment = registry.find(kind, name)
        settings = {key: value for key, value in fragment.values.items() if key != "card"}
        path = fragment.path
    card = dict(_card(kind, name))
    entry = {"kind": kind, "name": name, "file": paths.shown(path), "card": card}
    plain: dict[str, Any] = _plain({**entry, "settings": settings})
    return plain


def _text(entry: Mapping[str, Any]) -> str:
    card = dict(entry["card"])
    lines = [f"{entry['kind']} {entry['name']}: {card.pop('title')}"]
    lines += textwrap.wrap(card.pop("summary"), WIDTH, initial_indent="  ", subsequent_indent="  ")
    lines.append(f"  from {entry['file']}")
    for heading, values in (("card", card), ("settings", entry["settings"])):
        if values:
            lines.append(f"  {heading}")
        for key, value in values.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            lines += textwrap.wrap(
                f"{key}: {text}", WIDTH, initial_indent="    ", subsequent_indent="      "
            )
    return "\n".join(lines)


def _plain(value: Any) -> Any:
    """``value`` as JSON can hold it; what it cannot hold becomes its text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)
