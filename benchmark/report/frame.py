"""Records as a pandas frame, for analyses that the tables do not make."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import RecordError
from benchmark.records import Cost, Record, iterate_records

if TYPE_CHECKING:
    import pandas

COORDINATES = ("suite", "method", "encoder", "shift", "seed", "state", "failure", "id")
SCORES = ("domain", "role", "miou", "pixel_accuracy", "scored_classes", "images")
COSTS = tuple(field.name for field in dataclasses.fields(Cost))


def load_records(folder: Path | str) -> pandas.DataFrame:
    """Every record of the suite whose result folder is ``folder``: a row a cell and domain.

    Columns: ``suite``, ``method``, ``encoder``, ``shift``, ``seed``, ``state`` (``done`` or
    ``failed``, as recorded), ``failure`` (its kind), ``id`` (the identity); ``domain``, ``role``
    (source, target or unseen), ``miou`` and ``pixel_accuracy`` in percent, ``scored_classes``,
    ``images``; the fields of ``benchmark.records.Cost``, which describe the whole cell and repeat
    for each of its domains; and ``iou.<class>`` in percent for every class that any record has. A
    failed cell has one row without a domain. Rows are in the order of file names, then of domains.

    Example::

        frame = load_records("results/demo")
        unseen = frame[frame.role == "unseen"]
        unseen.groupby(["method", "encoder"]).miou.mean()

    Raises:
        RecordError: ``folder`` has no records, or one of them cannot be read.
    """
    import pandas

    folder = Path(folder)
    if not (folder / "records").is_dir():
        raise RecordError(
            f"{folder}: there is no folder 'records' in it; expected the result folder of a suite "
            "such as results/demo"
        )
    rows = [row for record in iterate_records(folder) for row in _rows(record)]
    leading = [*COORDINATES, *SCORES, *COSTS]
    classes = sorted({name for row in rows for name in row} - set(leading))
    frame: pandas.DataFrame = pandas.DataFrame(rows, columns=[*leading, *classes])
    return frame


def _rows(record: Record) -> Iterator[dict[str, Any]]:
    cell = dataclasses.asdict(record.cell) | {
        "suite": record.suite,
        "state": record.state,
        "failure": record.failure.kind if record.failure else None,
        "id": record.identity.id,
    }
    if record.cost is not None:
        cell |= dataclasses.asdict(record.cost)
    if not record.metrics:
        yield cell
    for domain, metrics in sorted(record.metrics.items()):
        scores = {name: getattr(metrics, name) for name in SCORES if name != "domain"}
        classes = {f"iou.{name}": iou for name, iou in metrics.per_class_iou.items()}
        yield cell | {"domain": domain} | scores | classes
