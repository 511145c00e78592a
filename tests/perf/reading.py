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
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL
from gta5_files import HEIGHT, WIDTH, ZIPS, data_set, write
from PIL import Image

from mmseg_ext.datasets.files import read_bytes
from mmseg_ext.datasets.image_cache_writing import build

Read = Callable[[int], Any]


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


def measured_cold(
    reads: dict[str, Read], files: dict[str, list[Path]], images: int, repeats: int
) -> dict[str, list[float]]:
    """Milliseconds of real time an image when the page cache holds none of the files."""
    times: dict[str, list[float]] = {name: [] for name in reads}
    for _ in range(repeats):
        for name, read in reads.items():
            for path in files[name]:
                descriptor = os.open(path, os.O_RDONLY)
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)
            begun = time.perf_counter()
            for index in np.random.default_rng(1).permutation(images).tolist():
                read(index)
            times[name].append((time.perf_counter() - begun) / images * 1e3)
    return times


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
    lines += ["", "## Whole training sample: real time, nothing in the page cache", ""]
    lines += table(measured_cold(samples, {"folder": loose, "cache": [path]}, images, repeats))
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
