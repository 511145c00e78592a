"""The weights that a done cell kept: found, compared with its record, and made a student again."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import artifacts, plugins
from benchmark.errors import KeptWeightsError, UsageError
from benchmark.identity import packages_of
from benchmark.paths import CellPaths, shown
from benchmark.plan import PlannedCell
from benchmark.records import Record
from benchmark.weights import recipe_of, with_weights

if TYPE_CHECKING:
    from mmseg_ext.evaluation.label_maps import Student

FILE = "weights.pth"
"""In the cell's folder."""


def record_of(planned: PlannedCell) -> Record:
    """The record of a cell whose kept weights may be used.

    Raises:
        UsageError: the cell is not done. Weights of a stale cell would be run by other rules than
            those of its scores.
    """
    if planned.state != "done" or planned.record is None:
        why = f": {planned.reason}" if planned.reason else ""
        raise UsageError(
            f"{planned.cell} is {planned.state}{why}; only a done cell has weights to predict with"
        )
    return planned.record


def student_of(
    planned: PlannedCell, folder: Path, device: str | None = None, threads: int | None = None
) -> Student:
    """The student of a done cell, with the weights that its record was scored with.

    Args:
        folder: the suite's result folder.
        device: ``cpu`` or ``cuda``; by default ``cuda`` if there is one.
        threads: arithmetic threads.

    Raises:
        UsageError: the cell is not done.
        KeptWeightsError: the file is not there, is damaged, or has other weights.
    """
    import mmseg_ext.registry  # noqa: F401  (mends mmcv and MMEngine before either is used)
    from mmseg_ext.errors import WeightsError
    from mmseg_ext.evaluation.trained_student import read_weights, trained_student

    plugins.load(packages_of(planned.config))
    record = record_of(planned)
    path = CellPaths(folder, planned.cell).folder / FILE
    if not path.is_file():
        raise KeptWeightsError(
            f"{shown(path)}: the cell's weights are not here; they stay where the cell was run, "
            "unless its suite says 'checkpoints: {keep: nothing}'. Copy them, or delete the record "
            "and run the cell again"
        )
    try:
        weights = read_weights(path)
        found = artifacts.digest(tensor.numpy() for tensor in weights.values())
        expected = record.diagnostics.get("weights_sha256")
        if found != expected:
            raise KeptWeightsError(
                f"{shown(path)}: the weights have digest {found[:12]}..., the record says "
                f"{str(expected)[:12]}...; they are of another run of the cell"
            )
        model = copy.deepcopy(planned.config["model"])
        for backbone in with_weights(model):
            del backbone["weights_of"]
            if recipe_of(backbone) is not None:
                backbone["pretrained"] = None
        return trained_student(model, _statistics(record), weights, device, threads)
    except WeightsError as error:
        raise KeptWeightsError(f"{shown(path)}: {str(error).removeprefix(f'{path}: ')}") from error


def _statistics(record: Record) -> Mapping[str, Any]:
    """Mean and standard deviation that images were normalised with; old records have none."""
    encoder = record.diagnostics.get("encoder", {})
    found: Mapping[str, Any] | None = encoder.get("image_statistics")
    if found is None:
        raise KeptWeightsError(
            f"{record.cell}: the record does not say how images were normalised; delete it to run "
            "the cell again"
        )
    return found
