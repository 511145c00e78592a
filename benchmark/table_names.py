"""Names of the tables that a suite can ask for, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark import registry
from benchmark.errors import FragmentError
from benchmark.paths import shown

NAMES = (
    *("uda", "generalization", "conditions", "comparison", "per_class"),
    *("overhead", "feature_distance", "claims"),
)


def known() -> tuple[str, ...]:
    """Every table's name: ours, then those of plugins, which are shown only where asked for."""
    return (*NAMES, *(name for name in registry.names("table") if name not in NAMES))


def refuse_doubles(names: Iterable[str]) -> None:
    """Raise ``FragmentError`` for a table that is ours and a plugin's too."""
    for name in {*names} & {*NAMES} & {*registry.names("table")}:
        owner = registry.home("table", name)
        raise FragmentError(
            f"table {name!r} is there 2 times: in {registry.OWN} itself and as "
            f"{shown(registry.locate('table', name))} ({owner.origin}); rename the latter, or "
            "leave its plugin out"
        )
