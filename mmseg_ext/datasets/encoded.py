"""Encoded images as bytes: whether a file is whole, what its header says, decoding it strictly.

OpenCV and Pillow, depending on version and format, return a partly grey or black image for a file
that is cut short or changed, some with no more than a line on the standard error stream. A PNG
carries a checksum for each of its chunks, so any change of it is found; a JPEG carries none, so
there only a missing end is.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmseg_ext.errors import UnreadableFileError

PNG = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, RGBA = 0, 2, 3, 6
"""Colour types of a PNG."""

_JPEG, _SCAN, _END = b"\xff\xd8\xff", b"\xff\xda", b"\xff\xd9"
_CHUNK = struct.Struct(">I4s")
_HEADER = struct.Struct(">IIBB")


@dataclass(frozen=True)
class PngHeader:
    """The beginning of a PNG: its size in pixels, bits of a sample, and its colour type."""

    width: int
    height: int
    depth: int
    colour: int


def png_header(content: bytes) -> PngHeader | None:
    """The header of a PNG; ``None`` for any other content."""
    begin = len(PNG) + _CHUNK.size
    if content[: len(PNG)] != PNG or content[begin - 4 : begin] != b"IHDR":
        return None
    if len(content) < begin + _HEADER.size:
        return None
    return PngHeader(*_HEADER.unpack_from(content, begin))


def refuse_damaged(content: bytes, path: str, what: str) -> None:
    """Raise ``UnreadableFileError`` for an empty, truncated or changed PNG or JPEG.

    Content of another format passes: its decoder judges it.
    """
    damage = None
    if not content:
        damage = "it is empty"
    elif content[: len(PNG)] == PNG:
        damage = _damage_of_png(content)
    elif content[: len(_JPEG)] == _JPEG and _lacks_end(content):
        damage = "its end is missing"
    if damage:
        raise UnreadableFileError(_not_whole(content, path, what, damage))


def decode(content: bytes, flags: int, path: str, what: str) -> NDArray[Any]:
    """The pixels of an encoded image as OpenCV delivers them.

    Raises:
        UnreadableFileError: the content is no whole image.
    """
    refuse_damaged(content, path, what)
    try:
        array = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:  # a header that asks for too large an image
        raise UnreadableFileError(f"{path}: cannot be decoded ({error.err})") from error
    if array is None:
        raise UnreadableFileError(_not_whole(content, path, what, "it cannot be decoded"))
    return np.asarray(array)


def indices_as_grey(content: bytes) -> bytes:
    """A whole palette PNG rewritten to one whose grey values are the palette's indices.

    Every decoder then delivers them; of fewer than 8 bits they are stretched to 0-255.
    """
    parts, place, kind = [PNG], len(PNG), b""
    while kind != b"IEND":
        length, kind = _CHUNK.unpack_from(content, place)
        chunk = content[place : place + _CHUNK.size + length + 4]
        if kind == b"IHDR":
            data = bytearray(chunk[4:-4])
            data[4 + _HEADER.size - 1] = GREY
            chunk = chunk[:4] + data + zlib.crc32(data).to_bytes(4, "big")
        if kind in (b"IHDR", b"IDAT", b"IEND"):
            parts.append(chunk)
        place += len(chunk)
    return b"".join(parts)


def _damage_of_png(content: bytes) -> str | None:
    view, place, kind = memoryview(content), len(PNG), b""
    while kind != b"IEND":
        if place + _CHUNK.size > len(content):
            return "its end is missing"
        length, kind = _CHUNK.unpack_from(content, place)
        end = place + _CHUNK.size + length
        if end + 4 > len(content):
            return "its end is missing"
        checksum = int.from_bytes(view[end : end + 4], "big")
        if zlib.crc32(view[place + 4 : end]) != checksum:
            return "a checksum in it differs"
        place = end + 4
    return None


def _lacks_end(content: bytes) -> bool:
    """Whether a JPEG's last pixels are not followed by its end; something else may follow that."""
    # Neither marker can occur within compressed pixels. A thumbnail has its own, but before them.
    return not content.endswith(_END) and content.rfind(_END) <= content.rfind(_SCAN)


def _not_whole(content: bytes, path: str, what: str, damage: str) -> str:
    return (
        f"{path}: not a whole {what} file ({len(content)} bytes, {damage}); restore it from the "
        "archive it came in, or generate it again"
    )
