"""Finding a data set's images and labels below a folder, in whatever published layout they are.

A layout is a pair of patterns such as ``leftImg8bit/{split}/{city}/{frame}_leftImg8bit.png``. A
placeholder stands for one part of a name without slashes; placeholders of equal name must have
equal values in an image and its label. Anything may stand before a pattern: the folder that an
archive was unpacked into, the archive itself, or nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmseg_ext.datasets.files import Listing, read_bytes, status
from mmseg_ext.errors import EmptyDomainError, UnreadableFileError

Values = str | Sequence[str]
"""A regular expression, or the allowed values."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


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
    """

    layout: Layout
    samples: tuple[Sample, ...]
    unlabelled: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    segments: str | None = None


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
    matches = [match(listing, layout, placeholders, where) for layout in layouts]
    for found in matches:
        labelled = len(found.samples) - len(found.unlabelled)
        if found.samples and (found.layout.labels is None or labelled):
            return found
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
    images, passed_over = _matching(listing, layout.images, allowed)
    if layout.lists:
        images = _listed(listing, layout, where, images)
    labels: dict[tuple[tuple[str, str], ...], tuple[str, Mapping[str, str]]] = {}
    shared: tuple[str, ...] = ()
    if layout.labels is not None:
        found, more = _matching(listing, layout.labels, allowed)
        passed_over += more
        shared = tuple(n for n in _names(layout.images) if n in _names(layout.labels))
        labels = {_part(values, shared): (path, values) for path, values in found}
    samples, taken = [], set()
    for path, values in images:
        key = _part(values, shared)
        label = labels.get(key)
        taken.add(key)
        samples.append(Sample(values, path, label[0] if label else None))
    samples.sort(key=lambda s: (s.image.rpartition("/")[2], sorted(s.values.items())))
    return Match(
        layout,
        tuple(samples),
        tuple(s.image for s in samples if s.label is None) if layout.labels else (),
        # With lists the labels of the other splits lie in the same folders.
        () if layout.lists else tuple(labels[key][0] for key in labels if key not in taken),
        tuple(passed_over),
        _only(listing, layout.segments, allowed),
    )


def fingerprint(listing: Listing, found: Match) -> str:
    """Digest of the files' names and sizes, the same wherever and however they are stored.

    The names are what the placeholders stand for, so that neither the folder above nor an archive
    matters. Reading every byte would take hours; a changed file of the same size goes unnoticed.
    """
    entries = []
    for sample in found.samples:
        paths = [path for path in (sample.image, sample.label) if path is not None]
        sizes = [status(str(listing.root / path)).size for path in paths]
        names = [path.rpartition("/")[2] for path in paths]
        entries.append([names, sizes])
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()[:16]


def segments_of(listing: Listing, found: Match) -> dict[str, dict[int, int]]:
    """Category of every segment id, by file name of the label, from a COCO panoptic file.

    Raises:
        UnreadableFileError: the file is missing or is no such file.
    """
    if found.segments is None:
        raise UnreadableFileError(
            f"{listing.root}: {found.layout.segments} is missing; it says what the segments of "
            "the label files are, and comes in the same archive"
        )
    path = str(listing.root / found.segments)
    try:
        document: Any = json.loads(read_bytes(path))
        return {
            entry["file_name"]: {
                int(segment["id"]): int(segment["category_id"])
                for segment in entry["segments_info"]
            }
            for entry in document["annotations"]
        }
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableFileError(
            f"{path}: not a COCO panoptic file ({type(error).__name__}: {error})"
        ) from error


def _can_select(layout: Layout, where: Mapping[str, Values]) -> bool:
    """Whether the layout's paths tell apart what is asked for, a flattened one may not."""
    told = {*_names(layout.images), *(("split",) if layout.lists else ())}
    return set(where) <= told


def _names(pattern: str) -> list[str]:
    return list(dict.fromkeys(_PLACEHOLDER.findall(pattern)))


def _compiled(pattern: str, allowed: Mapping[str, Values]) -> re.Pattern[str]:
    parts, seen = ["(?:.*/)?"], set()
    for index, part in enumerate(_PLACEHOLDER.split(pattern)):
        if index % 2 == 0:
            parts.append(re.escape(part))
        elif part in seen:
            parts.append(f"(?P={part})")
        else:
            seen.add(part)
            values = allowed.get(part, "[^/]+?")
            if not isinstance(values, str):
                values = "|".join(re.escape(value) for value in values)
            parts.append(f"(?P<{part}>{values})")
    return re.compile("".join(parts))


def _matching(
    listing: Listing, pattern: str, allowed: Mapping[str, Values]
) -> tuple[list[tuple[str, Mapping[str, str]]], list[str]]:
    """Paths that a pattern fits with their values, and those that say the same once more."""
    compiled = _compiled(pattern, allowed)
    found: dict[tuple[tuple[str, str], ...], tuple[str, Mapping[str, str]]] = {}
    passed_over = []
    # Files in folders come first: who unpacks an archive means the unpacked files.
    for path in sorted(listing.files, key=lambda path: (".zip/" in path.lower(), path)):
        fits = compiled.fullmatch(path)
        if fits:
            values = fits.groupdict()
            known = found.setdefault(tuple(sorted(values.items())), (path, values))
            if known[0] != path:
                passed_over.append(path)
    return list(found.values()), passed_over


def _part(values: Mapping[str, str], names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, values[name]) for name in names)


def _listed(
    listing: Listing,
    layout: Layout,
    where: Mapping[str, Values],
    images: list[tuple[str, Mapping[str, str]]],
) -> list[tuple[str, Mapping[str, str]]]:
    """The images that the lists of the wanted splits name."""
    wanted = where.get("split", tuple(layout.lists))
    splits = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    lines: set[str] = set()
    for split in splits:
        path = _only(listing, layout.lists.get(split), {})
        if path is not None:
            text = read_bytes(str(listing.root / path)).decode("utf-8", "replace")
            lines |= {line.strip().lstrip("./") for line in text.splitlines() if line.strip()}
    return [(path, values) for path, values in images if not lines.isdisjoint(_ends(path))]


def _ends(path: str) -> list[str]:
    """Every part of a path that a list may name it by: ``c``, ``b/c``, ``a/b/c``."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _only(listing: Listing, pattern: str | None, allowed: Mapping[str, Values]) -> str | None:
    if pattern is None:
        return None
    found, _ = _matching(listing, pattern, allowed)
    return found[0][0] if found else None


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
    blind = [layout.name for layout in layouts if not _can_select(layout, where)]
    if blind:
        message += f"; layout {', '.join(blind)} does not tell {' or '.join(where)} apart"
    if listing.sealed:
        message += f"; {', '.join(listing.sealed)} must be unpacked first"
    return message
