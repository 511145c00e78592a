"""Why a record no longer answers its cell's question."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.records import Identity

SHOWN = 3
"""Names that a reason lists before it counts."""


def reasons(recorded: Identity, current: Identity) -> list[str]:
    """What differs between a record's identity and the cell's, in words; empty if nothing does."""
    if recorded.id == current.id:
        return []
    if recorded.version != current.version:
        return ["identity version changed"]
    found = []
    if recorded.config != current.config:
        found.append("training or evaluation configuration changed")
    if recorded.source != current.source:
        changed = _differing(recorded.modules, current.modules, both=True)
        # Another configuration uses other files; that is no further reason.
        if changed or recorded.config == current.config:
            found.append(_source(changed, recorded.modules, current.modules))
    if recorded.data != current.data:
        names = _differing(recorded.domains, current.domains)
        found.append(f"data of {_listed(names, 'domains')} changed" if names else "data changed")
    if recorded.metric != current.metric:
        found.append("metric changed")
    return found or ["identity changed"]


def _source(changed: list[str], recorded: Mapping[str, str], current: Mapping[str, str]) -> str:
    if changed:
        return f"{_listed(changed, 'files')} changed"
    if set(recorded) != set(current):
        moved = sorted({*recorded} ^ {*current})
        verb = "are" if len(moved) > 1 else "is"
        return f"{_listed(moved, 'files')} {verb} newly used or no longer used"
    return "training procedure changed"


def _differing(
    old: Mapping[str, str | None], new: Mapping[str, str | None], *, both: bool = False
) -> list[str]:
    names = {*old} & {*new} if both else {*old} | {*new}
    return sorted(name for name in names if old.get(name) != new.get(name))


def _listed(names: list[str], what: str) -> str:
    if len(names) <= SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more {what}"
