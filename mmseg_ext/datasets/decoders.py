"""The six encodings in which data sets publish labels, read into maps of the data set's own ids.

Two of them are traps. OpenCV expands a palette PNG to colours and loses the ids (GTA5, Mapillary
Vistas); Pillow keeps them, but fills up with zeros where pixels are missing, so the indices are
declared grey values before OpenCV reads them. Pillow reduces the 16-bit channels of SYNTHIA to
their high bytes and loses the class; OpenCV keeps it. Images must be whole PNG files: other formats
change ids too, and damaged files give wrong ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmseg_ext.datasets.encoded import (
    GREY,
    PALETTE,
    RGB,
    RGBA,
    PngHeader,
    decode,
    indices_as_grey,
    png_header,
    refuse_damaged,
)
from mmseg_ext.datasets.polygons import MOST_PIXELS, VOID, paint
from mmseg_ext.errors import InvalidLabelError, UnreadableFileError


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


__all__ = ["DECODERS", "VOID", "Context", "Decoder"]

Decoder = Callable[[bytes, Context], NDArray[Any]]


def id_png(content: bytes, context: Context) -> NDArray[Any]:
    """One channel of 8-bit ids (Cityscapes, ACDC, BDD100K masks); a palette's index is an id too.

    Raises:
        UnreadableFileError: not a whole image.
        InvalidLabelError: several channels or another depth, as files coded by colour have.
    """
    header = _header(content, context)
    if header.colour == PALETTE:
        return palette_index_png(content, context)
    if header.colour != GREY or header.depth != 8:
        raise InvalidLabelError(
            f"{context.path}: expected one channel of 8-bit ids, found {_shape(header)}; a file "
            "coded by colour is a picture of the labels, point the layout to the id files"
        )
    return _opencv(content, context, 2, np.uint8)


def palette_index_png(content: bytes, context: Context) -> NDArray[Any]:
    """The palette indices of a PNG (GTA5, Mapillary Vistas), or a single 8-bit channel.

    Raises:
        UnreadableFileError: not a whole image.
        InvalidLabelError: neither a palette nor one channel of 8 bits.
    """
    header = _header(content, context)
    if header.colour != PALETTE and (header.colour, header.depth) != (GREY, 8):
        raise InvalidLabelError(
            f"{context.path}: expected a palette PNG whose indices are ids, found "
            f"{_shape(header)}; a program that expands palettes has rewritten it, take the original"
        )
    if header.colour == GREY:
        return _opencv(content, context, 2, np.uint8)
    stretched = _opencv(indices_as_grey(content), context, 2, np.uint8)
    return stretched if header.depth == 8 else stretched // (255 // (2**header.depth - 1))


def png16_class_in_r(content: bytes, context: Context) -> NDArray[Any]:
    """The red channel of a 16-bit PNG with three channels (SYNTHIA: class, instance, unused).

    Raises:
        UnreadableFileError: not a whole image.
        InvalidLabelError: other channels or another depth.
    """
    header = _header(content, context)
    if (header.colour, header.depth) != (RGB, 16):
        raise InvalidLabelError(
            f"{context.path}: expected three channels of 16 bits with the class in red, found "
            f"{_shape(header)}; 8 bits are what is left after a program that cannot read 16"
        )
    raw = _opencv(content, context, 3, np.uint16)
    return np.ascontiguousarray(raw[:, :, 2])  # OpenCV's order is blue, green, red


def channel0_png(content: bytes, context: Context) -> NDArray[Any]:
    """The first channel of an 8-bit PNG whose other channels are equal to it or empty (UrbanSyn).

    Raises:
        UnreadableFileError: not a whole image.
        InvalidLabelError: another depth, or other channels: a picture of the labels.
    """
    header = _header(content, context)
    if header.colour == PALETTE:
        return palette_index_png(content, context)
    if header.depth != 8 or header.colour not in (GREY, RGB, RGBA):
        raise InvalidLabelError(f"{context.path}: expected 8-bit ids, found {_shape(header)}")
    if header.colour == GREY:
        return _opencv(content, context, 2, np.uint8)
    raw = _opencv(content, context, 3, np.uint8)
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
    header = _header(content, context)
    if (header.colour, header.depth) != (RGB, 8):
        raise InvalidLabelError(
            f"{context.path}: expected the three 8-bit channels of a segment id, "
            f"found {_shape(header)}"
        )
    raw = _opencv(content, context, 3, np.uint8)
    blue, green, red = (raw[:, :, channel].astype(np.uint32) for channel in range(3))
    ids = red + (green << 8) + (blue << 16)
    known = {0: 0, **context.segments}
    wrong = [key for key, value in known.items() if not (0 <= key < 2**24 and 0 <= value <= 255)]
    if wrong:
        raise InvalidLabelError(
            f"{context.path}: the panoptic file gives segment {wrong[0]} the category "
            f"{known[wrong[0]]}; expected 24-bit segments and categories from 0 to 255"
        )
    keys = np.array(sorted(known), np.uint32)
    categories = np.array([known[int(key)] for key in keys], np.uint8)
    places = np.minimum(np.searchsorted(keys, ids), len(keys) - 1)
    unknown = keys[places] != ids
    if unknown.any():
        first = int(ids[unknown][0])
        raise InvalidLabelError(
            f"{context.path}: segment {first} is not described in the panoptic file; the two "
            "belong to different versions of the data set"
        )
    return categories[places]


def polygon_json(content: bytes, context: Context) -> NDArray[Any]:
    """Polygons painted in the order of the file (IDD), see `mmseg_ext.datasets.polygons.paint`.

    Raises:
        UnreadableFileError: not a file of this format.
    """
    return paint(content, context.path, context.names)


DECODERS: dict[str, Decoder] = {
    "id_png": id_png,
    "palette_index_png": palette_index_png,
    "png16_class_in_r": png16_class_in_r,
    "channel0_png": channel0_png,
    "coco_panoptic": coco_panoptic,
    "polygon_json": polygon_json,
}


def _header(content: bytes, context: Context) -> PngHeader:
    """The header of a whole PNG. Raises ``UnreadableFileError`` for everything else."""
    refuse_damaged(content, context.path, "label map")
    header = png_header(content)
    if header is None:
        raise UnreadableFileError(
            f"{context.path}: no PNG file ({len(content)} bytes); other formats change the ids, "
            "restore the file from the archive it came in"
        )
    if header.width * header.height > MOST_PIXELS:
        raise UnreadableFileError(
            f"{context.path}: {header.width}x{header.height} pixels are too many for a label map"
        )
    return header


def _opencv(content: bytes, context: Context, axes: int, dtype: type) -> NDArray[Any]:
    """The samples as they are stored; several channels in the order blue, green, red."""
    raw = decode(content, cv2.IMREAD_UNCHANGED, context.path, "label map")
    if raw.ndim != axes or raw.dtype != dtype:  # a transparent colour adds a channel, for example
        raise InvalidLabelError(
            f"{context.path}: decoded to an array {raw.shape} of {raw.dtype}, which its header "
            "does not announce; restore it from the archive it came in"
        )
    return raw


def _shape(header: PngHeader) -> str:
    kinds = {0: "one channel", 2: "RGB", 3: "a palette", 4: "grey with alpha", 6: "RGBA"}
    return f"{kinds.get(header.colour, 'an unknown colour type')} of {header.depth} bits"
