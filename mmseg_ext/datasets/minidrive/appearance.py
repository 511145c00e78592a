"""From a layout to an image: colours, texture, light, weather, sensor.

The appearance never changes what is drawn where: the label depends on the layout alone.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from . import night, palettes, sensor, weather
from .canvas import Layout
from .domains import Domain
from .frame import Frame, stack
from .layout import SUPERSAMPLING
from .light import daylight
from .roles import AMPLITUDE_OF, IS_GROUND
from .textures import Map, bank, ground_plane, object_texture

_SYNTHETIC_SHADE = 5.0
_PHOTO_SHADE = 12.0
_NEARNESS = (0.15, 0.90)
"""Share of the gap between the palettes that a single photograph crosses."""


def texture_gain(gap: float) -> float:
    """Share of the full texture contrast at a gap: a photograph of gap 0 is still textured."""
    return 0.75 * (0.25 + 0.75 * gap)


def develop(layout: Layout, domain: Domain, gap: float, rng: np.random.Generator) -> Frame:
    """The finished frame of a layout in a domain; `frame.image` is not yet limited to 8 bits."""
    if domain.palette == "synthetic":
        return _render_game(layout, rng)
    return _take_photo(layout, domain, gap, rng)


def _reduce(scene: Map) -> Map:
    size = (scene.shape[1] // SUPERSAMPLING, scene.shape[0] // SUPERSAMPLING)
    return np.asarray(cv2.resize(scene, size, interpolation=cv2.INTER_AREA), np.float32)


def _render_game(layout: Layout, rng: np.random.Generator) -> Frame:
    """Flat saturated colours with a mild variation of light.

    A source without any variation makes a network so brittle that no adaptation can start.
    """
    rows, columns = layout.ids.shape
    colours = palettes.pick("synthetic", layout.roles, layout.tones)
    colours += np.float32(_SYNTHETIC_SHADE) * layout.shades[:, None]
    scene = colours.take(layout.ids, axis=0)
    store = bank(rows, columns)
    patch = store.values[store.tile * int(rng.integers(3, 6)) :][: store.tile]
    blotch = patch.reshape(store.rows, store.columns)[:rows, :columns] * np.float32(2 / 32)
    blotch += np.linspace(8, -8, rows, dtype=np.float32)[:, None]
    scene += stack(blotch)
    scene *= stack(daylight(layout, rng, unevenness=0.08, sunny=0.0, contact=0.3))
    frame = Frame(layout, rng, _reduce(scene))
    sensor.expose(frame, (0.75, 1.10), brightness=12.0)
    sensor.tint(frame, 0.03)
    sensor.blur(frame, 0.3, (0.3, 0.55))
    height, width = frame.size
    grain = rng.standard_normal((height, width), dtype=np.float32)
    frame.image += stack(grain * np.float32(0.75))
    return frame


def _photo_colours(
    layout: Layout, palette: str, gap: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    colours = palettes.blend(palette, layout.roles, layout.tones, gap)
    colours += np.float32(_PHOTO_SHADE) * layout.shades[:, None]
    colours += 4 * rng.standard_normal(colours.shape, dtype=np.float32)
    return colours


def _take_photo(layout: Layout, domain: Domain, gap: float, rng: np.random.Generator) -> Frame:
    clear = domain.condition == "clear"
    # No two photographs are equally far from the game: adaptation has somewhere to start.
    crossed = gap * float(rng.uniform(*_NEARNESS))
    colours = _photo_colours(layout, domain.palette, crossed, rng)
    ground = ground_plane(layout, rng)
    scene = colours.take(layout.ids, axis=0)
    amplitude = AMPLITUDE_OF[layout.roles] * np.float32(
        texture_gain(gap) * float(rng.uniform(0.8, 1.3))
    )
    texture = object_texture(layout, amplitude, rng)
    on_ground = np.where(IS_GROUND[layout.roles], amplitude, 0).astype(np.float32)
    below = layout.ids[ground.first :]
    texture[ground.first :] += on_ground.take(below) * (ground.grain + 0.6 * ground.blotch)
    scene += stack(texture)
    sunny = 0.6 if clear else 0.0
    scene *= stack(daylight(layout, rng, unevenness=0.10, sunny=sunny, contact=0.5))
    if domain.condition == "snow":
        weather.snow_cover(layout, ground, scene, rng)
    frame = Frame(layout, rng, _reduce(scene), ground)
    _apply_condition(frame, domain.condition, colours)
    _photograph(frame, domain, gap)
    return frame


def _apply_condition(frame: Frame, condition: str, colours: Map) -> None:
    if condition == "night":
        night.nightfall(frame, colours)
    elif condition == "fog":
        weather.fog(frame)
    elif condition == "rain":
        weather.rain(frame)
    elif condition == "snow":
        weather.snow_air(frame)
    else:
        weather.clear_air(frame)


def _photograph(frame: Frame, domain: Domain, gap: float) -> None:
    dark = domain.condition == "night"
    # Weather and darkness take contrast away on their own.
    clear = domain.condition == "clear"
    sensor.fade(frame, saturation=gap, contrast=0.9 * gap if clear else 0.0)
    if domain.name == "real":
        sensor.expose(frame, (0.80, 1.12), brightness=13.0)
    elif domain.name == "geo":
        sensor.expose(frame, (0.85, 1.20), brightness=14.0, offset=4.0)
    sensor.white_balance(frame, gap)
    if domain.condition == "rain":
        weather.draw_rain(frame)
    elif domain.condition == "snow":
        weather.draw_snow(frame)
    sensor.blur(frame, 0.6, (0.30, 0.75))
    sensor.vignette(frame, (0.05, 0.22))
    sensor.noise(frame, float(frame.rng.uniform(1.5, 4.5)) * (2.0 if dark else 1.0))
    if dark:
        frame.image *= np.float32(frame.rng.uniform(0.9, 1.5))
