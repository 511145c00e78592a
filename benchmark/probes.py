"""Profiles as probes: what the JSON file of ``udabench profile`` says of cells that never ran."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import paths
from benchmark.errors import UsageError

_VERSION = 1


@dataclass(frozen=True)
class Probe:
    """The measured step of a method with an encoder: seconds, MiB and what was measured."""

    method: str
    encoder: str
    size: tuple[int, int]
    batch: int
    precision: str
    device: str
    seconds_per_iteration: float
    peak_memory_mib: float
    parameters: int

    def fits(self, config: Mapping[str, Any]) -> bool:
        """Whether a cell's configuration trains with the very step that was measured."""
        wrapper = config["optim_wrapper"]
        kind = wrapper.get("student", wrapper)["type"]
        return (
            tuple(config["model"]["data_preprocessor"]["size"]) == self.size
            and config["train_dataloader"]["batch_size"] == self.batch
            and (kind == "AutocastOptimWrapper") == (self.precision == "bf16")
        )


def read(path: Path) -> list[Probe]:
    """The measured rows of a profile.

    Raises:
        UsageError: the file is not the JSON file of a profile.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["profile"] != _VERSION:
            raise ValueError(f"version {document['profile']}, expected {_VERSION}")
        return [_probe(row) for row in document["rows"] if row["state"] == "done"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{paths.shown(path)}: no profile that tells costs ({error}); write one with "
            "'udabench profile --json FILE'"
        ) from error


def _probe(row: Mapping[str, Any]) -> Probe:
    height, width = row["size"]
    return Probe(
        method=row["method"],
        encoder=row["encoder"],
        size=(height, width),
        batch=row["batch"],
        precision=row["precision"],
        device=row["device"],
        seconds_per_iteration=float(row["seconds_per_iteration"]["median"]),
        peak_memory_mib=float(row["peak_memory_mib"]),
        parameters=int(row["parameters"]),
    )
