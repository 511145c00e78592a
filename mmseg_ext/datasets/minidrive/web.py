"""Photographs as a crawled collection has them: streets by day whose colours are of no one domain.

Encoders are pre-trained on them. Every image draws its own mixture of the three palettes, and every
kind of surface in it its own offset, so no domain's colours can be learnt by heart. There is no
weather and no night. The layout streams are their own: no scene of a domain is among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from . import palettes, sensor, weather
from .canvas import Layout
from .dice import Dice
from .frame import Frame, stack
from .layout import SUPERSAMPLING, compose
from .light import daylight
from .roles import AMPLITUDE_OF, IS_GROUND, Role
from .styles import GEO, STREET
from .textures import ground_plane, object_texture
from .traffic import FORCED

_MIXTURE = 0.7
"""Parameter of the symmetric Dirichlet distribution of the three palettes' shares."""
_OFFSETS = (14.0, 12.0)
"""Standard deviations of a role's offset in grey values: in each channel, and in all alike."""
_GEO_EVERY, _FORCE_EVERY = 3, 2


@dataclass(frozen=True)
class WebScene:
    """One photograph of the collection."""

    image_rgb: npt.NDArray[np.uint8]
    """(height, width, 3)."""
    roles: npt.NDArray[np.intp]
    """Role of every pixel, (height, width)."""


def web_scene(seed: int, index: int, height: int, width: int) -> WebScene:
    """Photograph ``index`` of the collection with this seed: a function of its arguments.

    Every third is of a street of the style ``geo``; in every second one a rare vehicle is drawn,
    which others may hide.
    """
    dice = Dice(f"web/{seed}/{index}")
    style = GEO if index % _GEO_EVERY == 2 else STREET
    forced = FORCED[index // _FORCE_EVERY % len(FORCED)] if index % _FORCE_EVERY == 0 else None
    layout = compose(dice, style, height, width, forced)
    frame = _photograph(layout, np.random.default_rng((seed, 2, index)))
    return WebScene(sensor.quantise(frame.image), layout.roles.take(frame.ids))


def _colours(layout: Layout, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    shares = rng.dirichlet([_MIXTURE] * len(palettes.PALETTES))
    colours = np.zeros((len(layout.roles), 3), np.float32)
    for name, share in zip(palettes.PALETTES, shares, strict=True):
        colours += np.float32(share) * palettes.pick(name, layout.roles, layout.tones)
    offsets = rng.normal(0.0, _OFFSETS[0], (len(Role), 3)) + rng.normal(
        0.0, _OFFSETS[1], (len(Role), 1)
    )
    colours += offsets.astype(np.float32)[layout.roles]
    colours += np.float32(rng.uniform(4.0, 12.0)) * layout.shades[:, None]
    return colours


def _photograph(layout: Layout, rng: np.random.Generator) -> Frame:
    colours = _colours(layout, rng)
    ground = ground_plane(layout, rng)
    scene = colours.take(layout.ids, axis=0)
    amplitude = AMPLITUDE_OF[layout.roles] * np.float32(rng.uniform(0.2, 0.9))
    texture = object_texture(layout, amplitude, rng)
    on_ground = np.where(IS_GROUND[layout.roles], amplitude, 0).astype(np.float32)
    below = layout.ids[ground.first :]
    texture[ground.first :] += on_ground.take(below) * (ground.grain + 0.6 * ground.blotch)
    scene += stack(texture)
    scene *= stack(daylight(layout, rng, unevenness=0.10, sunny=0.5, contact=0.5))
    size = (scene.shape[1] // SUPERSAMPLING, scene.shape[0] // SUPERSAMPLING)
    reduced = np.asarray(cv2.resize(scene, size, interpolation=cv2.INTER_AREA), np.float32)
    frame = Frame(layout, rng, reduced, ground)
    weather.clear_air(frame)
    sensor.expose(frame, (0.75, 1.12), brightness=14.0)
    sensor.tint(frame, 0.06)
    sensor.blur(frame, 0.5, (0.30, 0.75))
    sensor.vignette(frame, (0.0, 0.20))
    sensor.noise(frame, float(rng.uniform(0.5, 4.0)))
    return frame
