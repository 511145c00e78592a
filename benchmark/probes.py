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
FOLDER = "profiles"
"""Where a suite's report looks for profiles, below its results."""


@dataclass(frozen=True)
class Probe:
    """The measured step of a method with an encoder: seconds, MiB and what was measured.

    ``gmacs_forward`` (one crop, encoder and decoder) and ``gmacs_step`` (an iteration) are ``None``
    where they were not counted; ``machine`` is what it was measured on, in words.
    """

    method: str
    encoder: str
    size: tuple[int, int]
    batch: int
    precision: str
    device: str
    seconds_per_iteration: float
    peak_memory_mib: float
    parameters: int
    gmacs_forward: float | None = None
    gmacs_step: float | None = None
    machine: str = ""

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
        machine = document.get("machine", {})
        return [_probe(row, machine) for row in document["rows"] if row["state"] == "done"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{paths.shown(path)}: no profile that tells costs ({error}); write one with "
            "'udabench profile --json FILE'"
        ) from error


def beside_records(folder: Path) -> tuple[Probe, ...]:
    """The measured rows of every profile in ``profiles`` below a suite's results.

    Raises:
        UsageError: as `read`.
    """
    files = sorted((folder / FOLDER).glob("*.json"))
    return tuple(probe for path in files for probe in read(path))


def _probe(row: Mapping[str, Any], machine: Mapping[str, Any]) -> Probe:
    height, width = row["size"]
    threads = row.get("threads")
    cores = f" with {threads} thread{'' if threads == 1 else 's'}" if threads else ""
    on_processor = f"{machine.get('processor') or 'an unknown processor'}{cores}"
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
        gmacs_forward=row.get("gmacs_forward"),
        gmacs_step=row.get("gmacs_step"),
        machine=on_processor if row["device"] == "cpu" else str(row["device"]),
    )
