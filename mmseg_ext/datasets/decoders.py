"""The six encodings in which data sets publish labels, read into maps of the data set's own ids.

Two of them are traps. OpenCV expands a palette PNG to colours and loses the ids (GTA5, Mapillary
Vistas); Pillow keeps them. Pillow reduces the 16-bit channels of SYNTHIA to their high bytes and
loses the class; OpenCV keeps it.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mmseg_ext.errors import InvalidLabelError, UnreadableFileError

VOID = 255
"""What `polygon_json` leaves where no polygon was painted."""

_PNG = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE, _PALETTE, _GREY = 25, 3, 0  # offset of the byte in a PNG file, two of its values
_MOST_PIXELS = 2**28  # of a polygon canvas: a wrong size in a JSON file must not fill the memory


@dataclass(frozen=True)
class Context:
    """What a decoder may have to know beside the file.

    Attributes:
        path: the label's path, for messages.
        segments: category of each segment id of this label (``coco_panoptic``).
        names: id of each label name (``polygon_json``).
    """

    path: str
    segments: Mapping[int, int] | None = None
    names: Mapping[str, int] = field(default_factory=dict)


Decoder = Callable[[bytes, Context], NDArray[Any]]


def id_png(content: bytes, context: Context) -> NDArray[Any]:
    """One channel of 8-bit ids (Cityscapes, ACDC, BDD100K masks); a palette's index is an id too.

    Raises:
        UnreadableFileError: not a whole image.
        InvalidLabelError: several channels or another depth, as files coded by colour have.
    """
    if _colour_type(content) == _PALETTE:
        return palette_index_png(content, context)
    raw = _opencv(content, context)
    if raw.ndim != 2 or raw.dtype != np.uint8:
        raise InvalidLabelError(
            f"{context.path}: expected one channel of 8-bit ids, found {_shape(raw)}; a file "
            "coded by colour is a picture of the labels, point the layout to the id files"
        )
    return raw


def palette_index_png(content: bytes, context: Context) -> NDArray[Any]:
    """The palette indices of a PNG (GTA5, Mapillary Vistas), or a single 8-bit channel.

    Raises:
        UnreadableFileError: not a whole image.
        InvalidLabelError: neither a palette nor one channel of 8 bits.
    """
    image = _pillow(content, context)
    if image.mode not in ("P", "L"):
        raise InvalidLabelError(
            f"{context.path}: expected a palette PNG whose indices are ids, found mode "
            f"{image.mode}; a program that expands palettes has rewritten it, take the original"
        )
    return np.asarray(image)


def png16_class_in_r(content: bytes, context: Context) -> NDArray[Any]:
    """The red channel of a 16-bit PNG with three channels (SYNTHIA: class, instance, unused).

    Raises:
        UnreadableFileError: not a whole image.
        InvalidLabelError: other channels or another depth.
    """
    raw = _opencv(content, context)
    if raw.ndim != 3 or raw.shape[2] != 3 or raw.dtype != np.uint16:
        raise InvalidLabelError(
            f"{context.path}: expected three channels of 16 bits with the class in red, found "
            f"{_shape(raw)}; 8 bits are what is left after a program that cannot read 16"
        )
    return np.ascontiguousarray(raw[:, :, 2])  # OpenCV's order is blue, green, red


def channel0_png(content: bytes, context: Context) -> NDArray[Any]:
    """The first channel of an 8-bit PNG whose other channels are equal to it or empty (UrbanSyn).

    Raises:
        UnreadableFileError: not a whole image.
        InvalidLabelError: another depth, or other channels: a picture of the labels.
    """
    if _colour_type(content) == _PALETTE:
        return palette_index_png(content, context)
    raw = _opencv(content, context)
    if raw.dtype != np.uint8:
        raise InvalidLabelError(f"{context.path}: expected 8-bit ids, found {_shape(raw)}")
    if raw.ndim == 2:
        return raw
    if raw.shape[2] < 3:
        raise InvalidLabelError(f"{context.path}: expected ids, found {_shape(raw)}")
    first, others = raw[:, :, 2], raw[:, :, :2]  # OpenCV's order is blue, green, red
    if others.any() and (others != first[:, :, None]).any():
        raise InvalidLabelError(
            f"{context.path}: its channels differ, so it is coded by colour; expected ids"
        )
    return np.ascontiguousarray(first)


def coco_panoptic(content: bytes, context: Context) -> NDArray[Any]:
    """Category of the segment at each pixel (WildDash 2); the segment is R + 256 G + 65536 B.

    Pixels of segment 0 are in none and become category 0, which is "unlabeled".

    Raises:
        UnreadableFileError: not a whole image, or nothing is known of its segments.
        InvalidLabelError: other channels, or a segment that the panoptic file does not describe.
    """
    if context.segments is None:
        raise UnreadableFileError(
            f"{context.path}: the panoptic file has no entry for this label file"
        )
    raw = _opencv(content, context)
    if raw.ndim != 3 or raw.shape[2] != 3 or raw.dtype != np.uint8:
        raise InvalidLabelError(
            f"{context.path}: expected the three 8-bit channels of a segment id, "
            f"found {_shape(raw)}"
        )
    blue, green, red = (raw[:, :, channel].astype(np.uint32) for channel in range(3))
    ids = red + (green << 8) + (blue << 16)
    known = {0: 0, **context.segments}
    keys = np.array(sorted(known), np.uint32)
    categories = np.array([known[int(key)] for key in keys], np.int64)
    if categories.min() < 0 or categories.max() > 255:
        raise InvalidLabelError(f"{context.path}: categories outside of 0-255 in its segments")
    places = np.minimum(np.searchsorted(keys, ids), len(keys) - 1)
    unknown = keys[places] != ids
    if unknown.any():
        first = int(ids[unknown][0])
        raise InvalidLabelError(
            f"{context.path}: segment {first} is not described in the panoptic file; the two "
            "belong to different versions of the data set"
        )
    return categories.astype(np.uint8)[places]


def polygon_json(content: bytes, context: Context) -> NDArray[Any]:
    """Polygons painted in the order of the file (IDD; Cityscapes' annotation format).

    As in the publishers' tools: deleted objects and those of fewer than three points are left out,
    an unknown name that ends in "group" counts without it, and other unknown names and those with
    negative ids are not painted.

    Raises:
        UnreadableFileError: not a file of this format.
    """
    try:
        document: Any = json.loads(content)
        width, height = int(document["imgWidth"]), int(document["imgHeight"])
        objects = [
            (str(each["label"]), [(float(x), float(y)) for x, y in each["polygon"]])
            for each in document["objects"]
            if not each.get("deleted")
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableFileError(
            f"{context.path}: not a polygon file ({type(error).__name__}: {error})"
        ) from error
    if width < 1 or height < 1 or width * height > _MOST_PIXELS:
        raise UnreadableFileError(f"{context.path}: an image of {width}x{height} pixels")
    if not all(np.isfinite(points).all() for _, points in objects):
        raise UnreadableFileError(f"{context.path}: a polygon with a corner that is no number")
    canvas = Image.new("L", (width, height), VOID)
    painter = ImageDraw.Draw(canvas)
    for label, points in objects:
        name = label
        if name not in context.names and name.endswith("group"):
            name = name[: -len("group")]
        value = context.names.get(name, -1)
        if value >= 0 and len(points) >= 3:
            painter.polygon(points, fill=value)
    return np.asarray(canvas)


DECODERS: dict[str, Decoder] = {
    "id_png": id_png,
    "palette_index_png": palette_index_png,
    "png16_class_in_r": png16_class_in_r,
    "channel0_png": channel0_png,
    "coco_panoptic": coco_panoptic,
    "polygon_json": polygon_json,
}


def _colour_type(content: bytes) -> int:
    is_png = content[:8] == _PNG and len(content) > _COLOUR_TYPE
    return content[_COLOUR_TYPE] if is_png else _GREY


def _opencv(content: bytes, context: Context) -> NDArray[Any]:
    try:
        array = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise UnreadableFileError(f"{context.path}: cannot be decoded ({error.err})") from error
    if array is None:
        raise UnreadableFileError(
            f"{context.path}: not a whole label file ({len(content)} bytes); restore it from the "
            "archive it came in"
        )
    return np.asarray(array)


def _pillow(content: bytes, context: Context) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content))
            image.load()
    except Exception as error:  # Pillow's plugins raise whatever a damaged file makes them raise
        raise UnreadableFileError(
            f"{context.path}: not a whole label file ({len(content)} bytes; "
            f"{type(error).__name__}: {error}); restore it from the archive it came in"
        ) from error
    return image


def _shape(raw: NDArray[Any]) -> str:
    channels = "1 channel" if raw.ndim == 2 else f"{raw.shape[2]} channels"
    return f"{channels} of {raw.dtype}"
