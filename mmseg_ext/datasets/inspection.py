"""Reading one image and its label as training would, and saying everything that is wrong with them.

Nothing here imports torch, so that many processes can do it at little cost.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmseg_ext.datasets.decoders import DECODERS, Context
from mmseg_ext.datasets.encoded import decode, png_header
from mmseg_ext.datasets.files import read_bytes
from mmseg_ext.datasets.label_table import id_counts, table, train_ids_of
from mmseg_ext.errors import InvalidLabelError

VERSION = 1
"""Of the inspection; raise when it would say something else about the same files."""

UNREADABLE_IMAGE = "unreadable image"
UNREADABLE_LABEL = "unreadable label"
INVALID_LABEL = "invalid label"
OTHER_SIZE = "label of another size"
TRANSPOSED = "transposed label"
RESIZED = "resized label"
BLANK = "blank image"
ROTATED = "image with an orientation"

ERRORS = frozenset({UNREADABLE_IMAGE, UNREADABLE_LABEL, INVALID_LABEL, OTHER_SIZE, TRANSPOSED})
"""Problems that stop training or scoring; with the others it goes on."""

_COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
_ORIENTATION = 0x0112  # EXIF
_MODES = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGBA"}

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Rules:
    """How a data set's labels are read, see `mmseg_ext.datasets.mapped_label.ReadMappedLabel`."""

    decoder: str
    values: Sequence[int]
    fit: str = "exact"
    names: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """What to read: paths relative to the data set's folder, and a panoptic label's segments."""

    image: str
    label: str | None = None
    segments: Mapping[int, int] | None = None


@dataclass(frozen=True)
class Finding:
    """What reading found.

    Attributes:
        image_size, label_size: ``None`` for a file that cannot be read.
        image_mode, label_mode: format, channels and bits, such as "PNG palette 8".
        ids: pixels of each id in the label, the data set's own ids.
        problems: what is wrong: a kind, one of the constants of this module, and a sentence.
    """

    image_size: Size | None = None
    image_mode: str | None = None
    label_size: Size | None = None
    label_mode: str | None = None
    ids: Mapping[int, int] = field(default_factory=dict)
    problems: tuple[tuple[str, str], ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it, without what is empty."""
        return {key: value for key, value in asdict(self).items() if value}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Finding:
        """The reverse of `to_plain`. Raises ``TypeError`` or ``ValueError`` for anything else."""
        sizes = ("image_size", "label_size")
        found: dict[str, Any] = {k: tuple(v) if k in sizes else v for k, v in plain.items()}
        found["ids"] = {int(key): int(count) for key, count in plain.get("ids", {}).items()}
        problems = plain.get("problems", ())
        found["problems"] = tuple((str(kind), str(text)) for kind, text in problems)
        return cls(**found)


def inspect(root: str, subject: Subject, rules: Rules) -> Finding:
    """Read an image and its label, if it has one. No content of a file raises an error."""
    found = _image(Finding(), root, subject.image)
    if subject.label is not None:
        found = _label(found, root, subject.label, subject.segments, rules)
    return found


def inspect_all(root: str, rules: Rules, subjects: Sequence[Subject]) -> list[Finding]:
    """`inspect` several, for a worker process."""
    return [inspect(root, subject, rules) for subject in subjects]


def _image(found: Finding, root: str, name: str) -> Finding:
    try:
        path = f"{root}/{name}"
        content = read_bytes(path, "image")
        pixels = decode(content, _COLOUR, path, "image")
        mode, orientation = _described(content)
    except Exception as error:
        return _with(found, UNREADABLE_IMAGE, _sentence(error, root, name))
    found = replace(found, image_size=_size(pixels), image_mode=mode)
    if _is_blank(pixels):
        found = _with(found, BLANK, f"{name}: all pixels are equal")
    if orientation != 1:
        text = f"{name}: is to be shown turned (EXIF {orientation}); it is read as it is stored"
        found = _with(found, ROTATED, text)
    return found


def _label(
    found: Finding, root: str, name: str, segments: Mapping[int, int] | None, rules: Rules
) -> Finding:
    path = f"{root}/{name}"
    try:
        content = read_bytes(path, "label map")
        raw = DECODERS[rules.decoder](content, Context(path, segments, rules.names))
        counts = id_counts(raw)
    except InvalidLabelError as error:
        return _with(found, INVALID_LABEL, _sentence(error, root, name))
    except Exception as error:
        return _with(found, UNREADABLE_LABEL, _sentence(error, root, name))
    ids = {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
    found = replace(found, label_size=_size(raw), label_mode=_described(content)[0], ids=ids)
    try:
        train_ids_of(raw, *table({}, rules.values), path)
    except InvalidLabelError as error:
        found = _with(found, INVALID_LABEL, _sentence(error, root, name))
    kind = _misfit(found, rules)
    if kind:
        text = f"{name}: {_shown(found.label_size)} for an image of {_shown(found.image_size)}"
        found = _with(found, kind, text)
    return found


def _misfit(found: Finding, rules: Rules) -> str | None:
    if found.image_size is None or found.label_size in (None, found.image_size):
        return None
    if found.label_size == found.image_size[::-1]:
        return TRANSPOSED
    return RESIZED if rules.fit == "resize" else OTHER_SIZE


def _described(content: bytes) -> tuple[str, int]:
    """Format, channels and bits of an encoded image, and the orientation it is to be shown in."""
    header = png_header(content)
    if header is None and content[:1] in (b"{", b"["):
        return "JSON", 1
    with Image.open(io.BytesIO(content)) as image:  # reads the header only
        mode = f"{image.format} {image.mode}"
        orientation = image.getexif().get(_ORIENTATION, 1)
    if header is not None:
        mode = f"PNG {_MODES.get(header.colour, '?')} {header.depth}"
    return mode, orientation if orientation in range(1, 9) else 1


def _is_blank(pixels: NDArray[np.uint8]) -> bool:
    few = pixels[::16, ::16]
    return bool((few == pixels[0, 0]).all() and (pixels == pixels[0, 0]).all())


def _with(found: Finding, kind: str, text: str) -> Finding:
    return replace(found, problems=(*found.problems, (kind, text)))


def _sentence(error: Exception, root: str, name: str) -> str:
    """The message with the path below the data set's folder, so that it holds wherever that is."""
    text = str(error).replace(f"{root}/", "")
    return text if text.startswith(name) else f"{name}: {type(error).__name__}: {text}"


def _size(pixels: NDArray[Any]) -> Size:
    return int(pixels.shape[1]), int(pixels.shape[0])


def _shown(size: Size | None) -> str:
    return f"{size[0]}x{size[1]}" if size else "unknown size"
