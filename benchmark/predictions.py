"""Predictions of a cell on every image of a domain, as files.

They follow the rules that the cell was scored by: image sizes, windows and batches. Labels are not
needed, so hidden test splits can be predicted and handed in to their servers.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import kept_weights, submission
from benchmark.errors import ExportError
from benchmark.paths import shown
from benchmark.plan import PlannedCell
from benchmark.records import write_atomically
from benchmark.submission import LABEL_IDS, LAYOUTS

if TYPE_CHECKING:
    from mmseg_ext.evaluation.label_maps import Student

MANIFEST = "export.json"
COLOURS = "colour"
ARCHIVE = "submission.zip"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Images:
    """What is predicted: the images of a split as MMSegmentation's data set, ``batch`` at a time.

    ``dataset_name`` is the data set whose files they are, ``None`` for generated ones.
    """

    domain: str
    split: str
    dataset: Any
    batch: int
    dataset_name: str | None = None

    @property
    def paths(self) -> list[str]:
        """The file of every image."""
        return [str(entry["img_path"]) for entry in self.dataset.data_list]


@dataclass(frozen=True)
class Exported:
    """What was written: ``made`` of ``images`` predictions are new, the others were there."""

    folder: Path
    images: int
    made: int
    layout: str
    archive: Path | None = None


def export(
    planned: PlannedCell,
    suite_folder: Path,
    images: Images,
    to: Path,
    *,
    layout: str | None = None,
    colour: bool = False,
    archive: bool = False,
    device: str | None = None,
    threads: int | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> Exported:
    """Write a label map for every image below ``to``; those that are there already are kept.

    Args:
        layout: one of ``submission.LAYOUTS``; by default that of the data set's server.
        colour: write the maps in colours too, for looking.
        archive: pack the maps as they are handed in.
        device, threads: see `kept_weights.student_of`.
        workers: processes that read images.

    Raises:
        UsageError: the cell is not done.
        KeptWeightsError: its weights are not here, or not those of the record.
        ExportError: the folder holds other predictions, or names do not fit the layout.
    """
    record = kept_weights.record_of(planned)
    layout = layout or submission.default_layout(images.dataset_name)
    names = submission.file_names(layout, images.paths)
    manifest = {
        "suite": record.suite,
        "cell": record.cell.stem,
        "identity": record.identity.id,
        "weights_sha256": record.diagnostics.get("weights_sha256"),
        "domain": images.domain,
        "split": images.split,
        "layout": layout,
        "ids": LAYOUTS[layout].ids,
        "images": len(names),
    }
    _refuse_others(to, manifest)
    folders = [to / LAYOUTS[layout].folder, *([to / COLOURS] if colour else [])]
    for folder in folders:
        for leftover in folder.glob(".*.tmp"):
            leftover.unlink(missing_ok=True)
    absent = {
        place
        for place, name in enumerate(names)
        if not all((folder / name).is_file() for folder in folders)
    }
    # Whole batches, as they were scored: the last bits of a sum may depend on its neighbours.
    batches = [
        batch for batch in _batches(len(names), images.batch) if not absent.isdisjoint(batch)
    ]
    if batches:
        student = kept_weights.student_of(planned, suite_folder, device, threads)
        write_atomically(to / MANIFEST, _text(manifest))
        _predict(student, images, batches, names, to, layout, colour, workers, progress)
    packed = _pack(to, layout, names) if archive else None
    return Exported(to, len(names), len(absent), layout, packed)


def _predict(
    student: Student,
    images: Images,
    batches: Sequence[Sequence[int]],
    names: Sequence[str],
    to: Path,
    layout: str,
    colour: bool,
    workers: int,
    progress: Progress | None,
) -> None:
    from mmseg_ext.evaluation.label_files import CITYSCAPES_IDS, colour_png, id_png
    from mmseg_ext.evaluation.label_maps import predicted

    chosen = LAYOUTS[layout]
    ids = CITYSCAPES_IDS if chosen.ids == LABEL_IDS else None
    total = sum(len(batch) for batch in batches)
    maps = predicted(student, images.dataset, batches, workers)
    for done, (place, train_ids, _) in enumerate(maps, start=1):
        write_atomically(to / chosen.folder / names[place], id_png(train_ids, ids))
        if colour:
            write_atomically(to / COLOURS / names[place], colour_png(train_ids))
        if progress is not None:
            progress(done, total)


def _batches(count: int, size: int) -> list[range]:
    return [range(first, min(first + size, count)) for first in range(0, count, size)]


def _refuse_others(to: Path, manifest: Mapping[str, Any]) -> None:
    """Raise for a folder that holds anything but these predictions."""
    path = to / MANIFEST
    if path.is_file():
        if path.read_text(encoding="utf-8") != _text(manifest):
            raise ExportError(
                f"{shown(path)}: the folder holds other predictions (of another cell, domain, "
                "split or layout); choose another folder with --to, or delete it"
            )
    elif to.is_dir() and any(to.iterdir()):
        raise ExportError(
            f"{shown(to)}: the folder is not empty and has no {MANIFEST}; choose a new one"
        )


def _text(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=1, sort_keys=True) + "\n"


def _pack(to: Path, layout: str, names: Sequence[str]) -> Path:
    """The archive that is handed in; equal predictions give equal bytes."""
    path = to / ARCHIVE
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    chosen = LAYOUTS[layout]
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as packed:
            for name in names:
                inner = f"{chosen.archived}/{name}" if chosen.archived else name
                entry = zipfile.ZipInfo(inner)  # dated 1980
                entry.external_attr = 0o644 << 16
                packed.writestr(entry, (to / chosen.folder / name).read_bytes())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
