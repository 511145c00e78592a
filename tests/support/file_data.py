"""A few images and labels encoded as GTA5's, of different sizes, for the tests of file domains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

IDS = {7: 0, 8: 1, 11: 2, 23: 10, 26: 13}
SCALE = (96, 54)


def write(root: Path, count: int = 5, seed: int = 0) -> Path:
    """``images/00000.png`` and ``labels/00000.png`` and so on; returns ``root``."""
    random = np.random.default_rng(seed)
    for kind in ("images", "labels"):
        (root / kind).mkdir(parents=True)
    for number in range(count):
        height, width = 100 + number % 3, 190 - 4 * (number % 2)
        blocks = random.choice([0, *IDS], (6, 10)).astype(np.uint8)
        label = cv2.resize(blocks, (width, height), interpolation=cv2.INTER_NEAREST)
        noise = random.integers(0, 60, (height, width, 3), dtype=np.uint8)
        image = noise + label[..., None] * np.array([3, 5, 7], np.uint8)
        assert cv2.imwrite(str(root / f"images/{number:05d}.png"), image)
        palette = Image.fromarray(label)
        palette.putpalette([value for value in range(256) for _ in range(3)])
        palette.save(root / f"labels/{number:05d}.png")
    return root


def config(root: Path, cache: Path | None = None, *, labelled: bool = True) -> dict[str, Any]:
    """A training data set over these files: resized, cropped at random, flipped at random."""
    layout = {"name": "official", "images": "images/{frame}.png"}
    reader: list[dict[str, Any]] = []
    if labelled:
        layout["labels"] = "labels/{frame}.png"
        reader = [
            {
                "type": "ReadMappedLabel",
                "decoder": "palette_index_png",
                "label_map": IDS,
                "values": range(35),
            }
        ]
    ratio = {"cat_max_ratio": 0.75} if labelled else {}
    return {
        "type": "FileDomainDataset",
        "domain": "game",
        "layouts": [layout],
        "data_root": str(root),
        "cache": None if cache is None else str(cache),
        "pipeline": [
            {"type": "ReadImage"},
            *reader,
            {"type": "Resize", "scale": SCALE, "keep_ratio": True},
            {"type": "RandomCrop", "crop_size": (32, 40), **ratio},
            {"type": "RandomFlip", "prob": 0.5},
            {"type": "PackSegInputs"},
        ],
    }
