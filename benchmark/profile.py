"""What a training step of a method costs with an encoder, measured without any data set.

Each combination is measured in a process of its own, on random images in memory and with random
weights, so that its peak memory is its own. The data plane does the work (`mmseg_ext.profiling`);
here the configurations are made, as for cells, and what is found is put in order.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import compose, identity, registry
from benchmark.errors import UsageError
from benchmark.plan import domain_fragments
from benchmark.suite import Suite
from benchmark.weights import with_weights

WITH_BASELINE = ("source-only", "source-only-rcs", "oracle", "dacs", "daformer")
"""Methods of which there is a step written the plain way."""


@dataclass(frozen=True)
class Terms:
    """How to measure.

    Attributes:
        crop: side of square images, ``None`` for the protocol's size; what methods say in pixels
            (ignored rows, masked blocks, detail crops) grows and shrinks with its height.
        precision: ``fp32`` or ``bf16``, ``None`` for what protocol and encoder ask for.
        batch: images of each domain in a step, ``None`` for the protocol's number.
        steps, warmup, repeats: timed steps of a repeat, steps before the first, repeats.
        device, threads: where, and with how many arithmetic threads.
        against_baseline: also take the plain steps, in turn with the real ones.
    """

    crop: int | None = None
    precision: str | None = None
    batch: int | None = None
    steps: int = 20
    warmup: int = 5
    repeats: int = 3
    device: str = "cpu"
    threads: int = 1
    against_baseline: bool = False


@dataclass(frozen=True)
class Combination:
    """A method with an encoder, and the job that the data plane is given."""

    method: str
    encoder: str
    job: Mapping[str, Any]


def combinations(
    suite: Suite, methods: Sequence[str], encoders: Sequence[str], terms: Terms
) -> list[Combination]:
    """What is measured, with the protocol and the first shift of ``suite``.

    Raises:
        UsageError: a name is unknown, or a method has no baseline and ``terms`` ask for it.
    """
    unmatched = [name for name in methods if name not in WITH_BASELINE]
    if terms.against_baseline and unmatched:
        raise UsageError(
            f"--against baseline: there is no plain step of {', '.join(unmatched)}; choose from "
            f"{', '.join(WITH_BASELINE)} with --method"
        )
    return [
        Combination(method, encoder, _job(suite, method, encoder, terms))
        for encoder in encoders
        for method in methods
    ]


def _job(suite: Suite, method: str, encoder: str, terms: Terms) -> dict[str, Any]:
    shift = registry.find("shift", suite.shifts[0])
    config = compose.resolve(
        registry.find("protocol", suite.protocol_of(method)),
        registry.find("method", method),
        registry.find("encoder", encoder),
        shift,
        domain_fragments(shift),
        seed=0,
    )
    model = copy.deepcopy(config["model"])
    for backbone in with_weights(model):
        del backbone["weights_of"]
        backbone["pretrained"] = None
    height, width = model["data_preprocessor"]["size"]
    if terms.crop is not None:
        model = _scaled(model, terms.crop / height)
        height = width = terms.crop
        model["data_preprocessor"]["size"] = [height, width]
    return {
        "imports": list(identity.packages_of(config)),
        "model": model,
        "optim_wrapper": _in_precision(config["optim_wrapper"], terms.precision),
        "size": [height, width],
        "batch": terms.batch or config["train_dataloader"]["batch_size"],
        "target": config["train_dataloader"]["dataset"]["target"] is not None,
        **{key: getattr(terms, key) for key in ("device", "threads", "steps", "warmup", "repeats")},
        "side": "both" if terms.against_baseline else "ours",
    }


def _scaled(model: dict[str, Any], ratio: float) -> dict[str, Any]:
    """A model's configuration for images that are ``ratio`` times as high."""
    changed = copy.deepcopy(model)
    rows = changed.get("ignored_rows")
    if rows:
        changed["ignored_rows"] = {side: int(count * ratio) for side, count in rows.items()}
    masking = changed.get("masking")
    if masking and "size" in masking:
        masking["size"] = max(1, round(masking["size"] * ratio))
    detail = changed["segmentor"].get("detail_size")
    if detail:
        sides = [max(8, int(side * ratio) // 8 * 8) for side in detail]
        changed["segmentor"]["detail_size"] = sides
    return changed


def _in_precision(optim_wrapper: Mapping[str, Any], precision: str | None) -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(dict(optim_wrapper))
    if precision is not None:
        student = changed.get("student", changed)
        student["type"] = "AutocastOptimWrapper" if precision == "bf16" else "OptimWrapper"
    return changed


Runner = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Does a job and returns what the data plane found."""


def in_own_process(job: Mapping[str, Any]) -> dict[str, Any]:
    """Do a job in a fresh process of the data plane."""
    threads = str(job["threads"])
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    with tempfile.TemporaryDirectory(prefix="udabench-profile-") as folder:
        asked, answer = Path(folder) / "job.json", Path(folder) / "result.json"
        asked.write_text(json.dumps(job), encoding="utf-8")
        command = [sys.executable, "-m", "mmseg_ext.profiling", str(asked), str(answer)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True)
        try:
            found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            lines = ended.stderr.strip().splitlines()
            how = "was killed, most likely for memory" if ended.returncode == -9 else "died"
            return {"error": f"the process {how}: {lines[-1] if lines else 'it said nothing'}"}
    return found
