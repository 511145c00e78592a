"""What kinds of streets there are: ranges and probabilities of a layout, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .dice import Range
from .errors import unknown


@dataclass(frozen=True)
class Style:
    """Lengths are metres; horizon and vanishing point are shares of the image size."""

    horizon: Range = (0.36, 0.46)
    vanishing: Range = (0.36, 0.64)
    camera_height: Range = (1.3, 1.7)
    lanes: tuple[int, int] = (1, 2)
    """Lanes per direction."""
    one_way: float = 0.2
    lane_width: Range = (3.2, 3.8)
    sidewalk_width: Range = (2.0, 4.0)
    no_sidewalk: float = 0.10
    verge: float = 0.25
    setback: Range = (0.3, 3.5)
    """Between the sidewalk and the houses."""
    house: float = 0.72
    house_height: Range = (5.0, 16.0)
    tree: float = 0.45
    wall: float = 0.22
    fence: float = 0.28
    lamp: float = 0.8
    sign: float = 0.85
    traffic_light: float = 0.70
    pedestrians: float = 2.2
    """Mean number per sidewalk."""
    crossing: float = 0.45
    """Probability of a person on the road."""
    cars: float = 2.2
    """Mean number on the road."""
    parked: float = 1.6
    """Mean number per side with parking."""
    truck: float = 0.20
    bus: float = 0.16
    train: float = 0.09
    motorcycle: float = 0.30
    motorcycles: int = 1
    """How often the motorcycle die is thrown."""
    bicycle: float = 0.35
    ridden: float = 0.70
    left_hand: bool = False


STREET = Style()

GEO = replace(
    STREET,
    horizon=(0.42, 0.55),
    camera_height=(1.5, 2.2),
    lanes=(1, 3),
    lane_width=(3.0, 3.6),
    sidewalk_width=(1.0, 2.5),
    no_sidewalk=0.35,
    verge=0.40,
    house=0.60,
    house_height=(3.0, 9.0),
    tree=0.60,
    wall=0.32,
    fence=0.34,
    sign=0.60,
    traffic_light=0.50,
    pedestrians=3.0,
    crossing=0.60,
    cars=1.6,
    parked=1.0,
    truck=0.26,
    bus=0.20,
    train=0.04,
    motorcycle=0.45,
    motorcycles=2,
    bicycle=0.40,
    ridden=0.80,
    left_hand=True,
)

STYLES: dict[str, Style] = {"synthetic": STREET, "real": STREET, "geo": GEO, "adverse": STREET}


def style_of(layouts: str) -> Style:
    """The street style of a family of layouts."""
    if layouts not in STYLES:
        raise unknown("family of layouts", layouts, STYLES)
    return STYLES[layouts]
