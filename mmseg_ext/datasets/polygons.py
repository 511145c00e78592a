"""Labels that are published as polygons, painted as the publishers' own tools paint them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mmseg_ext.errors import UnreadableFileError

VOID = 255
"""What is left where no polygon was painted."""

MOST_PIXELS = 2**27
"""Of a label map: a wrong size in a file must not fill the memory."""

_FARTHEST = 10.0**6  # corner of a polygon; the painter's arithmetic has an end


def paint(content: bytes, path: str, names: Mapping[str, int]) -> NDArray[np.uint8]:
    """Ids of the polygons of a file, (H,W), painted in the order of the file; `VOID` elsewhere.

    The format is that of Cityscapes' annotations, which IDD has taken over. Deleted objects and
    those of fewer than three points are left out, an unknown name that ends in "group" counts
    without it, and other unknown names and those with negative ids are not painted.

    Args:
        path: of the file, for messages.
        names: id of each label name.

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
    except Exception as error:  # of many kinds, for all that other content may be
        raise UnreadableFileError(
            f"{path}: not a polygon file ({type(error).__name__}: {error})"
        ) from error
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise UnreadableFileError(f"{path}: an image of {width}x{height} pixels")
    corners = (abs(number) for _, points in objects for point in points for number in point)
    if not all(number <= _FARTHEST for number in corners):  # false for what is no number, too
        raise UnreadableFileError(f"{path}: a polygon with a corner far from the image")
    canvas = Image.new("L", (width, height), VOID)
    painter = ImageDraw.Draw(canvas)
    for label, points in objects:
        name = label
        if name not in names and name.endswith("group"):
            name = name[: -len("group")]
        value = names.get(name, -1)
        if value >= 0 and len(points) >= 3:
            painter.polygon(points, fill=value)
    return np.asarray(canvas)
