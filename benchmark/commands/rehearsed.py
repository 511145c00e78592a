"""One suite rehearsed in a temporary folder, where several suites share cells and images."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from benchmark import (
    corruptions,
    data,
    data_roots,
    minidrive_export,
    plan,
    plugins,
    registry,
    rehearsal,
    sharing,
)
from benchmark import suite as suites
from benchmark.commands import run as running
from benchmark.commands.bars import progress_bar
from benchmark.engines import Slot
from benchmark.plan import PlannedCell
from benchmark.records import DomainMetrics
from benchmark.rehearsal import Terms
from benchmark.suite import Suite
from benchmark.weights import WeightsFolder


@dataclass(frozen=True)
class Row:
    """What the rehearsal of one cell says: times in seconds or hours, memory in MiB."""

    method: str
    encoder: str
    shift: str
    ok: bool
    problem: str
    seconds_per_iteration: float | None
    peak_memory_mib: float | None
    predicted_hours: float | None


def rehearse(
    parsed: argparse.Namespace, suite: Suite, place: Path, terms: Terms, places: Sequence[Slot]
) -> list[Row]:
    """Run the cells of one suite in ``place``; those an earlier suite went through are taken over.

    Raises:
        UdabenchError: the suite has no cells, a fragment is broken, or images cannot be written.
    """
    real = {_key(entry): entry for entry in plan.make(suite, place / "none").entries}
    configs = place / "suites" / suite.name / "configs"
    file = rehearsal.derived(suite, configs, terms, WeightsFolder.chosen(parsed.weights))
    sources = _export(suite, place, terms)
    with _only(configs, place / "w"):
        copied = argparse.Namespace(
            **{
                **vars(parsed),
                "suite": str(file),
                "out": str(place / "results"),
                "data_root": str(sources),
                "engine": "pool",
                "download_weights": False,
                "rerun": [],
                "accumulate": 1,
                "checkpoint_activations": False,
                "compile": False,
                "seeds": None,
                "only": [],
                "encoder": [],
                "iterations": None,
            }
        )
        derived = suites.load(str(file))
        planned = plan.make(derived, place / "results")
        if sharing.take_over(planned, planned.due()):
            planned = plan.make(derived, place / "results")
        due = planned.due()
        with redirect_stdout(sys.stderr) if parsed.json else nullcontext():
            data.prepare(due)
            running.execute(copied, planned, due, places[: len(due)])
        after = plan.make(derived, place / "results")
        return [_row(entry, real[_key(entry)]) for entry in after.entries if entry.identity]


def _export(suite: Suite, place: Path, terms: Terms) -> Path:
    """MiniDrive in the layouts of the suite's data sets that an earlier suite did not ask for."""
    folder = place / f"data-{terms.shrink}"
    datasets = [n for n in rehearsal.datasets_of(suite) if not (folder / f".{n}").exists()]
    folder.mkdir(exist_ok=True)
    with progress_bar("exporting MiniDrive") as progress:
        for done, name in enumerate(datasets):
            progress(done, len(datasets))
            width, height = minidrive_export.published_size(name)
            size = width // terms.shrink, height // terms.shrink
            minidrive_export.export(name, folder, images=terms.images, size=size)
            (folder / f".{name}").touch()
        progress(len(datasets), len(datasets))
    return folder


@contextmanager
def _only(configs: Path, cache: Path) -> Iterator[None]:
    """Let this process and its workers find the fragments in ``configs``, and no data but given."""
    before = dict(os.environ)
    os.environ |= {
        plugins.VARIABLE: rehearsal.plugin_folders(configs),
        "UDABENCH_CONFIGS": str(configs),
        "UDABENCH_CACHE": str(cache),
    }
    for name in [name for name in os.environ if name.startswith(f"{data_roots.VARIABLE}_")]:
        del os.environ[name]
    registry.forget()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
        registry.forget()


def _key(entry: PlannedCell) -> tuple[str, str, str]:
    return entry.cell.method, entry.cell.encoder, entry.cell.shift


def _row(entry: PlannedCell, real: PlannedCell) -> Row:
    cost = entry.record.cost if entry.record else None
    ok = entry.state == "done"
    return Row(
        method=entry.cell.method,
        encoder=entry.cell.encoder,
        shift=entry.cell.shift,
        ok=ok,
        problem="" if ok else f"{entry.state}: {entry.reason or 'not run'}",
        seconds_per_iteration=cost.seconds_per_iteration if cost else None,
        peak_memory_mib=cost.peak_memory_mib if cost else None,
        predicted_hours=_hours(entry, real) if ok else None,
    )


def _hours(entry: PlannedCell, real: PlannedCell) -> float | None:
    """Hours of the real cell on this device: training, and scoring of the published images.

    After smaller crops that is the least it can take: what a step costs beside its pixels, the
    optimiser above all, does not shrink with them, so no factor would tell the true hours.
    """
    cost = entry.record.cost if entry.record else None
    if cost is None or entry.record is None:
        return None
    training = cost.seconds_per_iteration * real.config["train_cfg"]["max_iters"]
    scored = sum(metrics.images for metrics in entry.record.metrics.values())
    published = sum(_published(*each) for each in entry.record.metrics.items())
    evaluation = cost.evaluation_seconds / max(scored, 1) * published
    return (training + evaluation) / 3600.0


def _published(name: str, metrics: DomainMetrics) -> int:
    """Images that are scored of a domain as it was published; as here where nobody told."""
    domain = registry.find("domain", name)
    count = domain.values.get("counts", {}).get("test")
    return metrics.images if count is None else corruptions.scored_images(domain, count)
