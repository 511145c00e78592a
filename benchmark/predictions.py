"""Predictions of a cell on every image of a domain, as files.

They follow the rules that the cell was scored by: image sizes, windows and batches. Labels are not
needed, so hidden test splits can be predicted and handed in to their servers.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import kept_weights, submission
from benchmark.errors import ExportError
from benchmark.paths import shown
from benchmark.plan import PlannedCell
from benchmark.records import Record, write_atomically
from benchmark.submission import LABEL_IDS, LAYOUTS, SubmissionLayout

if TYPE_CHECKING:
    from mmseg_ext.evaluation.label_maps import LabelMap, Student

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

    @property
    def groups(self) -> Sequence[str | None]:
        """The group of every image; empty where the data set knows none."""
        return getattr(self.dataset, "groups", ())


@dataclass(frozen=True)
class Wanted:
    """What is written below the folder ``to``: label maps in a layout of `submission.LAYOUTS`.

    With ``colour`` they are written in colours too, with ``archive`` packed as they are handed in.
    Without ``layout`` it is that of the data set's own server.
    """

    to: Path
    layout: str | None = None
    colour: bool = False
    archive: bool = False


@dataclass(frozen=True)
class Machine:
    """Device (see `kept_weights.student_of`), arithmetic threads and processes that read images."""

    device: str | None = None
    threads: int | None = None
    workers: int = 0


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
    wanted: Wanted,
    machine: Machine,
    progress: Progress | None = None,
) -> Exported:
    """Write a label map for every image; those that are there already are kept.

    Raises:
        UsageError: the cell is not done.
        KeptWeightsError: its weights are not here, or not those of the record.
        ExportError: the folder holds other predictions, or names do not fit the layout.
    """
    record = kept_weights.record_of(planned)
    layout = wanted.layout or submission.default_layout(images.dataset_name)
    names = submission.file_names(layout, images.paths, images.groups)
    manifest = _manifest(record, images, layout)
    _refuse_others(wanted.to, manifest)
    folders = [wanted.to / LAYOUTS[layout].folder]
    folders += [wanted.to / COLOURS] if wanted.colour else []
    absent = _absent(folders, names)
    # Whole batches, as they were scored: the last bits of a sum may depend on its neighbours.
    batches = [
        batch for batch in _batches(len(names), images.batch) if not absent.isdisjoint(batch)
    ]
    if batches:
        student = kept_weights.student_of(planned, suite_folder, machine.device, machine.threads)
        write_atomically(wanted.to / MANIFEST, manifest)
        maps = _maps(student, images, batches, machine.workers, progress)
        _write(maps, names, LAYOUTS[layout], folders)
    packed = _pack(wanted.to, layout, names) if wanted.archive else None
    return Exported(wanted.to, len(names), len(absent), layout, packed)


def _absent(folders: Sequence[Path], names: Sequence[str]) -> set[int]:
    """Places of the images of which a file is missing; what was half written is removed."""
    for folder in folders:
        for leftover in folder.glob(".*.tmp"):
            leftover.unlink(missing_ok=True)
    return {
        place
        for place, name in enumerate(names)
        if not all((folder / name).is_file() for folder in folders)
    }


def _maps(
    student: Student,
    images: Images,
    batches: Sequence[Sequence[int]],
    workers: int,
    progress: Progress | None,
) -> Iterator[tuple[int, LabelMap]]:
    """Place and train ids of each image, one after the other."""
    from mmseg_ext.evaluation.label_maps import predicted

    total = sum(len(batch) for batch in batches)
    found = predicted(student, images.dataset, batches, workers)
    for done, (place, train_ids, _) in enumerate(found, start=1):
        yield place, train_ids
        if progress is not None:
            progress(done, total)


def _write(
    maps: Iterable[tuple[int, LabelMap]],
    names: Sequence[str],
    layout: SubmissionLayout,
    folders: Sequence[Path],
) -> None:
    """Write each label map into the first folder, and in colours into the second, if it is one."""
    from mmseg_ext.evaluation.label_files import CITYSCAPES_IDS, colour_png, id_png

    ids = CITYSCAPES_IDS if layout.ids == LABEL_IDS else None
    for place, train_ids in maps:
        write_atomically(folders[0] / names[place], id_png(train_ids, ids))
        for folder in folders[1:]:
            write_atomically(folder / names[place], colour_png(train_ids))


def _batches(count: int, size: int) -> list[range]:
    return [range(first, min(first + size, count)) for first in range(0, count, size)]


def _manifest(record: Record, images: Images, layout: str) -> str:
    """Whose predictions these are, as JSON text."""
    content = {
        "suite": record.suite,
        "cell": record.cell.stem,
        "identity": record.identity.id,
        "weights_sha256": record.diagnostics.get("weights_sha256"),
        "domain": images.domain,
        "split": images.split,
        "layout": layout,
        "ids": LAYOUTS[layout].ids,
        "images": len(images.paths),
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _refuse_others(to: Path, manifest: str) -> None:
    """Raise for a folder that holds anything but these predictions."""
    path = to / MANIFEST
    if path.is_file():
        if path.read_text(encoding="utf-8") != manifest:
            raise ExportError(
                f"{shown(path)}: the folder holds other predictions (of another cell, domain, "
                "split or layout); choose another folder with --to, or delete it"
            )
    elif to.is_dir() and any(to.iterdir()):
        raise ExportError(
            f"{shown(to)}: the folder is not empty and has no {MANIFEST}; choose a new one"
        )


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
