"""``udabench export``: what done cells predict as files, from the weights that they kept."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmark import examples, kept_weights, paths, plan, predicted_images
from benchmark import predictions as exporting
from benchmark import suite as suites
from benchmark.cli import EXIT_DONE, EXIT_INCOMPLETE
from benchmark.commands import options
from benchmark.commands.bars import progress_bar
from benchmark.data_roots import DataRoots
from benchmark.engines import signals
from benchmark.errors import KeptWeightsError
from benchmark.predictions import Exported, Machine, Wanted
from benchmark.submission import LAYOUTS


def predictions(parsed: argparse.Namespace) -> int:
    """Write the predictions of one cell on one domain and say where they are."""
    signals.interruptible()
    suite = suites.load(parsed.suite).with_overrides(parsed.seeds, encoders=parsed.encoder)
    out = Path(parsed.out)
    planned = plan.one(suite, out, parsed.cell, parsed.iterations, options.data_files(parsed))
    kept_weights.record_of(planned)  # before data are looked at
    roots = DataRoots.chosen(parsed.data_root)
    protocol = suite.protocol_of(planned.cell.method)
    images = predicted_images.without_labels(parsed.domain, protocol, roots, parsed.split)
    with progress_bar(f"predicting {images.domain} {images.split}") as progress:
        written = exporting.export(
            planned,
            paths.suite_folder(out, suite.name),
            images,
            Wanted(Path(parsed.to).expanduser(), parsed.layout, parsed.colour, parsed.zip),
            Machine(parsed.device, parsed.threads, parsed.workers),
            progress,
        )
    print(_summary(written))
    return EXIT_DONE


def _summary(written: Exported) -> str:
    layout = LAYOUTS[written.layout]
    kept = written.images - written.made
    text = (
        f"{paths.shown(written.folder / layout.folder)}: {written.images} predictions "
        f"({written.made} new, {kept} kept), {layout.ids}, layout {written.layout}"
    )
    if written.archive is not None:
        text += f"\n{paths.shown(written.archive)}: to hand in"
    return text


def example_images(parsed: argparse.Namespace) -> int:
    """Predict the example images with every done cell of the first seed that lacks them.

    Returns 3 if some could not be made, such as those of a cell whose weights are not here.
    """
    signals.interruptible()
    planned = options.make_plan(parsed)
    roots = DataRoots.chosen(parsed.data_root)
    wanted = [
        entry
        for entry in planned.entries
        if entry.state == "done" and examples.are_wanted(entry.cell, planned.suite)
    ]
    due = [entry for entry in wanted if not examples.are_there(planned.folder, entry)]
    built: dict[str, Any] = {}
    problems = 0
    with progress_bar(f"examples of {planned.suite.name}") as progress:
        for done, entry in enumerate(due, start=1):
            try:
                student = kept_weights.student_of(
                    entry, planned.folder, parsed.device, parsed.threads
                )
            except KeptWeightsError as error:
                problems += 1
                print(f"udabench: {error}", file=sys.stderr)
                continue
            datasets = predicted_images.with_labels(entry, roots, built)
            examples.write(planned.folder, entry, student, datasets)
            progress(done, len(due))
    made, kept = len(due) - problems, len(wanted) - len(due)
    print(
        f"{paths.shown(planned.folder / examples.FOLDER)}: examples of {made + kept} cells "
        f"({made} new, {kept} kept)"
    )
    return EXIT_INCOMPLETE if problems else EXIT_DONE
