"""What the pictures show: classes, captions, and the look of every domain."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pytest

from mmseg_ext.datasets.minidrive import CLASSES, ClassId, Scene, World
from mmseg_ext.datasets.minidrive.canvas import Layout
from mmseg_ext.datasets.minidrive.captions import THINGS, visible_things
from mmseg_ext.datasets.minidrive.layout import SUPERSAMPLING, forced_noun, make_layout
from mmseg_ext.datasets.minidrive.roles import CLASS_OF, EMISSION_OF, SURFACES, Role
from mmseg_ext.datasets.minidrive.traffic import FORCED

WORLD = World()
STREETS = ("synthetic", "real", "geo")
"""The domains that have layouts of their own."""


def labels_of(layout: Layout) -> npt.NDArray[np.uint8]:
    step = SUPERSAMPLING
    return CLASS_OF[layout.roles].take(layout.ids[step - 1 :: step, step - 1 :: step])


@pytest.fixture(scope="module")
def test_pixels() -> dict[str, npt.NDArray[np.int64]]:
    """Pixels of every class in every test layout, (160, 19), by family of layouts."""
    pixels = {}
    for domain in STREETS:
        layouts = (make_layout(0, domain, "test", index, 64, 128) for index in range(160))
        counts = [np.bincount(labels_of(layout).ravel(), minlength=19) for layout in layouts]
        pixels[domain] = np.array(counts)
    return pixels


@pytest.fixture(scope="module")
def scenes() -> dict[str, list[Scene]]:
    return {
        domain: [WORLD.render(domain, split, k) for k in range(24)]
        for domain, split in WORLD.splits()
        if split == "test"
    }


def test_every_class_occurs_in_every_test_set(
    test_pixels: dict[str, npt.NDArray[np.int64]],
) -> None:
    for domain, pixels in test_pixels.items():
        images = (pixels >= 12).sum(axis=0)
        missing = [name for name, count in zip(CLASSES, images, strict=True) if count < 5]
        assert not missing, (domain, missing)


def test_class_shares_are_those_of_streets(test_pixels: dict[str, npt.NDArray[np.int64]]) -> None:
    bounds = {
        "road": (0.2, 0.5),
        "sidewalk": (0.02, 0.2),
        "building": (0.08, 0.35),
        "vegetation": (0.04, 0.25),
        "sky": (0.04, 0.3),
        "car": (0.02, 0.15),
        "person": (0.003, 0.04),
        "pole": (0.005, 0.05),
        "bicycle": (0.0002, 0.01),
    }
    for pixels in test_pixels.values():
        shares = dict(zip(CLASSES, pixels.sum(axis=0) / pixels.sum(), strict=True))
        for name, (low, high) in bounds.items():
            assert low < shares[name] < high, name


def test_every_fourth_test_layout_shows_a_rare_class(
    test_pixels: dict[str, npt.NDArray[np.int64]],
) -> None:
    for pixels in test_pixels.values():
        forced = [(k, noun) for k in range(160) if (noun := forced_noun("test", k)) is not None]
        assert [k for k, _ in forced] == list(range(0, 160, 4))
        assert [noun for _, noun in forced[:5]] == list(FORCED)
        shown = [pixels[k, CLASSES.index(noun)] >= 12 for k, noun in forced]
        assert all(shown)


def test_training_layouts_are_not_stratified() -> None:
    assert all(forced_noun("train", index) is None for index in range(20))


def test_captions_name_what_is_visible_and_nothing_else(scenes: dict[str, list[Scene]]) -> None:
    plurals = {"people": "person", "buses": "bus"}
    for domain, rendered in scenes.items():
        mentions = 0
        for scene in rendered:
            visible = {CLASSES[number] for number in np.unique(scene.label)}
            words = re.findall(r"[a-z]+", scene.caption.split(" with ", 1)[-1])
            things = {
                plurals.get(word, word.rstrip("s") if word != "bus" else word) for word in words
            }
            named = things & set(THINGS)
            assert named <= visible, scene.caption
            for phrase, name in (("traffic light", "traffic light"), ("trees", "vegetation")):
                if phrase in scene.caption:
                    assert name in visible
            mentions += len(named)
            assert "\n" not in scene.caption
        assert mentions >= len(rendered), domain


def test_captions_count_what_is_visible() -> None:
    layout = make_layout(0, "real", "train", 11, 64, 128)
    ids = layout.ids[1::2, 1::2]
    counts = visible_things(layout, ids)
    label = labels_of(layout)
    for noun, number in counts.items():
        assert layout.nouns.count(noun) >= number > 0
        assert (label == CLASSES.index(noun)).sum() >= 12 * number


def test_captions_tell_the_condition(scenes: dict[str, list[Scene]]) -> None:
    words = {
        "synthetic": "video game",
        "real": "by day",
        "geo": "foreign country",
        "fog": "in fog",
        "night": "at night",
        "rain": "in the rain",
        "snow": "in snow",
    }
    for domain, rendered in scenes.items():
        for scene in rendered:
            assert [name for name, word in words.items() if word in scene.caption] == [domain]


def _mean_colour(scenes: list[Scene], *classes: ClassId) -> npt.NDArray[np.float64]:
    pixels = [scene.image_rgb[np.isin(scene.label, classes)] for scene in scenes]
    return np.asarray(np.concatenate(pixels).mean(axis=0), np.float64)


def _saturation(scenes: list[Scene]) -> float:
    """Spread between the channels once the cast of the whole image is taken out."""
    images = np.stack([scene.image_rgb for scene in scenes]).astype(np.float64)
    images += images.mean(axis=(1, 2, 3), keepdims=True) - images.mean(axis=(1, 2), keepdims=True)
    return float((images.max(axis=-1) - images.min(axis=-1)).mean())


def test_domains_look_as_their_names_say(scenes: dict[str, list[Scene]]) -> None:
    brightness = {
        domain: float(np.mean([scene.image_rgb.mean() for scene in rendered]))
        for domain, rendered in scenes.items()
    }
    assert brightness["night"] < 0.5 * brightness["real"]
    assert brightness["rain"] < 0.9 * brightness["real"]
    assert _saturation(scenes["synthetic"]) > 1.5 * _saturation(scenes["real"])
    walks = (ClassId.SIDEWALK, ClassId.TERRAIN)
    snowy, bare = (_mean_colour(scenes[name], *walks) for name in ("snow", "real"))
    assert (snowy > bare + 25).all()
    dusty, grey = (_mean_colour(scenes[name], ClassId.ROAD) for name in ("geo", "real"))
    assert dusty[0] - dusty[2] > grey[0] - grey[2] + 4


def test_fog_hides_what_is_far() -> None:
    for index in range(3):
        clear, foggy = (WORLD.render(name, "test", index) for name in ("real", "fog"))
        sky = foggy.image_rgb[foggy.label == ClassId.SKY].mean()
        near = foggy.image_rgb[-6:].mean()
        far = foggy.image_rgb[20:30][foggy.label[20:30] == ClassId.BUILDING]
        assert clear.label.shape == foggy.label.shape
        if len(far) > 50:
            assert abs(far.mean() - sky) < abs(near - sky)


def test_some_synthetic_skies_are_overcast() -> None:
    overcast = 0
    for index in range(120):
        layout = make_layout(0, "synthetic", "train", index, 32, 64)
        overcast += bool(layout.tones[0] >= 0.75)
    assert 0.15 < overcast / 120 < 0.35
    blue_minus_red = []
    for index in range(24):
        scene = WORLD.render("synthetic", "train", index)
        sky = scene.image_rgb[scene.label == ClassId.SKY].mean(axis=0)
        blue_minus_red.append(sky[2] - sky[0])
    assert min(blue_minus_red) < 40 < 80 < max(blue_minus_red)


def test_every_role_has_a_surface_and_every_class_a_role() -> None:
    assert set(SURFACES) == set(Role)
    assert {int(surface.cls) for surface in SURFACES.values()} == set(range(19))
    assert EMISSION_OF[Role.SIGNAL_RED] == 1
    assert EMISSION_OF[Role.ROAD] == 0
