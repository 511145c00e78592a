"""``udabench data export-minidrive``: generated scenes as another data set, to try things with."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from benchmark import minidrive_export, paths
from benchmark.cli import EXIT_DONE
from benchmark.commands.bars import progress_bar
from benchmark.engines import signals
from benchmark.errors import UsageError
from benchmark.minidrive_export import Exported


def run(parsed: argparse.Namespace) -> int:
    """Write the data set and say what was written."""
    signals.interruptible()
    with progress_bar(f"writing {parsed.layout}") as progress:
        written = minidrive_export.export(
            parsed.layout,
            Path(parsed.out).expanduser(),
            images=parsed.images,
            size=_size(parsed.size),
            variant=parsed.variant,
            archives=parsed.zip,
            seed=parsed.seed,
            progress=progress,
        )
    print(_summary(written))
    return EXIT_DONE


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if found is None:
        raise UsageError(f"--size: expected WIDTHxHEIGHT such as 1024x512, got {text!r}")
    return int(found[1]), int(found[2])


def _summary(written: Exported) -> str:
    from mmseg_ext.datasets.classes import CLASSES

    labelled = sum(image.label is not None for image in written.images)
    width, height = written.size
    text = (
        f"{paths.shown(written.folder)}: {len(written.images)} images of {width}x{height}, "
        f"{labelled} with labels; {written.dataset}, layout {written.layout}"
    )
    if written.lost:
        lost = ", ".join(CLASSES[train_id] for train_id in written.lost)
        text += f"\n  void, because this data set has no such labels: {lost}"
    return text
