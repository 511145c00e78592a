"""Class statistics from the files of other projects, so that nobody need count a second time.

Understood, by what is in the file and not by its name:

* ``sample_class_stats.json`` of lhoyer/DAFormer (tools/convert_datasets/*.py): a list of objects
  ``{"<train id>": pixels, ..., "file": "<path of a label map>"}``;
* ``sample_class_stats_dict.json``: the same objects keyed by the path;
* ``samples_with_class.json``: ``{"<train id>": [[path, pixels], ...]}``;
* the list of tue-mps/vfm-uda-plusplus, where ``"file"`` is the position in the sorted data set.

Absent classes have no pixels. Paths are compared by their endings, because the folders above differ
between machines, and without the suffixes that converters add to a label's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmseg.datasets import BaseSegDataset
from numpy.typing import NDArray

from mmseg_ext.datasets.class_statistics import (
    count_label,
    label_paths,
    read_label,
    relative_names,
)
from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL
from mmseg_ext.errors import StatisticsError

_CONVERTED = re.compile(r"(_gtFine|_gt)?(_labelTrainIds|_labelIds|_trainIds)?\.[A-Za-z]+$")


def import_statistics(path: Path, dataset: BaseSegDataset) -> NDArray[np.int64]:
    """Pixels of each class in each label map of a data set, (N,19), as a file says.

    Three label maps are counted and compared, which reveals a file of another label table or
    another order.

    Raises:
        StatisticsError: the file is in none of the formats, lacks one of the data set's label maps,
            names two that cannot be told apart, or disagrees with a label map.
    """
    counts = _read(path)
    names = relative_names(label_paths(dataset))
    pixels_nc = np.zeros((len(names), len(CLASSES)), np.int64)
    if all(isinstance(file, int) for file in counts):
        rows = _by_position(path, counts, names)
    else:
        rows = _by_name(path, counts, names)
    for index, row in enumerate(rows):
        for train_id, pixels in row.items():
            pixels_nc[index, train_id] = pixels
    for index in sorted({0, len(names) // 2, len(names) - 1}):
        counted = count_label(read_label(dataset, index))
        if not np.array_equal(counted, pixels_nc[index]):
            differing = CLASSES[int(np.flatnonzero(counted != pixels_nc[index])[0])]
            raise StatisticsError(
                f"{path}: disagrees with label map {names[index]} about {differing}; these "
                "statistics belong to other labels, leave the file out and they are counted"
            )
    return pixels_nc


_Row = dict[int, int]


def _read(path: Path) -> dict[str | int, _Row]:
    """Rows by file, from any of the formats."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows: dict[str | int, _Row] = {}
        for file, train_id, pixels in _entries(content):
            row = rows.setdefault(file, {})
            if train_id != IGNORE_LABEL:
                row[train_id] = pixels
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StatisticsError(
            f"{path}: not class statistics of DAFormer or VFM-UDA++ "
            f"({type(error).__name__}: {error})"
        ) from error
    known = set(range(len(CLASSES)))
    unknown = sorted({c for row in rows.values() for c in row} - known)
    if unknown or not rows:
        raise StatisticsError(
            f"{path}: " + (f"classes {unknown} are not train ids" if unknown else "is empty")
        )
    return rows


def _entries(content: Any) -> Iterator[tuple[str | int, int, int]]:
    """(file, train id, pixels) for every pair that the file names; ignore stands for no pixels."""
    if isinstance(content, list):
        content = {row["file"]: row for row in content}
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield key, IGNORE_LABEL, 0
            for name, pixels in value.items():
                if name != "file":
                    yield key, int(name), int(pixels)
        else:
            for file, pixels in value:
                yield file, int(key), int(pixels)


def _by_position(path: Path, rows: Mapping[Any, _Row], names: list[str]) -> list[_Row]:
    if set(rows) != set(range(len(names))):
        raise StatisticsError(
            f"{path}: describes {len(rows)} label maps by their position, but the data set has "
            f"{len(names)}; such a file fits only the whole data set it was made from"
        )
    # The position is that in the sorted archive, whatever the order of the data set.
    order = sorted(range(len(names)), key=names.__getitem__)
    found: list[_Row] = [{} for _ in names]
    for position, index in enumerate(order):
        found[index] = rows[position]
    return found


def _by_name(path: Path, rows: Mapping[Any, _Row], names: list[str]) -> list[_Row]:
    """Rows in the order of ``names``, matched by as few trailing folders as tell them apart."""
    theirs = {str(file): _parts(str(file)) for file in rows}
    ours = [_parts(name) for name in names]
    for length in range(1, max(map(len, ours)) + 1):
        ends: dict[tuple[str, ...], list[str]] = {}
        for file, parts in theirs.items():
            ends.setdefault(parts[-length:], []).append(file)
        wanted = [parts[-length:] for parts in ours]
        if len(set(wanted)) == len(wanted) and all(len(ends.get(end, [""])) == 1 for end in wanted):
            missing = [n for n, end in zip(names, wanted, strict=True) if end not in ends]
            if missing:
                raise StatisticsError(
                    f"{path}: has no entry for {len(missing)} of {len(names)} label maps, "
                    f"such as {missing[0]}; leave the file out and they are counted"
                )
            return [rows[ends[end][0]] for end in wanted]
    raise StatisticsError(
        f"{path}: its entries or the label maps of the data set have equal names and cannot be "
        "told apart; leave the file out and they are counted"
    )


def _parts(file: str) -> tuple[str, ...]:
    *folders, name = file.replace("\\", "/").split("/")
    return (*folders, _CONVERTED.sub("", name))
