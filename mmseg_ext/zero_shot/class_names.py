"""What the 19 classes are called in prompts."""

from __future__ import annotations

CLASS_NAMES: tuple[tuple[str, ...], ...] = (
    ("road",),
    ("sidewalk",),
    ("building",),
    ("wall",),
    ("fence",),
    ("pole",),
    ("traffic light",),
    ("traffic sign",),
    ("tree",),
    ("lawn", "grass"),
    ("sky", "cloud"),
    ("person",),
    ("rider",),
    ("car",),
    ("truck",),
    ("bus",),
    ("train",),
    ("motorcycle",),
    ("bicycle",),
)
"""Names of each train id; a pixel has the class of its best name."""
TEMPLATES: tuple[str, ...] = (
    "a photo of a {}",
    "a picture of a {}",
    "a photo of the {}",
    "there is a {} in the scene",
)
"""Prompts that are averaged, from those of CLIP (Radford et al., 2021) and of ViLD (Gu et al.)."""
