"""How fast training images are read: from a folder, from archives, from the cache, beside OpenCV.

A script, not a test: ``python tests/perf/reading.py --out results/overhead/reading.md``. It writes
images of GTA5's size, encoding and file size, reads them in every way in turn, several times over,
and prints medians. Times are processor time of one thread, so that other work on the machine
disturbs little, except where the table says otherwise.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL
from mmengine.registry import DefaultScope
from PIL import Image

from mmseg_ext.datasets.files import read_bytes
from mmseg_ext.datasets.image_cache_writing import build
from mmseg_ext.datasets.minidrive import World
from mmseg_ext.registry import DATASETS

WIDTH, HEIGHT = 1914, 1052
NOISE = 1.0  # standard deviation of a pixel: files become as large as GTA5's
TRAIN_IDS = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11,
             25: 12, 26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18}  # fmt: skip
ZIPS = {"stored zip": zipfile.ZIP_STORED, "deflated zip": zipfile.ZIP_DEFLATED}
Read = Callable[[int], Any]


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


def first(dataset: Any, *places: int) -> Read:
    """Some of the pipeline's transforms."""
    transforms = [dataset.pipeline.transforms[place] for place in places]

    def read(index: int) -> Any:
        results = dataset.get_data_info(index)
        for transform in transforms:
            results = transform(results)
        return results

    return read


def whole(dataset: Any) -> Read:
    def read(index: int) -> Any:
        np.random.seed(index)
        return dataset[index]

    return read


def measured(reads: dict[str, Read], images: int, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of processor time an image, by name, once for each repeat; interleaved."""
    times: dict[str, list[float]] = {name: [] for name in reads}
    for repeat in range(repeats + 1):
        for name, read in reads.items():
            begun = time.process_time()
            for index in range(images):
                read(index)
            if repeat:  # the first round only warms up
                times[name].append((time.process_time() - begun) / images * 1e3)
    return times


def cold(read: Read, files: list[Path], images: int) -> list[float]:
    """Milliseconds of real time an image when the page cache holds none of the files."""
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    begun = time.perf_counter()
    for index in np.random.default_rng(1).permutation(images).tolist():
        read(index)
    return [(time.perf_counter() - begun) / images * 1e3]


def table(times: dict[str, list[float]]) -> list[str]:
    """Rows of Markdown; the last column is how much longer it takes than the first way."""
    base = next(iter(times))
    lines = [
        "| | ms | lowest-highest | images/s | times the first |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, values in times.items():
        ratio = statistics.median(a / b for a, b in zip(values, times[base], strict=True))
        median = statistics.median(values)
        lines.append(
            f"| {name} | {median:.2f} | {min(values):.2f}-{max(values):.2f} "
            f"| {1e3 / median:.1f} | {ratio:.3f} |"
        )
    return lines


def image_reads(root: Path, images: int) -> dict[str, Read]:
    """Reading an image in every way, and what a checksum of its file costs."""
    files = [str(root / f"folder/images/{index:05d}.png") for index in range(images)]
    contents = [read_bytes(name) for name in files]
    return {
        "cv2.imread": lambda i: cv2.imread(files[i]),
        "folder": first(data_set(root / "folder"), 0),
        **{name: first(data_set(root / name), 0) for name in ZIPS},
        "CRC-32 of the file": lambda i: zlib.crc32(contents[i]),
    }


def label_reads(root: Path, images: int) -> dict[str, Read]:
    """Reading a label map in every way."""
    files = [str(root / f"folder/labels/{index:05d}.png") for index in range(images)]
    return {
        "cv2.imread, expands the palette": lambda i: cv2.imread(files[i], cv2.IMREAD_UNCHANGED),
        "Pillow, ids as they are": lambda i: np.asarray(Image.open(files[i])),
        "folder": first(data_set(root / "folder"), 1),
        **{name: first(data_set(root / name), 1) for name in ZIPS},
    }


def report(root: Path, images: int, repeats: int) -> list[str]:
    """The tables."""
    write(root, images)
    write(root / "quick", images, quick=True)
    folder = data_set(root / "folder")
    path = build(folder, root / "cache").path
    cached = data_set(root / "folder", root / "cache")
    fixed = cached._cached.transforms[0]
    at_training_size: dict[str, Read] = {
        "folder": first(folder, 0, 1, 2),
        **{name: first(data_set(root / name), 0, 1, 2) for name in ZIPS},
        "cache": lambda i: fixed(cached.get_data_info(i)),
    }
    samples = {"folder": whole(folder), "cache": whole(cached)}
    sections = {
        "Images": image_reads(root, images),
        "Images in OpenCV's own quick compression": image_reads(root / "quick", images),
        "Labels: palette PNG, and from the folder on its train ids": label_reads(root, images),
        "Image and label at training size (1280x720 at most)": at_training_size,
        "Whole training sample: with crop, flip and packing": samples,
    }
    lines = []
    for title, reads in sections.items():
        lines += ["", f"## {title}", "", *table(measured(reads, images, repeats))]
    loose = sorted((root / "folder").glob("*/*.png"))
    times: dict[str, list[float]] = {name: [] for name in samples}
    for _ in range(repeats):
        times["folder"] += cold(samples["folder"], loose, images)
        times["cache"] += cold(samples["cache"], [path], images)
    lines += ["", "## Whole training sample: real time, nothing in the page cache", ""]
    lines += table(times)
    kinds = [sorted((root / "folder" / kind).iterdir()) for kind in ("images", "labels")]
    sizes = [sum(each.stat().st_size for each in kind) / images for kind in kinds]
    stored = path.stat().st_size / images
    return [
        *lines,
        "",
        f"An image file has {sizes[0] / 1e6:.2f} MB, a label file {sizes[1] / 1e6:.3f} MB; in the "
        f"cache the two take {stored / 1e6:.2f} MB, "
        f"{stored * 24966 / 1e9:.0f} GB for all of GTA5.",
    ]


def machine() -> str:
    """Processor, cores, memory and versions."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB; {platform.system()}, Python {platform.python_version()}, OpenCV "
        f"{cv2.__version__} with one thread, Pillow {PIL.__version__}, NumPy {np.__version__}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--out", type=Path, help="Markdown file to write")
    parsed = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as scratch:
        lines = report(Path(scratch), parsed.images, parsed.repeats)
    command = f"python tests/perf/reading.py --images {parsed.images} --repeats {parsed.repeats}"
    header = [
        "# Reading images",
        "",
        f"PNG files of {WIDTH}x{HEIGHT} pixels as GTA5's, made of MiniDrive scenes with noise. "
        f"`{command}`: each way reads {parsed.images} images in turn, {parsed.repeats} times. "
        "Times are processor time of one core for an image, except in the last table; files are "
        "in the page cache, except there. A ratio is the median of those of the single rounds. "
        "The last table depends on the disk and on what else the machine does.",
        "",
        machine() + ".",
    ]
    text = "\n".join([*header, *lines]) + "\n"
    print(text)
    if parsed.out is not None:
        temporary = parsed.out.with_name(f".{parsed.out.name}.tmp")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, parsed.out)


if __name__ == "__main__":
    main()
