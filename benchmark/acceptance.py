"""Stale records that a user lets stand: listed in a file beside them, and told in the tables."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import UdabenchError, UsageError
from benchmark.records import write_atomically

if TYPE_CHECKING:
    from benchmark.plan import Plan

FILE = "accepted.json"
"""In a suite's result folder."""

ALL = "all"
"""The name that stands for every stale result."""


@dataclass(frozen=True)
class Acceptance:
    """A record, by its identity's id, that stands for a cell of another one, and why it is stale.

    It holds for exactly these two: a further change makes the cell stale again.
    """

    recorded: str
    current: str
    reason: str


def accepted(folder: Path) -> dict[str, Acceptance]:
    """The acceptances in a suite's result folder, by stem of the cell.

    Raises:
        UdabenchError: the file is there and cannot be read.
    """
    path = folder / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {stem: Acceptance(**entry) for stem, entry in document.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UdabenchError(
            f"{path}: not a list of accepted records ({error}); mend or delete it, stale cells "
            "can be accepted again"
        ) from error


def accept(plan: Plan, names: Collection[str]) -> int:
    """Accept the stale records of the cells called ``names``, or of ``all``; return how many.

    Raises:
        UsageError: a cell is unknown, or its record is not a stale result.
    """
    chosen = [e for e in plan.entries if e.state == "stale"] if ALL in names else []
    chosen += [plan.entry(name) for name in names if name != ALL]
    found = {}
    for entry in chosen:
        record, identity = entry.record, entry.identity
        if entry.accepted:
            continue
        if entry.state != "stale" or record is None or identity is None or record.failure:
            if ALL in names and entry.state == "stale":
                continue
            raise UsageError(
                f"{entry.cell.stem}: only a stale result can be accepted, this cell is "
                f"{entry.state}{' and failed' if entry.state == 'stale' else ''}"
            )
        found[entry.cell.stem] = Acceptance(record.identity.id, identity.id, entry.reason)
    if found:
        _add(plan.folder, found)
    return len(found)


def _add(folder: Path, cells: Mapping[str, Acceptance]) -> None:
    whole = {**accepted(folder), **cells}
    document = {stem: dataclasses.asdict(whole[stem]) for stem in sorted(whole)}
    write_atomically(folder / FILE, json.dumps(document, indent=1) + "\n")
