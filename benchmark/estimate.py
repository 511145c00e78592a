"""What the cells that are due would cost, from records of cells with the same method and encoder.

Hours of a cell are its training length times seconds per iteration, plus the evaluation, times the
devices it ran on. Where no record tells, a profile of the same step may: it knows nothing of the
evaluation. Nothing is guessed: without either the cost is unknown, and so is what a device costs in
relation to another one, which is why the devices are named.
"""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmark import probes, records
from benchmark.errors import RecordError
from benchmark.paths import CellPaths
from benchmark.plan import Plan, PlannedCell
from benchmark.probes import Probe
from benchmark.records import Record

WEIGHT_BYTES = 4
"""Of one parameter in the weights that a cell leaves behind."""

Key = tuple[str, str]
"""Method and encoder."""


@dataclass(frozen=True)
class GroupEstimate:
    """Cost of the due cells of one method and encoder.

    ``hours`` are device hours of all ``cells`` together and ``spread`` their standard deviation,
    ``None`` where fewer than two records tell; ``records`` is their number. ``peak_memory_mib`` is
    the largest ever seen, ``disk_mib`` what the cells leave behind (at least their weights).
    Everything is ``None`` without a record. ``probes`` is the number of profiles that stand in for
    records; the hours are those of training alone then.
    """

    method: str
    encoder: str
    cells: int
    records: int
    devices: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    hours: float | None = None
    spread: float | None = None
    peak_memory_mib: float | None = None
    disk_mib: float | None = None
    probes: int = 0


@dataclass(frozen=True)
class Estimate:
    """Cost of all due cells of a plan; the sums are over the ``cells`` less the ``unknown`` ones.

    The spread of a method and encoder applies to all its cells alike (it is the same code on the
    same machine), so it is added up within them, and between them as of independent quantities.
    ``spread`` is ``None`` where no group has one; groups without one add nothing to it.
    """

    groups: tuple[GroupEstimate, ...]
    cells: int
    unknown: int
    hours: float
    spread: float | None
    peak_memory_mib: float | None
    disk_mib: float
    price: float | None = None
    price_spread: float | None = None

    def document(self) -> dict[str, Any]:
        """The estimate as plain values."""
        return asdict(self)


def estimate(
    plan: Plan,
    due: Sequence[PlannedCell],
    price_per_hour: float | None = None,
    folders: Iterable[Path] = (),
) -> Estimate:
    """What running ``due``, cells of ``plan``, would cost.

    ``folders`` are further result folders whose suites may tell, such as that of a probe, or JSON
    files of ``udabench profile``. Broken records in other suites are ignored.

    Raises:
        UsageError: such a file is no profile.
    """
    wanted: dict[Key, list[PlannedCell]] = {}
    for entry in due:
        wanted.setdefault((entry.cell.method, entry.cell.encoder), []).append(entry)
    places = list(folders)
    profiles = [probe for path in places if path.is_file() for probe in probes.read(path)]
    known = _known(plan, wanted, [path for path in places if not path.is_file()])
    groups = tuple(
        _group(key, cells, known[key]) if known[key] else _probed(key, cells, profiles)
        for key, cells in wanted.items()
    )
    told = [group for group in groups if group.hours is not None]
    spreads = [group.spread for group in told if group.spread is not None]
    hours = sum(group.hours or 0.0 for group in told)
    spread = math.hypot(*spreads) if spreads else None
    peaks = [group.peak_memory_mib for group in told if group.peak_memory_mib is not None]
    rate = price_per_hour
    return Estimate(
        groups=groups,
        cells=len(due),
        unknown=sum(group.cells for group in groups if group.hours is None),
        hours=hours,
        spread=spread,
        peak_memory_mib=max(peaks, default=None),
        disk_mib=sum(group.disk_mib or 0.0 for group in told),
        price=None if rate is None else hours * rate,
        price_spread=None if rate is None or spread is None else spread * rate,
    )


Sample = tuple[Path, Record]
"""A suite's result folder and one of its records with a cost."""


def _known(
    plan: Plan, wanted: Mapping[Key, Any], folders: Iterable[Path]
) -> dict[Key, list[Sample]]:
    """Records with a cost: of this suite, and for what it has none of, of those beside it."""
    found: dict[Key, list[Sample]] = {key: [] for key in wanted}
    _add(found, plan.folder, (entry.record for entry in plan.entries if entry.record))
    lacking = {key for key in found if not found[key]}
    for out in dict.fromkeys([plan.folder.parent, *folders]):
        for folder in sorted(out.iterdir()) if lacking and out.is_dir() else ():
            if folder.absolute() != plan.folder.absolute():
                _add(found, folder, _readable(folder, lacking))
    return found


def _readable(folder: Path, keys: Iterable[Key]) -> Iterator[Record]:
    for method, encoder in sorted(keys):
        for path in sorted((folder / "records").glob(f"{method}__{encoder}__*.json")):
            try:
                yield records.read_record(path)
            except RecordError:
                continue


def _add(found: Mapping[Key, list[Sample]], folder: Path, known: Iterable[Record]) -> None:
    for record in known:
        samples = found.get((record.cell.method, record.cell.encoder))
        if samples is not None and record.cost is not None:
            samples.append((folder, record))


def _group(key: Key, cells: Sequence[PlannedCell], samples: Sequence[Sample]) -> GroupEstimate:
    each = [[_hours(entry, record) for _, record in samples] for entry in cells]
    costs = [record.cost for _, record in samples if record.cost is not None]
    # One record speaks of all cells, so a high one makes all of them high.
    totals = [sum(column) for column in zip(*each, strict=True)]
    devices = {d for _, record in samples for d in record.provenance.get("devices", ())}
    return GroupEstimate(
        *key,
        cells=len(cells),
        records=len(samples),
        devices=tuple(sorted(devices)),
        suites=tuple(sorted({record.suite for _, record in samples})),
        hours=statistics.fmean(totals),
        spread=statistics.stdev(totals) if len(totals) > 1 else None,
        peak_memory_mib=max(cost.peak_memory_mib for cost in costs),
        disk_mib=len(cells) * max(_disk_mib(folder, record) for folder, record in samples),
    )


def _probed(key: Key, cells: Sequence[PlannedCell], profiles: Iterable[Probe]) -> GroupEstimate:
    """What profiles say of the training of all ``cells``; nothing, if none fits them all."""
    fitting = [
        probe
        for probe in profiles
        if (probe.method, probe.encoder) == key and all(probe.fits(each.config) for each in cells)
    ]
    if not fitting:
        return GroupEstimate(*key, cells=len(cells), records=0)
    steps = sum(entry.config["train_cfg"]["max_iters"] for entry in cells)
    totals = [steps * probe.seconds_per_iteration / 3600.0 for probe in fitting]
    return GroupEstimate(
        *key,
        cells=len(cells),
        records=0,
        devices=tuple(sorted({probe.device for probe in fitting})),
        hours=statistics.fmean(totals),
        spread=statistics.stdev(totals) if len(totals) > 1 else None,
        peak_memory_mib=max(probe.peak_memory_mib for probe in fitting),
        disk_mib=len(cells) * WEIGHT_BYTES * max(probe.parameters for probe in fitting) / 2**20,
        probes=len(fitting),
    )


def _hours(entry: PlannedCell, record: Record) -> float:
    """Device hours of a cell at the speed of a record."""
    cost = record.cost
    assert cost is not None, "only records with a cost are asked"
    elapsed = cost.train_seconds + cost.evaluation_seconds
    devices = cost.device_hours * 3600.0 / elapsed if elapsed > 0 else 1.0
    length = entry.config.get("train_cfg", {}).get("max_iters", 0)
    return devices * (length * cost.seconds_per_iteration + cost.evaluation_seconds) / 3600.0


def _disk_mib(folder: Path, record: Record) -> float:
    """What a cell left in its folder, at least the weights it must have left."""
    assert record.cost is not None, "only records with a cost are asked"
    left = 0
    with contextlib.suppress(OSError):  # records are shared without what lies beside them
        left = sum(p.stat().st_size for p in CellPaths(folder, record.cell).folder.iterdir())
    return max(left, WEIGHT_BYTES * record.cost.parameters) / 2**20
