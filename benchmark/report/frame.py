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

COORDINATES = ("suite", "method", "encoder", "shift", "seed", "state", "failure", "id", "note")
SCORES = ("domain", "role", "miou", "pixel_accuracy", "scored_classes", "images")
COSTS = tuple(field.name for field in dataclasses.fields(Cost))


def load_records(folder: Path | str) -> pandas.DataFrame:
    """Every record of the suite whose result folder is ``folder``: a row a cell and domain.

    Columns: ``suite``, ``method``, ``encoder``, ``shift``, ``seed``, ``state`` (``done`` or
    ``failed``, as recorded), ``failure`` (its kind), ``id`` (the identity), ``note`` (what to know
    of the training); ``domain``, ``role`` (source, target or unseen), ``miou`` and
    ``pixel_accuracy`` in percent, ``scored_classes``, ``images``; the fields of
    ``benchmark.records.Cost``, which describe the whole cell and repeat for each of its domains.

    Then, in the order of their names and empty where a record has none: ``iou.<class>`` in percent;
    ``group.<name>``, the mIoU of a group of images (ACDC's conditions) in percent; ``mean.<name>``,
    another mean in percent (that of all classes where ``miou`` is that of fewer); and
    ``final.<curve>``, the last value of a training curve (``final.loss``), again of the whole cell.

    A failed cell has one row without a domain. Rows are in the order of file names and domains.

    Example::

        frame = load_records("results/demo")
        unseen = frame[frame.role == "unseen"]
        unseen.groupby(["method", "encoder"]).miou.mean()

    Curves as a whole are in the records: ``benchmark.records.iterate_records``.

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
    further = sorted({name for row in rows for name in row} - set(leading))
    frame: pandas.DataFrame = pandas.DataFrame(rows, columns=[*leading, *further])
    return frame


def _rows(record: Record) -> Iterator[dict[str, Any]]:
    cell = dataclasses.asdict(record.cell) | {
        "suite": record.suite,
        "state": record.state,
        "failure": record.failure.kind if record.failure else None,
        "id": record.identity.id,
        "note": "; ".join(record.notes),
    }
    for name, curve in record.diagnostics.get("curves", {}).items():
        if name != "iteration" and curve:
            cell[f"final.{name}"] = curve[-1]
    if record.cost is not None:
        cell |= dataclasses.asdict(record.cost)
    if not record.metrics:
        yield cell
    for domain, metrics in sorted(record.metrics.items()):
        scores = {name: getattr(metrics, name) for name in SCORES if name != "domain"}
        classes = {f"iou.{name}": iou for name, iou in metrics.per_class_iou.items()}
        groups = {f"group.{name}": miou for name, miou in metrics.groups.items()}
        means = {f"mean.{name}": value for name, value in metrics.means.items()}
        yield cell | {"domain": domain} | scores | classes | groups | means
