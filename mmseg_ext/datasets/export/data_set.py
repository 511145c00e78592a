"""Writing MiniDrive scenes as a data set: its names, its folders, its encoding."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.export.coco_panoptic import panoptic_file
from mmseg_ext.datasets.export.companions import KINDS
from mmseg_ext.datasets.export.description import Description, Part
from mmseg_ext.datasets.export.encoders import ENCODERS
from mmseg_ext.datasets.export.naming import chosen, filled
from mmseg_ext.datasets.export.png import picture
from mmseg_ext.datasets.export.scenes import Address, addresses, rendered
from mmseg_ext.datasets.export.store import Store
from mmseg_ext.datasets.minidrive import GENERATOR_VERSION

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Written:
    """An exported image: its path and its label's in the data set, and the scene it shows."""

    image: str
    label: str | None
    address: Address


def marker(name: str) -> str:
    """The file that says that a folder holds no real data but an export."""
    return f"minidrive-{name}.json"


def is_marker(name: str) -> bool:
    """Whether a file's name is that of such a file, of whatever data set."""
    return fnmatchcase(name, marker("*"))


def write_data_set(
    description: Description,
    parts: Sequence[Part],
    store: Store,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Written, ...]:
    """Write all parts of a data set; equal arguments give equal bytes.

    No scene is shown twice. A class that the data set cannot express becomes void.

    Raises:
        ValueError: the description does not fit together.
    """
    total = sum(part.images for part in parts)
    entries: dict[str, list[dict[str, Any]]] = {}
    listed: dict[str, list[str]] = {split: [] for split in description.layout.lists}
    written: list[Written] = []
    for part, place, number, values, address in _plan(description, parts):
        layout = description.layout
        image, raw = _scene(description, address, seed, turn=number)
        image_path = filled(layout.images, values)
        store.write(image_path, picture(image, image_path))
        label_path = None
        if layout.labels is not None and part.is_labelled(place):
            label_path = filled(layout.labels, values)
            segments = _write_label(description, store, label_path, raw)
            if layout.segments is not None:
                of_file = entries.setdefault(filled(layout.segments, values), [])
                of_file.append(_entry(image_path, label_path, image, segments))
        if layout.lists:
            listed[values["split"]].append(image_path)
        written.append(Written(image_path, label_path, address))
        if progress:
            progress(len(written), total)
    _write_rest(description, store, entries, listed)
    store.write(marker(description.name), _marked(description, written, seed))
    return tuple(written)


def _plan(
    description: Description, parts: Sequence[Part]
) -> Iterator[tuple[Part, int, int, dict[str, str], Address]]:
    """Every image: its part and place there, its number, its names and its scene."""
    scenes = {part.scenes: addresses(part.scenes) for part in parts}
    number = 0
    for part in parts:
        for place in range(part.images):
            values = chosen(description, part, number)
            while _stem(filled(description.layout.images, values)) in description.excluded:
                number += 1
                values = chosen(description, part, number)
            yield part, place, number, values, next(scenes[part.scenes])
            number += 1


def _scene(
    description: Description, address: Address, seed: int, turn: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A scene's image and its label in the data set's ids."""
    image, label = rendered(address, seed, description.size, description.label_size)
    return image, description.legend.ids.apply(label, turn)


def _write_label(
    description: Description, store: Store, path: str, raw: NDArray[np.uint8]
) -> Sequence[dict[str, Any]]:
    """Write a label and its companions; returns its segments."""
    encoded = ENCODERS[description.decoder](raw, description.legend)
    store.write(path, encoded.content)
    for companion in description.companions:
        if companion.old in path:
            beside = path.replace(companion.old, companion.new)
            store.write(beside, KINDS[companion.kind](raw, description.legend))
    return encoded.segments


def _entry(
    image_path: str, label_path: str, image: NDArray[np.uint8], segments: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """What the panoptic file says of a label."""
    return {
        "image_id": _stem(image_path),
        "image_name": image_path.rpartition("/")[2],
        "file_name": label_path.rpartition("/")[2],
        "size": {"width": image.shape[1], "height": image.shape[0]},
        "segments_info": list(segments),
    }


def _write_rest(
    description: Description,
    store: Store,
    entries: dict[str, list[dict[str, Any]]],
    listed: dict[str, list[str]],
) -> None:
    """The files that are not about one image."""
    ids = description.legend.ids
    categories = sorted({*ids.void, *(value for of_class in ids.of_class for value in of_class)})
    for path, of_file in entries.items():
        store.write(path, panoptic_file(of_file, categories))
    for split, paths in listed.items():
        path = description.layout.lists[split]
        store.write(path, "".join(f"{line}\n" for line in paths).encode())
    for path, text in description.texts.items():
        store.write(path, text.encode())


def _marked(description: Description, written: Sequence[Written], seed: int) -> bytes:
    return json.dumps(
        {
            "note": "Not the real data set: scenes of MiniDrive in its layout and encoding.",
            "data_set": description.name,
            "layout": description.layout.name,
            "generator": GENERATOR_VERSION,
            "seed": seed,
            "size": list(description.size),
            "scenes": {
                each.image: f"{each.address.domain}/{each.address.split}/{each.address.index}"
                for each in written
            },
        },
        indent=1,
    ).encode()


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]
