"""Names and ids of predictions, as servers of data sets want them."""

from __future__ import annotations

import fnmatch
import io

import numpy as np
import pytest
from PIL import Image

from benchmark import registry, submission
from benchmark.errors import ExportError
from benchmark.surface.exports import LAYOUTS


def test_the_command_line_knows_every_layout() -> None:
    assert tuple(submission.LAYOUTS) == LAYOUTS


def test_cityscapes_names_are_found_by_its_evaluation() -> None:
    images = [f"a/b/{city}_000000_{frame:06d}_leftImg8bit.png" for city in ("berlin", "bonn")
              for frame in (19, 20)]  # fmt: skip
    names = submission.file_names("cityscapes", images)
    for image, name in zip(images, names, strict=True):
        frame = image.rpartition("/")[2].removesuffix("_leftImg8bit.png")
        assert fnmatch.filter(names, f"{frame}*.png") == [name]


def test_acdc_keeps_the_names_of_the_images() -> None:
    image = "rgb_anon/fog/test/GOPR0475/GOPR0475_frame_000247_rgb_anon.png"
    assert submission.file_names("acdc", [image]) == ["GOPR0475_frame_000247_rgb_anon.png"]
    assert submission.default_layout("acdc-reference") == "acdc"


@pytest.mark.parametrize(
    ("layout", "images", "message"),
    [
        ("cityscapes", ["a/000001.png"], "expected image names such as berlin_000000_000019"),
        ("acdc", ["berlin_000000_000019_leftImg8bit.png"], "found berlin_000000_000019"),
        ("plain", ["a/1.jpg", "b/1.png"], "a/1.jpg and b/1.png would both be called 1.png"),
    ],
)
def test_what_a_layout_cannot_take_is_named(layout: str, images: list[str], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        submission.file_names(layout, images)


def test_label_ids_are_those_of_the_data_set() -> None:
    from mmseg_ext.evaluation.label_files import CITYSCAPES_IDS, id_png

    table = registry.find("dataset", "cityscapes").require("label_maps")["default"]
    train_ids = np.arange(19, dtype=np.uint8)[None]
    written = np.asarray(Image.open(io.BytesIO(id_png(train_ids, CITYSCAPES_IDS))))
    assert [table[int(label)] for label in written[0]] == list(range(19))
    plain = Image.open(io.BytesIO(id_png(train_ids)))
    assert plain.mode == "L"
    np.testing.assert_array_equal(np.asarray(plain), train_ids)


def test_pictures_of_labels_hold_train_ids_and_look_as_usual() -> None:
    from mmseg_ext.evaluation.label_files import colour_png

    train_ids = np.array([[0, 13, 255]], np.uint8)
    image = Image.open(io.BytesIO(colour_png(train_ids)))
    assert image.mode == "P"
    np.testing.assert_array_equal(np.asarray(image), train_ids)
    colours = np.asarray(image.convert("RGB"))[0].tolist()
    assert colours == [[128, 64, 128], [0, 0, 142], [0, 0, 0]]


def test_groups_tell_images_of_equal_names_apart_where_no_server_cares() -> None:
    images = ["fog/1.png", "snow/1.png", "snow/2.png"]
    names = submission.file_names("plain", images, ["fog", "snow", "snow"])
    assert names == ["fog-1.png", "snow-1.png", "snow-2.png"]
    assert submission.file_names("plain", images[1:], ["snow", "snow"]) == ["1.png", "2.png"]
