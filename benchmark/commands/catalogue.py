"""``udabench list`` and ``show``: what there is, from the cards of fragments and suites."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

from benchmark import claims, encoder_reference, paths, plugins, registry, table_names
from benchmark import suite as suites
from benchmark.cli import EXIT_DONE, EXIT_USAGE
from benchmark.errors import UsageError

WIDTH = 96


def list_all(parsed: argparse.Namespace) -> int:
    """Print names, summaries and origins of one kind or of all. 2: something cannot be read."""
    kinds = [parsed.kind.removesuffix("s")] if parsed.kind else list(registry.KINDS)
    problems = list(plugins.problems())
    listed = {kind: _listed(kind, problems) for kind in kinds}
    if parsed.json:
        found = [
            {"kind": kind, "name": name, "origin": origin, **_plain(card)}
            for kind in kinds
            for name, origin, card in listed[kind]
        ]
        print(json.dumps(found, indent=1))
    else:
        print("\n\n".join(_section(kind, listed[kind], bool(parsed.kind)) for kind in kinds))
    for problem in problems:
        print(f"udabench: {problem}", file=sys.stderr)
    return EXIT_USAGE if len(problems) > len(plugins.problems()) else EXIT_DONE


Listed = list[tuple[str, str, Mapping[str, Any]]]
"""Names with their origins and cards."""


def _listed(kind: str, problems: list[str]) -> Listed:
    """Everything of a kind that can be read; why the rest cannot be goes to ``problems``."""
    found: Listed = []
    for name in registry.names(kind):
        try:
            if kind == "table":
                table_names.refuse_doubles([name])
            found.append((name, registry.home(kind, name).origin, _card(kind, name)))
        except UsageError as error:
            problems.append(str(error))
    return found


def _section(kind: str, listed: Listed, alone: bool) -> str:
    lines = [] if alone else [f"{kind}s"]
    if kind == "table":
        lines.append(f"  of udabench itself: {', '.join(table_names.NAMES)}")
    width = max((len(name) for name, *_ in listed), default=0)
    for name, origin, card in listed:
        told = "" if origin == registry.OWN else f" [{origin}]"
        lines.append(f"  {name.ljust(width)}  {card['summary']}{told}")
    if len(lines) == (0 if alone else 1):
        lines.append("  none")
    return "\n".join(lines)


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
        path, origin = suite.path, registry.home(kind, name).origin
    elif kind == "claim":
        claim = claims.load(name)
        settings = claim.facts()
        path, origin = claim.path, registry.home(kind, name).origin
    else:
        fragment = registry.find(kind, name)
        settings = {key: value for key, value in fragment.values.items() if key != "card"}
        if fragment.base is not None:
            settings = {"based_on": fragment.base.name, **settings}
        path, origin = fragment.path, fragment.origin
    card = dict(_card(kind, name))
    entry = {"kind": kind, "name": name, "origin": origin, "file": paths.shown(path), "card": card}
    plain: dict[str, Any] = _plain({**entry, "settings": settings})
    return plain


def _text(entry: Mapping[str, Any]) -> str:
    card = dict(entry["card"])
    lines = [f"{entry['kind']} {entry['name']}: {card.pop('title')}"]
    lines += textwrap.wrap(card.pop("summary"), WIDTH, initial_indent="  ", subsequent_indent="  ")
    lines.append(f"  from {entry['file']} ({entry['origin']})")
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
