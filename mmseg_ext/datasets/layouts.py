"""Finding a data set's images and labels below a folder, in whatever published layout they are.

A layout is a pair of patterns such as ``leftImg8bit/{split}/{city}/{frame}_leftImg8bit.png``. A
placeholder stands for one part of a name without slashes; placeholders of equal name must have
equal values in an image and its label. Anything may stand before a pattern: the folder that an
archive was unpacked into, the archive itself, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mmseg_ext.datasets.files import Listing, read_bytes
from mmseg_ext.datasets.patterns import (
    Found,
    Key,
    Values,
    matching,
    names,
    only,
    part,
    unique,
)
from mmseg_ext.errors import EmptyDomainError

__all__ = ["Layout", "Match", "Sample", "Values", "find", "match"]


@dataclass(frozen=True)
class Layout:
    """One way in which a data set lies on disk.

    Attributes:
        name: what users and reports call it, such as ``official``.
        images: pattern of the images.
        labels: pattern of the label files, or ``None``: this is how an unlabelled domain has none.
        segments: pattern of the COCO panoptic file that describes the segments of all labels.
        lists: for data sets whose splits are text files: the pattern of the file by the value of
            ``split``. A line is the end of an image's path.
    """

    name: str
    images: str
    labels: str | None = None
    segments: str | None = None
    lists: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """An image with its label, if it has one; paths relative to the data set's folder."""

    values: Mapping[str, str]
    image: str
    label: str | None


@dataclass(frozen=True)
class Match:
    """What a layout found.

    Attributes:
        samples: sorted by the image's file name, so that the order does not depend on the layout.
        unlabelled: images without a label, if labels were asked for; they are among the samples.
        orphans: labels without an image.
        duplicates: files that were passed over because another one has the same name and place in
            the data set, such as an unpacked archive beside the archive.
        segments: the panoptic file, where the layout has one.
        absent: what the lists of the splits name, but is not there.
    """

    layout: Layout
    samples: tuple[Sample, ...]
    unlabelled: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    segments: str | None = None
    absent: tuple[str, ...] = ()


def find(
    listing: Listing,
    layouts: Sequence[Layout],
    placeholders: Mapping[str, Values],
    where: Mapping[str, Values],
) -> Match:
    """The first of the layouts in which there are images, with labels if it asks for labels.

    Args:
        placeholders: what each placeholder may stand for; any name part where it is not given.
        where: what it may stand for here, a split or a condition for example.

    Raises:
        EmptyDomainError: none of them fits; the message shows the patterns and what was found.
    """
    matches = []
    for layout in layouts:
        found = match(listing, layout, placeholders, where)
        labelled = len(found.samples) - len(found.unlabelled)
        if found.samples and (layout.labels is None or labelled):
            return found
        matches.append(found)
    raise EmptyDomainError(_nothing(listing, layouts, where, matches))


def match(
    listing: Listing,
    layout: Layout,
    placeholders: Mapping[str, Values],
    where: Mapping[str, Values],
) -> Match:
    """What one layout finds; it may be nothing."""
    if not _can_select(layout, where):
        return Match(layout, ())
    allowed = {**placeholders, **where}
    images, passed_over = matching(listing, layout.images, allowed)
    absent: list[str] = []
    if layout.lists:
        images, absent = _listed(listing, layout, where, images)
    labels: dict[Key, str] = {}
    shared: tuple[str, ...] = ()
    if layout.labels is not None:
        shared = tuple(n for n in names(layout.images) if n in names(layout.labels))
        found, more = matching(listing, layout.labels, allowed)
        labels, ambiguous = unique(found, shared)
        images_by_key, twice = unique(images, shared)
        # Two images for one label, or the reverse: nothing says which of them it belongs to.
        passed_over += [*more, *ambiguous, *twice]
        kept = set(images_by_key.values())
        images = [(path, values) for path, values in images if path in kept]
    keys = [part(values, shared) for _, values in images]
    samples = [
        Sample(values, path, labels.get(key))
        for key, (path, values) in zip(keys, images, strict=True)
    ]
    samples.sort(key=lambda s: (s.image.rpartition("/")[2], sorted(s.values.items())))
    taken = set(keys)
    return Match(
        layout,
        tuple(samples),
        tuple(s.image for s in samples if s.label is None) if layout.labels else (),
        # With lists the labels of the other splits lie in the same folders.
        () if layout.lists else tuple(path for key, path in labels.items() if key not in taken),
        tuple(passed_over),
        only(listing, layout.segments, allowed),
        tuple(absent),
    )


def _can_select(layout: Layout, where: Mapping[str, Values]) -> bool:
    """Whether the layout's paths tell apart what is asked for, a flattened one may not."""
    told = {*names(layout.images), *(("split",) if layout.lists else ())}
    return set(where) <= told


def _listed(
    listing: Listing,
    layout: Layout,
    where: Mapping[str, Values],
    images: list[Found],
) -> tuple[list[Found], list[str]]:
    """The images that the lists of the wanted splits name, and the names without an image."""
    wanted = where.get("split", tuple(layout.lists))
    splits = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    lines: set[str] = set()
    absent: set[str] = set()
    for split in splits:
        path = only(listing, layout.lists.get(split), {})
        if path is None:
            absent.add(layout.lists.get(split, split))
            continue
        text = read_bytes(str(listing.root / path), "list").decode("utf-8-sig", "replace")
        lines |= {_named(line) for line in text.splitlines() if line.strip()}
    kept, seen = [], set[str]()
    for path, values in images:
        names = lines.intersection(_ends(path))
        if names:
            seen |= names
            kept.append((path, values))
    return kept, sorted(absent | (lines - seen))


def _named(line: str) -> str:
    return line.strip().replace("\\", "/").lstrip("./")


def _ends(path: str) -> list[str]:
    """Every part of a path that a list may name it by: ``c``, ``b/c``, ``a/b/c``."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _nothing(
    listing: Listing,
    layouts: Sequence[Layout],
    where: Mapping[str, Values],
    matches: Sequence[Match],
) -> str:
    """The message for a folder in which no layout was found."""
    condition = ", ".join(f"{name} = {value}" for name, value in where.items())
    shown = ", ".join(listing.files[:: max(1, len(listing.files) // 3)][:3]) or "nothing"
    tried = "; ".join(
        f"{layout.name}: {layout.images}" + (f" with {layout.labels}" if layout.labels else "")
        for layout in layouts
    )
    message = f"{listing.root}: no data here that fits a known layout ({tried})"
    message += f" where {condition}" if condition else ""
    message += f"; found {len(listing.files)} files, such as {shown}"
    images = next((m for m in matches if m.samples), None)
    if images is not None:
        message += f"; {len(images.samples)} images are there, but none of their labels"
    labels = max((len(m.orphans) for m in matches), default=0)
    if labels and images is None:
        message += f"; {labels} labels are there, but none of their images"
    blind = [layout.name for layout in layouts if not _can_select(layout, where)]
    if blind:
        message += f"; layout {', '.join(blind)} does not tell {' or '.join(where)} apart"
    absent = [name for m in matches for name in m.absent]
    if absent:
        message += f"; {len(absent)} files that the lists of the splits name are missing, such as "
        message += absent[0]
    if listing.damaged:
        message += f"; not whole: {', '.join(listing.damaged)}"
    if listing.sealed:
        message += f"; {', '.join(listing.sealed)} must be unpacked first"
    return message
