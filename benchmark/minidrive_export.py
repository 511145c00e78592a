"""MiniDrive scenes written as any of the benchmark's data sets, from their fragments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import registry
from benchmark.domains import FILES, dataset_of
from benchmark.errors import FragmentError, UsageError
from benchmark.minidrive_parts import parts_of
from benchmark.minidrive_published import Package, package
from benchmark.registry import Fragment
from benchmark.staging import staged

if TYPE_CHECKING:
    from mmseg_ext.datasets.export import Description, Written

Size = tuple[int, int]
Progress = Callable[[int, int], None]
LEAST_PIXELS, MOST_PIXELS = 8, 8192


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: of the data set; its parent is a data root.
        images: every image with its label and its scene, paths as published, before archiving.
        lost: train ids of the classes that the data set's files cannot express; void there.
        size: width and height of the images.
    """

    dataset: str
    layout: str
    folder: Path
    images: tuple[Written, ...]
    lost: tuple[int, ...]
    size: Size


def export(
    name: str,
    out_root: Path,
    *,
    images: int = 4,
    size: Size | None = None,
    variant: str | None = None,
    archives: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Exported:
    """Write MiniDrive scenes as a data set below ``out_root``; it appears whole or not at all.

    Args:
        name: a data set, or a domain, whose part of its data set alone is written.
        images: of each split, and of each condition where domains tell them apart.
        size: width and height of the images, those published without it.
        variant: one of the data set's layouts, the first without it.
        archives: whether to write the archives in which the data set is published.

    Raises:
        UsageError: an unknown name, a size out of range, or a folder that holds other data.
        FragmentError: the data set's fragment does not fit together.
        UdabenchError: the files cannot be written.
    """
    dataset, domains = _found(name)
    published = package(dataset.name)
    description = _description(dataset, domains, published, _layout(dataset, variant), size)
    folder = out_root / str(dataset.values.get("folder", dataset.name))
    _refuse_other_data(folder, dataset)

    from mmseg_ext.datasets.export import Store, write_data_set

    parts = parts_of(dataset, domains, images, published.scenes)
    loose = {*published.texts, _marker(dataset)}
    with (
        staged(folder, dataset.name) as temporary,
        Store(temporary, _archive_rule(published, loose) if archives else None) as store,
    ):
        try:
            written = write_data_set(description, parts, store, seed, progress)
        except ValueError as error:
            raise FragmentError(f"{dataset.path}: cannot be exported: {error}") from error
    missing = description.legend.ids.missing
    layout = description.layout.name
    return Exported(dataset.name, layout, folder, written, missing, description.size)


def published_size(name: str) -> Size:
    """Width and height of a data set's images as published."""
    width, height = registry.find("dataset", name).values.get("sizes", (package(name).size,))[0]
    return width, height


def _found(name: str) -> tuple[Fragment, list[Fragment]]:
    """The data set and its domains, or the data set of a domain and that domain."""
    if name not in registry.names("dataset") and name in registry.names("domain"):
        domain = registry.find("domain", name)
        if domain.require("reader") == FILES:
            return dataset_of(domain), [domain]
    dataset = registry.find("dataset", name)
    of_it = [
        domain
        for domain in registry.sound("domain")
        if domain.values.get("reader") == FILES and domain.require("dataset") == name
    ]
    if not of_it:
        raise UsageError(f"no domain reads data set {name}; write one under configs/domains")
    return dataset, of_it


def _layout(dataset: Fragment, variant: str | None) -> dict[str, Any]:
    layouts: dict[str, dict[str, Any]] = {each["name"]: each for each in dataset.require("layouts")}
    if variant is None:
        return next(iter(layouts.values()))
    if variant not in layouts:
        raise UsageError(registry.unknown(f"layout of {dataset.name}", variant, layouts))
    return layouts[variant]


def _description(
    dataset: Fragment,
    domains: Sequence[Fragment],
    published: Package,
    layout: dict[str, Any],
    size: Size | None,
) -> Description:
    from mmseg_ext.datasets.export import Companion, Description, Legend, RawIds
    from mmseg_ext.datasets.layouts import Layout

    names = dataset.values.get("label_names", {})
    maps = dataset.require("label_maps")
    used = list(dict.fromkeys(domain.require("label_map") for domain in domains))
    # An id without a name cannot be written where ids are written by name.
    values = [v for v in dataset.require("values") if not names or v in names.values()]
    try:
        ids = RawIds.inverting([maps[each] for each in used], values)
    except (ValueError, KeyError) as error:
        raise FragmentError(f"{dataset.path}: label_maps cannot be inverted ({error})") from error
    image_size, label_size = _sizes(dataset, published, layout, size)
    return Description(
        dataset.name,
        Layout(**layout),
        dataset.require("decoder"),
        Legend(ids.without(dataset.values.get("absent", ())), names),
        image_size,
        label_size,
        dataset.values.get("placeholders", {}),
        published.names,
        frozenset(dataset.values.get("excluded", {})),
        [Companion(*each) for each in published.companions],
        published.texts,
    )


def _sizes(
    dataset: Fragment, published: Package, layout: dict[str, Any], size: Size | None
) -> tuple[Size, Size]:
    """Sizes of images and labels; labels are smaller where only images were scaled up."""
    official = published_size(dataset.name)
    upscaled = published.upscaled.get(layout["name"])
    image = size or upscaled or official
    if not all(LEAST_PIXELS <= side <= MOST_PIXELS for side in image):
        raise UsageError(
            f"a size of {image[0]}x{image[1]}; expected {LEAST_PIXELS} to {MOST_PIXELS} pixels each"
        )
    if upscaled is None:
        return image, image
    width, height = (
        max(1, round(side * small / large))
        for side, small, large in zip(image, official, upscaled, strict=True)
    )
    return image, (width, height)


def _marker(dataset: Fragment) -> str:
    from mmseg_ext.datasets.export import marker

    return marker(dataset.name)


def _archive_rule(published: Package, loose: set[str]) -> Callable[[str], tuple[str, str] | None]:
    return lambda path: None if path in loose else published.archive(path)


def _refuse_other_data(folder: Path, dataset: Fragment) -> None:
    """Real data is never touched; an export of another data set may share the folder."""
    if not folder.exists():
        return
    from mmseg_ext.datasets.export import is_marker

    markers = [path.name for path in folder.iterdir() if is_marker(path.name)]
    if not markers or _marker(dataset) in markers:
        raise UsageError(f"{folder}: is there already; delete it, or write into another folder")
