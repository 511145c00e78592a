"""Every encoding gives the ids that were written, and nothing else is taken for one."""

from __future__ import annotations

import io
import json
import struct
import zlib

import cv2
import encodings_of as write
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmseg_ext.datasets.decoders import DECODERS, Context
from mmseg_ext.datasets.encoded import refuse_damaged
from mmseg_ext.errors import ExtensionError, InvalidLabelError, UnreadableFileError

bounded = settings(max_examples=80, deadline=None, derandomize=True, database=None)
rng = np.random.default_rng(5)
IDS = np.repeat(rng.integers(0, 35, (24, 20), np.uint8), 2, axis=1)
SEGMENTS = {7: 20, 300: 24, 70000: 26}
NAMES = {"road": 7, "car": 26, "license plate": -1, "polegroup": 18}
POLYGONS = write.polygons(
    30, 20, ("road", [[0, 10], [29, 10], [29, 19], [0, 19]]), ("car", [[3, 3], [9, 3], [9, 8]])
)


def segment_png():
    numbers = np.array([0, 7, 300, 70000], np.uint32)[rng.integers(0, 4, (24, 40))]
    channels = [(numbers >> shift & 255).astype(np.uint8) for shift in (0, 8, 16)]
    return write.rgb(*channels), np.vectorize({0: 0, **SEGMENTS}.get)(numbers)


PANOPTIC, CATEGORIES = segment_png()
instances = rng.integers(0, 900, IDS.shape).astype(np.uint16)
EMPTY = np.zeros_like(IDS)
# Name of the decoder, the file, and the ids in it.
FILES = {
    "id_png": (write.grey(IDS), IDS),
    "palette_index_png": (write.palette(IDS), IDS),
    "png16_class_in_r": (write.rgb(IDS.astype(np.uint16), instances), IDS),
    "channel0_png": (write.rgb(IDS, EMPTY, EMPTY), IDS),
    "coco_panoptic": (PANOPTIC, CATEGORIES),
    "polygon_json": (POLYGONS, None),
}
PNG_DECODERS = [name for name in FILES if name != "polygon_json"]


def decode(name, content):
    return DECODERS[name](content, Context("folder/label.png", SEGMENTS, NAMES))


@pytest.mark.parametrize("name", PNG_DECODERS)
def test_the_ids_of_each_encoding(name):
    content, ids = FILES[name]
    assert np.array_equal(decode(name, content), ids)


def test_the_trap_of_palettes():
    """OpenCV gives the colours of a palette, whatever it is told."""
    content = write.palette(IDS)
    flags = (cv2.IMREAD_UNCHANGED, cv2.IMREAD_GRAYSCALE, cv2.IMREAD_COLOR)
    for flag in flags:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flag)
        plane = pixels if pixels.ndim == 2 else pixels[..., 0]
        assert not np.array_equal(plane, IDS)
    for name in ("palette_index_png", "id_png", "channel0_png"):
        assert np.array_equal(decode(name, content), IDS)


def test_the_trap_of_16_bits():
    """Pillow keeps the high bytes only."""
    content, ids = FILES["png16_class_in_r"]
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert not pixels[..., 0].any()
    assert ids.any()
    assert np.array_equal(decode("png16_class_in_r", content), ids)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_palettes_of_few_bits_keep_their_indices(bits):
    ids = IDS % 2**bits
    content = write.palette(ids, bits)
    assert content[24] == bits
    assert np.array_equal(decode("palette_index_png", content), ids)


def test_a_grey_png_of_few_bits_would_be_stretched_and_is_refused():
    stream = io.BytesIO()
    Image.fromarray(IDS > 9).save(stream, "png")  # one bit
    stretched = cv2.imdecode(np.frombuffer(stream.getvalue(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert stretched.max() == 255
    for name in PNG_DECODERS:
        with pytest.raises(InvalidLabelError):
            decode(name, stream.getvalue())


def transparent():
    """Grey with a transparent value, which makes a further channel in OpenCV."""
    stream = io.BytesIO()
    Image.fromarray(IDS).save(stream, "png", transparency=3)
    return stream.getvalue()


def lossy():
    return cv2.imencode(".jpg", IDS)[1].tobytes()


COLOURED = write.rgb(IDS, IDS[::-1].copy(), 255 - IDS)
WRONG = {
    "by colour": COLOURED,
    "16 bits of grey": write.grey(IDS.astype(np.uint16)),
    "JPEG": lossy(),
    "GIF": b"GIF89a" + bytes(20),
    "text": b"<html>not found</html>",
    "empty": b"",
    "signature only": COLOURED[:8],
    "header only": COLOURED[:33],
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", FILES)
def test_other_files_are_refused_by_name(name, kind):
    with pytest.raises(ExtensionError, match=r"^folder/label\.png: "):
        decode(name, WRONG[kind])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("id_png", FILES["png16_class_in_r"][0], "found RGB of 16 bits"),
        ("id_png", COLOURED, "picture of the labels"),
        ("palette_index_png", COLOURED, "a program that expands palettes"),
        ("png16_class_in_r", COLOURED, "8 bits are what is left"),
        ("channel0_png", COLOURED, "its channels differ"),
        ("coco_panoptic", COLOURED, "is not described in the panoptic file"),
        ("coco_panoptic", write.grey(IDS), "found one channel of 8 bits"),
    ],
)
def test_the_message_says_what_it_probably_is(name, content, message):
    with pytest.raises(InvalidLabelError, match=message):
        decode(name, content)


def test_ids_with_a_transparent_value_are_not_misread():
    try:
        found = decode("id_png", transparent())
    except InvalidLabelError:
        return
    assert np.array_equal(found, IDS)


def test_channels_may_be_equal_or_empty_and_opaque():
    for channels in ((IDS, IDS, IDS), (EMPTY, EMPTY, IDS)):
        rgba = np.dstack([*channels, np.full_like(IDS, 255)])  # blue, green, red, alpha
        content = cv2.imencode(".png", rgba)[1].tobytes()
        assert np.array_equal(decode("channel0_png", content), IDS)
    assert np.array_equal(decode("channel0_png", write.grey(IDS)), IDS)


@pytest.mark.parametrize("segments", [None, {7: 20}, {7: 20, 300: 24, 70000: 999}, {2**40: 1}])
def test_a_panoptic_file_of_another_version(segments):
    with pytest.raises(ExtensionError, match=r"label\.png.*(panoptic file|segment)"):
        DECODERS["coco_panoptic"](PANOPTIC, Context("label.png", segments))


def test_a_size_that_would_fill_the_memory_is_refused():
    def huge(data):
        return struct.pack(">II", 60_000, 60_000) + data[8:]

    for name in PNG_DECODERS:
        content = write.with_chunk_bytes(FILES[name][0], b"IHDR", huge)
        with pytest.raises(UnreadableFileError, match="60000x60000"):
            decode(name, content)


@pytest.mark.parametrize("name", PNG_DECODERS)
@bounded
@given(data=st.data())
def test_a_damaged_label_is_refused_or_unchanged(name, data):
    """A changed bit must be found, also one that libraries take no notice of."""
    content, ids = FILES[name]
    damaged = bytearray(content)
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(0, len(damaged) - 1)) :]
    else:
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = decode(name, bytes(damaged))
    except ExtensionError:
        return
    assert np.array_equal(found, ids)


def test_every_single_bit_of_a_png_counts():
    content = write.palette(IDS[:4, :6])
    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            with pytest.raises(ExtensionError):
                decode("palette_index_png", bytes(damaged))


def test_pixels_that_end_early_behind_right_checksums():
    """Pillow fills such a palette file up with zeros."""

    def shortened(data):
        return zlib.compress(zlib.decompress(data)[: 10 * 41])

    for name in ("id_png", "palette_index_png"):
        content = write.with_chunk_bytes(FILES[name][0], b"IDAT", shortened)
        with pytest.raises(ExtensionError):
            decode(name, content)


@pytest.mark.parametrize("progressive", [0, 1])
def test_a_jpeg_that_is_cut_short_is_refused(progressive):
    pixels = cv2.imdecode(np.frombuffer(write.photo(60, 80), np.uint8), cv2.IMREAD_COLOR)
    flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive]
    content = cv2.imencode(".jpg", pixels, flags)[1].tobytes()
    refuse_damaged(content, "a.jpg", "image")
    refuse_damaged(content + b"\0\0 more", "a.jpg", "image")
    for length in range(content.index(b"\xff\xda"), len(content), 41):
        with pytest.raises(UnreadableFileError, match="its end is missing"):
            refuse_damaged(content[:length], "a.jpg", "image")


def test_polygons_are_painted_in_order():
    square = [[0, 0], [9, 0], [9, 9], [0, 9]]
    objects = [
        ("road", square),
        ("cargroup", [[2, 2], [4, 2], [4, 4], [2, 4]]),  # a group of cars is cars
        ("polegroup", [[6, 6], [7, 6], [7, 7], [6, 7]]),  # has an id of its own
        ("license plate", square),  # negative
        ("spaceship", square),  # unknown
        ("road", square[:2]),  # no area
    ]
    document = json.loads(write.polygons(12, 10, *objects))
    document["objects"].append({"label": "car", "polygon": square, "deleted": 1})
    expected = np.full((10, 12), 255)
    expected[:10, :10] = 7
    expected[2:5, 2:5] = 26
    expected[6:8, 6:8] = 18
    assert np.array_equal(decode("polygon_json", json.dumps(document).encode()), expected)


HOSTILE = [
    {},
    [],
    3,
    {"imgWidth": 1e400, "imgHeight": 1, "objects": []},
    {"imgWidth": 10**6, "imgHeight": 10**6, "objects": []},
    {"imgWidth": -1, "imgHeight": 5, "objects": []},
    {"imgWidth": 5, "imgHeight": 5, "objects": [{"label": "car", "polygon": [[1, 2, 3]]}]},
    {"imgWidth": 5, "imgHeight": 5, "objects": [{"label": "car", "polygon": [[1e300, 2]] * 3}]},
    {"imgWidth": 5, "imgHeight": 5, "objects": [{"label": "car", "polygon": [["nan", 2]] * 3}]},
    {"imgWidth": 5, "imgHeight": 5, "objects": ["car"]},
]


@pytest.mark.parametrize("document", HOSTILE, ids=range(len(HOSTILE)))
def test_other_json_is_refused(document):
    with pytest.raises(UnreadableFileError, match=r"^folder/label\.png"):
        decode("polygon_json", json.dumps(document).encode())


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"imgWidth": ' + b"9" * 10_000 + b"}"])
def test_json_that_breaks_parsers_is_refused(content):
    with pytest.raises(UnreadableFileError):
        decode("polygon_json", content)


@bounded
@given(data=st.data())
def test_a_damaged_polygon_file_never_crashes(data):
    damaged = bytearray(POLYGONS)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode("polygon_json", bytes(damaged))
    except ExtensionError:
        return
    assert found.dtype == np.uint8
    assert found.ndim == 2
