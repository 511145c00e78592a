"""A data set of GTA5's size, encoding and file size, for measurements."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.registry import DefaultScope
from PIL import Image

from mmseg_ext.datasets.minidrive import World
from mmseg_ext.registry import DATASETS

WIDTH, HEIGHT = 1914, 1052
NOISE = 1.0  # standard deviation of a pixel: files become as large as GTA5's
TRAIN_IDS = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11,
             25: 12, 26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18}  # fmt: skip
ZIPS = {"stored zip": zipfile.ZIP_STORED, "deflated zip": zipfile.ZIP_DEFLATED}


def write(root: Path, images: int, *, quick: bool = False) -> None:
    """The same data set in a folder and in archives of both kinds.

    Most programs compress a PNG so well that an archive cannot compress it once more, and stores
    it. ``quick`` writes it as OpenCV does by itself, Huffman codes only: the archive's compression
    gains a tenth of a percent, and has to be undone.
    """
    world, random = World(height=512, width=928), np.random.default_rng(0)
    ids = np.zeros(256, np.uint8)
    ids[list(TRAIN_IDS.values())] = list(TRAIN_IDS)
    folder = root / "folder"
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    for index in range(images):
        scene = world.render("synthetic", "train", index)
        image = cv2.resize(scene.image_rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        noisy = np.clip(image + random.normal(0, NOISE, image.shape), 0, 255).astype(np.uint8)
        path = folder / f"images/{index:05d}.png"
        if quick:
            assert cv2.imwrite(str(path), noisy[..., ::-1])
        else:
            Image.fromarray(noisy).save(path)
        label = cv2.resize(scene.label, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
        palette = Image.fromarray(ids[label])
        palette.putpalette(random.integers(0, 256, 768).tolist())
        palette.save(folder / f"labels/{index:05d}.png")
    for name, method in ZIPS.items():
        (root / name).mkdir()
        with zipfile.ZipFile(root / name / "data.zip", "w", method) as archive:
            for path in sorted(folder.glob("*/*.png")):
                archive.write(path, path.relative_to(folder))


def data_set(root: Path, cache: Path | None = None) -> Any:
    """A training data set as the DAFormer protocol reads GTA5."""
    config = {
        "type": "FileDomainDataset",
        "domain": "gta5",
        "data_root": str(root),
        "cache": None if cache is None else str(cache),
        "layouts": [
            {"name": "official", "images": "images/{frame}.png", "labels": "labels/{frame}.png"}
        ],
        "pipeline": [
            {"type": "ReadImage"},
            {
                "type": "ReadMappedLabel",
                "decoder": "palette_index_png",
                "label_map": TRAIN_IDS,
                "values": range(35),
                "fit": "resize",
            },
            {"type": "Resize", "scale": (1280, 720), "keep_ratio": True},
            {"type": "RandomCrop", "crop_size": (512, 512), "cat_max_ratio": 0.75},
            {"type": "RandomFlip", "prob": 0.5},
            {"type": "PackSegInputs"},
        ],
    }
    with DefaultScope.overwrite_default_scope("mmseg_ext"):
        return DATASETS.build(config)
