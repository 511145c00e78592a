"""Examples: what cells predict on a few fixed images of every domain, kept for the report.

They lie below the suite's result folder, the images and labels once and a prediction a cell:

    examples/<domain>/<image>/{image.jpg,truth.png,<cell>.png}
    examples/<cell>.json

The pictures of labels are indexed PNGs (train ids, 255 is void). The last file says which record
the predictions belong to, so that those of a cell that has become stale are not shown. Pictures of
downloaded data sets are made on the user's machine; most of those may not be passed on.
"""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import ranks
from benchmark.cell import Cell
from benchmark.plan import PlannedCell
from benchmark.records import write_atomically
from benchmark.suite import Suite

if TYPE_CHECKING:
    from mmseg_ext.evaluation.label_maps import Student

FOLDER = "examples"
IMAGE, TRUTH = "image.jpg", "truth.png"
COUNT = 2
"""Images of a domain."""
WIDEST = 512
"""Pixels; larger pictures are scaled down."""


@dataclass(frozen=True)
class Example:
    """One prediction of a cell on disk; ``folder`` has the image and the ground truth too."""

    domain: str
    image_id: str
    folder: Path
    png: bytes


def are_wanted(cell: Cell, suite: Suite) -> bool:
    """Whether examples of a cell are kept: only those of the suite's first seed."""
    return cell.seed == min(suite.seeds)


def places(images: int, count: int = COUNT) -> list[int]:
    """Evenly spaced places in a data set of so many images, the same for every cell."""
    count = min(count, images)
    return [(2 * index + 1) * images // (2 * count) for index in range(count)]


def write_or_tell(
    planned: PlannedCell, suite: Suite, suite_folder: Path, method: Any, test_loop: Any
) -> None:
    """Write the examples of a cell that has just been scored, if they are wanted.

    The scores are there: whatever goes wrong is only told, in the cell's log.
    """
    if ranks.rank() != 0 or not are_wanted(planned.cell, suite):
        return
    try:
        from mmseg_ext.evaluation.label_maps import Student

        datasets = {name: loader.dataset for name, loader in test_loop.dataloaders.items()}
        write(suite_folder, planned, Student.of(method), datasets)
    except Exception:
        with suppress(OSError):  # the log may lie on the disk that is full
            print("examples for the report could not be written; the cell's scores stand:")
            traceback.print_exc()


def write(
    suite_folder: Path, planned: PlannedCell, student: Student, datasets: Mapping[str, Any]
) -> int:
    """Write the examples of a cell and return their number.

    Args:
        datasets: the scored, labelled data set of each domain.
    """
    from mmseg_ext.evaluation import example_files
    from mmseg_ext.evaluation.label_maps import predicted

    assert planned.identity is not None, "an excluded cell predicts nothing"
    root = suite_folder / FOLDER
    digests: dict[str, str] = {}
    for domain, dataset in datasets.items():
        chosen = places(len(dataset))
        for place, train_ids, sample in predicted(student, dataset, [[each] for each in chosen]):
            name = Path(dataset.data_list[place]["img_path"]).stem
            if f"{domain}/{name}" in digests:  # of another folder of the data set
                name = f"{name}-{place}"
            folder = root / domain / name
            _keep(folder / IMAGE, example_files.picture(sample, WIDEST))
            _keep(folder / TRUTH, example_files.truth(sample, WIDEST))
            png = example_files.prediction(train_ids, WIDEST)
            _keep(folder / f"{planned.cell.stem}.png", png)
            digests[f"{domain}/{name}"] = hashlib.sha256(png).hexdigest()
    manifest = {
        "cell": planned.cell.stem,
        "identity": _identity(planned),
        "predictions": digests,
    }
    path = _manifest(root, planned.cell)
    _keep(path, (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode())
    return len(digests)


def read(suite_folder: Path, cell: Cell, identity: str) -> list[Example]:
    """The examples of the cell's record with this identity, as far as they are whole."""
    root = suite_folder / FOLDER
    try:
        manifest = json.loads(_manifest(root, cell).read_text(encoding="utf-8"))
        listed = dict(manifest["predictions"]) if manifest["identity"] == identity else {}
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return list(_read(root, cell, listed))


def copy(source: Path, target: Path, cell: Cell, identity: str) -> None:
    """Copy a record's examples from one suite's result folder to another's, if there are any."""
    found = read(source, cell, identity)
    for each in found:
        folder = target / FOLDER / each.domain / each.image_id
        for name in (IMAGE, TRUTH):
            _keep(folder / name, (each.folder / name).read_bytes())
        _keep(folder / f"{cell.stem}.png", each.png)
    if found:
        path = _manifest(target / FOLDER, cell)
        _keep(path, _manifest(source / FOLDER, cell).read_bytes())


def are_there(suite_folder: Path, planned: PlannedCell) -> bool:
    """Whether the examples of a done cell are on disk already, with images and labels."""
    domains = set(planned.config["test_dataloader"])
    found = read(suite_folder, planned.cell, _identity(planned))
    return {each.domain for each in found} == domains


def _read(root: Path, cell: Cell, listed: Mapping[str, str]) -> Iterator[Example]:
    for name, digest in sorted(listed.items()):
        folder = root / name
        try:
            png = (folder / f"{cell.stem}.png").read_bytes()
        except OSError:
            continue
        whole = all((folder / each).is_file() for each in (IMAGE, TRUTH))
        if whole and hashlib.sha256(png).hexdigest() == digest:
            domain, _, image = name.rpartition("/")
            yield Example(domain, image, folder, png)


def _identity(planned: PlannedCell) -> str:
    """That of the record, which an accepted stale cell keeps; a worker has none yet."""
    known = planned.record.identity if planned.state == "done" and planned.record else None
    return (known or planned.identity).id  # type: ignore[union-attr]


def _manifest(root: Path, cell: Cell) -> Path:
    return root / f"{cell.stem}.json"


def _keep(path: Path, content: bytes) -> None:
    """Write a file unless it holds this already: cells at work side by side share them."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    write_atomically(path, content)
