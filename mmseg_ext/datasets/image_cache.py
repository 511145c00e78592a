"""One file that holds the images, and the labels, of a whole training split as raw arrays.

The file begins with 4096 bytes: a magic word, a checksum, and a JSON description that says what the
content depends on (its digest). An index of one entry a sample follows, then the samples: the
image, HxWx3 uint8, and behind it the label map, HxW uint8, if there are labels. Sizes differ
between samples.

Samples are read by position with ``pread``, which copies straight into the new array: as fast as a
memory map, but a file that was cut short is an error here and would be the end of the process
there, and forked worker processes can share the open file.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmseg_ext.errors import ImageCacheError

HEADER = 4096
SUFFIX = ".cache"
INDEX = np.dtype(
    [
        *(("offset", "<u8"), ("height", "<u4"), ("width", "<u4")),
        *(("full_height", "<u4"), ("full_width", "<u4"), ("checksum", "<u4")),
    ]
)
_MAGIC = b"udacache"
_PREAMBLE = struct.Struct("<8sII")  # magic, length of the description, checksum


@dataclass(frozen=True)
class Description:
    """What a file holds.

    Attributes:
        digest: of everything that the content depends on.
        domain: name of the domain.
        samples: number of samples.
        labelled: whether a label map lies behind every image.
        size: of the whole file, in bytes.
        made_with: versions of the libraries that decoded and resized, for people.
    """

    digest: str
    domain: str
    samples: int
    labelled: bool
    size: int
    made_with: str


@dataclass(frozen=True)
class StoredSample:
    """An image and its label as the pipeline would have made them, and the image's size before."""

    image: NDArray[np.uint8]
    label: NDArray[np.uint8] | None
    full_size: tuple[int, int]


class ImageCache:
    """An open file of samples.

    Opening reads the header and the index and compares the size, not the samples: a damaged sample
    is found by `damaged` only.

    Raises:
        ImageCacheError: missing, not such a file, or not whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ImageCacheError(f"{path}: cannot be opened ({error.strerror})") from error
        self.description, self._index = _head(self._descriptor, path)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process opens the file anew; it may have been replaced by one of other content.
        return _reopened, (self.path, self.description.digest)

    def __del__(self) -> None:
        descriptor = self.__dict__.pop("_descriptor", None)
        if descriptor is not None:
            os.close(descriptor)

    def __len__(self) -> int:
        return self.description.samples

    def read(self, row: int) -> StoredSample:
        """One sample in arrays of its own.

        Raises:
            ImageCacheError: the file was cut short after it was opened.
        """
        entry = self._index[row]
        height, width = int(entry["height"]), int(entry["width"])
        image = np.empty((height, width, 3), np.uint8)
        parts: list[Any] = [image]
        label = None
        if self.description.labelled:
            label = np.empty((height, width), np.uint8)
            parts.append(label)
        self._fill(parts, int(entry["offset"]))
        return StoredSample(image, label, (int(entry["full_height"]), int(entry["full_width"])))

    def _fill(self, parts: list[Any], offset: int) -> None:
        wanted = sum(part.nbytes for part in parts)
        got = os.preadv(self._descriptor, parts, offset)
        if got == wanted:
            return
        # A signal or a network file system may deliver less at once.
        content = bytearray(wanted)
        view, done = memoryview(content), 0
        while done < wanted:
            got = os.preadv(self._descriptor, [view[done:]], offset + done)
            if got == 0:
                raise ImageCacheError(f"{self.path}: was cut short; build the cache again")
            done += got
        for part in parts:
            part.reshape(-1)[:] = np.frombuffer(view[: part.nbytes], np.uint8)
            view = view[part.nbytes :]

    def damaged(self, progress: Callable[[int, int], None] | None = None) -> list[int]:
        """Read everything; the rows whose checksum is wrong."""
        found = []
        for row in range(len(self)):
            sample = self.read(row)
            if checksum(sample.image, sample.label) != int(self._index[row]["checksum"]):
                found.append(row)
            if progress is not None:
                progress(row + 1, len(self))
        return found


def checksum(image: NDArray[np.uint8], label: NDArray[np.uint8] | None) -> int:
    """CRC-32 of a sample's bytes as they lie in the file."""
    value = zlib.crc32(image.data)
    return value if label is None else zlib.crc32(label.data, value)


def head(description: Description, index: NDArray[Any]) -> bytes:
    """The beginning of a finished file: header and index."""
    text = json.dumps(asdict(description), sort_keys=True).encode()
    content = index.tobytes()
    preamble = _PREAMBLE.pack(_MAGIC, len(text), zlib.crc32(content, zlib.crc32(text)))
    return (preamble + text).ljust(HEADER, b"\0") + content


def _head(descriptor: int, path: Path) -> tuple[Description, NDArray[Any]]:
    problem = ImageCacheError(f"{path}: not a whole file of cached images; remove it")
    content = os.pread(descriptor, HEADER, 0)
    if len(content) < HEADER:
        raise problem
    magic, length, expected = _PREAMBLE.unpack_from(content)
    text = content[_PREAMBLE.size : _PREAMBLE.size + length]
    if magic != _MAGIC or len(text) != length:
        raise problem
    try:
        description = Description(**json.loads(text))
        entries = os.pread(descriptor, description.samples * INDEX.itemsize, HEADER)
    except (ValueError, TypeError, OSError, OverflowError) as error:
        raise problem from error
    if zlib.crc32(entries, zlib.crc32(text)) != expected:
        raise problem
    if os.fstat(descriptor).st_size != description.size:
        raise problem
    return description, np.frombuffer(entries, INDEX)


def _reopened(path: Path, digest: str) -> ImageCache:
    cache = ImageCache(path)
    if cache.description.digest != digest:
        raise ImageCacheError(f"{path}: was replaced while it was in use; start the run again")
    return cache
