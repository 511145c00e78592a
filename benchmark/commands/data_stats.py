"""``udabench data stats``: count the classes of training labels, for rare-class sampling.

Where all sources of a shift with several were counted, their union follows: the counts that classes
are drawn by in its cells.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import class_subsets, domains, paths, shift_sources
from benchmark.cli import EXIT_DONE, EXIT_FAILED
from benchmark.commands.bars import progress_bar
from benchmark.commands.chosen_domains import chosen
from benchmark.engines.devices import cores
from benchmark.errors import UdabenchError
from benchmark.registry import Fragment


@dataclass(frozen=True)
class ClassCount:
    """How often a class occurs: images it is in, its pixels, and its share of the labelled ones."""

    name: str
    images: int
    pixels: int
    share: float


def run(parsed: argparse.Namespace) -> int:
    """Count, keep the counts where training looks for them, and print them."""
    reports, problems = [], []
    for domain, folder in chosen(parsed):
        problem = _without_labels(domain)
        if problem is None:
            try:
                report = _report(domain, folder, parsed.processes or cores())
            except UdabenchError as error:
                problem = str(error)
            else:
                reports.append(report)
                if not parsed.json:
                    print(_table(report), end="\n\n", flush=True)
        # A domain without labels is no failure unless it was asked for.
        if problem is not None and (parsed.domains or _without_labels(domain) is None):
            problems.append({"domain": domain.name, "problem": problem})
            if not parsed.json:
                print(f"{domain.name}: {problem}\n")
    unions = _unions(reports)
    if parsed.json:
        found = {"domains": reports, "unions": unions, "problems": problems}
        print(json.dumps(found, indent=1))
    elif not reports and not problems:
        print("none of the data sets that are there has labels to train on")
    else:
        print("".join(f"{_table(union)}\n\n" for union in unions), end="")
    return EXIT_FAILED if problems or not reports else EXIT_DONE


def _without_labels(domain: Fragment) -> str | None:
    """Why a domain has no statistics, or ``None``."""
    if domain.require("train") is None:
        return "it has no training images, it is for scoring only"
    if "train" in domain.values.get("unlabelled_splits", ()):
        return "its training images have no labels"
    return None


def _report(domain: Fragment, folder: Path, threads: int) -> dict[str, Any]:
    """Raises ``UdabenchError`` for a label that cannot be read, or a cache that cannot."""
    from mmengine.registry import init_default_scope

    from mmseg_ext.datasets.class_statistics import class_pixels
    from mmseg_ext.datasets.classes import CLASSES
    from mmseg_ext.errors import ExtensionError
    from mmseg_ext.registry import DATASETS

    init_default_scope("mmseg_ext")
    config = domains.as_published(domain, "train", labelled=True)
    cache = paths.cache_root() / "class_statistics"  # as `benchmark.runner_config` says
    try:
        dataset = DATASETS.build({**config, "data_root": str(folder)})
        with progress_bar(f"counting {domain.name}") as progress:
            pixels_nc = class_pixels(dataset, cache, threads, progress)
    except ExtensionError as error:
        raise UdabenchError(str(error)) from error
    except OSError as error:
        message = f"{cache}: {error.strerror or error}; UDABENCH_CACHE moves the cache"
        raise UdabenchError(message) from error
    images_c, pixels_c = (pixels_nc > 0).sum(axis=0).tolist(), pixels_nc.sum(axis=0).tolist()
    return {
        "domain": domain.name,
        "label_map": domain.require("label_map"),
        "layout": dataset.describe()["layout"],
        "images": len(pixels_nc),
        "classes": _counts(CLASSES, images_c, pixels_c),
    }


def _counts(
    names: Sequence[str], images_c: Sequence[int], pixels_c: Sequence[int]
) -> list[dict[str, Any]]:
    total = max(1, sum(pixels_c))
    return [
        vars(ClassCount(name, images, pixels, pixels / total))
        for name, images, pixels in zip(names, images_c, pixels_c, strict=True)
    ]


def _unions(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each shift with several sources draws from, where all of them were counted."""
    counted = {report["domain"]: report for report in reports}
    found = []
    for shift, sources in shift_sources.of_all():
        if len(sources) < 2 or not set(sources) <= set(counted):
            continue
        parts = [counted[name] for name in sources]
        by_class = list(zip(*(part["classes"] for part in parts), strict=True))
        kept = class_subsets.of_shift(shift).get("classes", range(len(by_class)))
        # Pixels of other classes are ignored in training, so they count as absent.
        sums = {
            key: [sum(each[key] for each in same) * (c in kept) for c, same in enumerate(by_class)]
            for key in ("images", "pixels")
        }
        names = [same[0]["name"] for same in by_class]
        found.append(
            {
                "shift": shift.name,
                "domains": list(sources),
                "images": sum(part["images"] for part in parts),
                "classes": _counts(names, sums["images"], sums["pixels"]),
            }
        )
    return found


def _table(report: dict[str, Any]) -> str:
    if "shift" in report:
        name, told = " + ".join(report["domains"]), f"as {report['shift']} trains on them"
    else:
        name, told = report["domain"], f"label map {report['label_map']}"
    lines = [
        f"{name}: {report['images']:,} labels, {told}",
        f"  {'class':<14} {'images':>8} {'pixels':>18} {'share':>9}",
    ]
    lines += (
        f"  {each['name']:<14} {each['images']:>8,} {each['pixels']:>18,} {each['share']:>9.4%}"
        for each in report["classes"]
    )
    return "\n".join(lines)
