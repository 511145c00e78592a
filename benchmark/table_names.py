"""Names of the tables that a suite can ask for, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark import registry
from benchmark.errors import FragmentError, SuiteError
from benchmark.paths import shown
from benchmark.suitefile import Section

NAMES = (
    *("uda", "generalization", "conditions", "comparison", "per_class"),
    *("overhead", "profile", "feature_distance", "claims"),
)


def known() -> tuple[str, ...]:
    """Every table's name: ours, then those of plugins, which are shown only where asked for."""
    return (*NAMES, *(name for name in registry.names("table") if name not in NAMES))


def chosen(section: Section) -> tuple[str, ...]:
    """What a suite says under ``tables``, nothing where it leaves the choice to the report.

    Raises:
        SuiteError: a name is unknown, or ours and a plugin's too.
    """
    if not section.has("tables"):
        return ()
    names = section.some_of("tables", known())
    try:
        refuse_doubles(names)
    except FragmentError as error:
        raise SuiteError(f"{section.place}: key 'tables': {error}") from error
    return names


def refuse_doubles(names: Iterable[str]) -> None:
    """Raise ``FragmentError`` for a table that is ours and a plugin's too."""
    for name in {*names} & {*NAMES} & {*registry.names("table")}:
        owner = registry.home("table", name)
        raise FragmentError(
            f"table {name!r} is there 2 times: in {registry.OWN} itself and as "
            f"{shown(registry.locate('table', name))} ({owner.origin}); rename the latter, or "
            "leave its plugin out"
        )
