"""``polygon_json``: outlines with label names, painted in order (IDD, Cityscapes' annotations)."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.decoders import Context
from mmseg_ext.datasets.decoders import polygon_json as paint
from mmseg_ext.datasets.export.encoded import Encoded
from mmseg_ext.datasets.export.legend import Legend

_GROUP = 5  # every fifth object is called a group, where the data set has no such name of its own
Object = dict[str, Any]


def polygon_json(raw: NDArray[np.uint8], legend: Legend) -> Encoded:
    """A file of polygons that gives exactly these ids when it is painted.

    Every 4-connected area becomes its outer outline. Areas in a hole of another one are smaller
    and therefore painted later. The result is compared pixel by pixel; what Pillow paints
    differently is put right by single rows.

    Raises:
        ValueError: an id has no name, or the ids cannot be painted.
    """
    names = {value: name for name, value in reversed(list(legend.names.items())) if value >= 0}
    unnamed = sorted({*np.unique(raw).tolist()} - {*names})
    if unnamed:
        raise ValueError(f"ids {unnamed} have no label name")
    objects = [
        {"label": _called(names[value], place, legend), "polygon": outline}
        for place, (value, outline) in enumerate(_outlines(raw))
    ]
    painted = _painted(objects, raw, legend)
    if not np.array_equal(painted, raw):
        objects += [
            {"label": names[value], "polygon": row} for value, row in _rows(raw, painted != raw)
        ]
        if not np.array_equal(_painted(objects, raw, legend), raw):
            raise ValueError("this Pillow cannot paint polygons exactly")
    return Encoded(_file([*objects, *_unpainted(raw, names)], raw))


def _outlines(raw: NDArray[np.uint8]) -> list[tuple[int, list[list[int]]]]:
    """Id and outline of every 4-connected area, in the order of painting."""
    found = []
    for value in np.unique(raw).tolist():
        mask = (raw == value).astype(np.uint8)
        count, areas, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        for area in range(1, count):
            left, top, width, height, _ = (int(number) for number in boxes[area])
            window = areas[top : top + height, left : left + width] == area
            contours, _ = cv2.findContours(
                window.astype(np.uint8),
                cv2.RETR_EXTERNAL,
                cv2.CHAIN_APPROX_SIMPLE,
                offset=(left, top),
            )
            outline = contours[0][:, 0, :].tolist()
            # A polygon has three corners at least, also that of a pixel or of a straight line.
            outline += outline[:1] * (3 - len(outline))
            found.append((width * height, value, outline))
    found.sort(key=lambda each: -each[0])
    return [(value, outline) for _, value, outline in found]


def _rows(raw: NDArray[np.uint8], wrong: NDArray[np.bool_]) -> list[tuple[int, list[list[int]]]]:
    """Id and outline of every run of equal ids in a row, of the pixels that are wrong."""
    found = []
    for y in np.flatnonzero(wrong.any(axis=1)).tolist():
        columns = np.flatnonzero(wrong[y])
        ends = (np.diff(columns) != 1) | (np.diff(raw[y, columns].astype(int)) != 0)
        for run in np.split(columns, np.flatnonzero(ends) + 1):
            first, last = int(run[0]), int(run[-1])
            found.append((int(raw[y, first]), [[first, y], [last, y], [last, y], [first, y]]))
    return found


def _called(name: str, place: int, legend: Legend) -> str:
    group = f"{name}group"
    return group if place % _GROUP == 0 and group not in legend.names else name


def _painted(objects: list[Object], raw: NDArray[np.uint8], legend: Legend) -> NDArray[np.uint8]:
    context = Context("a file to be written", None, legend.names)
    return np.asarray(paint(_file(objects, raw), context), np.uint8)


def _unpainted(raw: NDArray[np.uint8], names: dict[int, str]) -> list[Object]:
    """Objects that such files hold too and that must not be painted: a deleted one, one of two
    points, one of an unknown name."""
    height, width = raw.shape
    all_of_it = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    name = next(iter(names.values()))
    return [
        {"label": name, "deleted": 1, "polygon": all_of_it},
        {"label": name, "polygon": all_of_it[:2]},
        {"label": "no label of this data set", "polygon": all_of_it},
    ]


def _file(objects: list[Object], raw: NDArray[np.uint8]) -> bytes:
    height, width = raw.shape
    numbered = [{"id": number, "deleted": 0, **each} for number, each in enumerate(objects)]
    document = {"imgHeight": height, "imgWidth": width, "objects": numbered}
    return json.dumps(document, separators=(",", ":")).encode()
