"""Files in the encodings that data sets are published in, written without the project's code."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

COLOURS = [channel for index in range(256) for channel in (index * 7 % 256, 255 - index, 3)]


def grey(ids):
    """One channel of ``ids``."""
    return _opencv(".png", ids)


def palette(ids, bits=8):
    """A palette PNG with these indices."""
    image = Image.fromarray(ids).convert("L")
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(COLOURS)
    stream = io.BytesIO()
    image.save(stream, "png", bits=bits)
    return stream.getvalue()


def rgb(red, green=None, blue=None):
    """Three channels, of 8 or 16 bits as ``red`` has; those left out are empty."""
    empty = np.zeros_like(red)
    channels = [empty if c is None else c for c in (blue, green, red)]
    return _opencv(".png", np.dstack(channels))


def photo(height, width, seed=0, suffix=".png"):
    """A smooth image without equal pixels everywhere."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return _opencv(suffix, cv2.GaussianBlur(noise, (3, 3), 0))


def polygons(width, height, *objects):
    """A polygon file; an object is a label name and its corners."""
    shapes = [{"label": name, "polygon": corners} for name, corners in objects]
    return json.dumps({"imgWidth": width, "imgHeight": height, "objects": shapes}).encode()


def with_chunk_bytes(png, kind, change):
    """The PNG with the data of its first chunk of a kind changed, and the checksum made to fit."""
    place = 8
    while True:
        (length,) = struct.unpack_from(">I", png, place)
        if png[place + 4 : place + 8] == kind:
            data = change(png[place + 8 : place + 8 + length])
            chunk = struct.pack(">I", len(data)) + kind + data
            chunk += struct.pack(">I", zlib.crc32(kind + data))
            return png[:place] + chunk + png[place + 12 + length :]
        place += 12 + length


def tree(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def archive(path: Path, files: Mapping[str, bytes], compression=zipfile.ZIP_STORED) -> Path:
    """Write a zip archive."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def _opencv(suffix, pixels):
    done, content = cv2.imencode(suffix, pixels)
    assert done
    return content.tobytes()
