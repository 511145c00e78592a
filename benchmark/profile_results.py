"""What a profile found, in units and names that its JSON file and its tables share."""

from __future__ import annotations

import dataclasses
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmark import provenance
from benchmark.profile import Combination, Runner, Terms
from benchmark.suite import Suite

VERSION = 1
Row = Mapping[str, Any]


def rows(
    wanted: Sequence[Combination], run: Runner, announce: Callable[[str], None] = lambda _: None
) -> Iterator[Row]:
    """Measure one combination after the other; one that fails is a row that says why."""
    for number, combination in enumerate(wanted, start=1):
        name = f"{combination.method} / {combination.encoder}"
        announce(f"measuring {name} ({number} of {len(wanted)})")
        found = run(combination.job)
        if "error" not in found and combination.job["side"] == "both":
            # Two steps: the optimizer's state is there in the second one only.
            brief = {"brief": True, "warmup": 1, "steps": 1, "repeats": 1}
            alone = [run({**combination.job, **brief, "side": side}) for side in ("ours", "plain")]
            found["alone"] = [_memory(each) for each in alone]
        yield row(combination, found)


def _memory(found: Mapping[str, Any]) -> tuple[float, float] | None:
    """Peak of a process, and what it held before there was a network; ``None`` if it failed."""
    if "error" in found:
        return None
    return found["peak_memory_mib"], found["empty_memory_mib"] or 0.0


def row(combination: Combination, found: Mapping[str, Any]) -> Row:
    """What was found of a combination, in units and names of the JSON file."""
    job = combination.job
    what = {
        "method": combination.method,
        "encoder": combination.encoder,
        **{key: job[key] for key in ("size", "batch", "threads")},
    }
    if "error" in found:
        return {**what, "state": "failed", "reason": provenance.scrub(str(found["error"]))}
    pace = spread(found["seconds"]["ours"])
    images = job["batch"] * (2 if job["target"] else 1)
    copied = (
        *("precision", "device", "parameters", "trainable_parameters", "method_parameters"),
        *("gmacs_forward", "gmacs_step", "peak_memory_mib", "empty_memory_mib", "phases", "waits"),
    )
    return {
        **what,
        "state": "done",
        **{key: found[key] for key in copied},
        "seconds_per_iteration": pace,
        "images_per_second": images / pace["median"],
        "watching": _ratio(found["seconds"]["watched"], found["seconds"]["ours"]),
        "utilisation": _utilisation(found, pace["median"]),
        **({"baseline": _baseline(found)} if "plain" in found["seconds"] else {}),
    }


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Median, lowest and highest of the repeats, and the repeats."""
    return {
        "median": statistics.median(values),
        "low": min(values),
        "high": max(values),
        "repeats": list(values),
    }


def _ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, Any]:
    """Of times taken in turn: each repeat's ratio, so that what slowed both cancels."""
    return spread([a / b for a, b in zip(above, below, strict=True)])


def _utilisation(found: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Rate of the step's multiply-adds, two operations each, and its share of what could be."""
    rate = 2.0 * found["gmacs_step"] / seconds / 1e3
    peak = found["peak_tflops"]
    return {
        "tflops": rate,
        "matrix_tflops": found["matrix_tflops"],
        "of_matrix_rate": rate / found["matrix_tflops"],
        "peak_tflops": peak,
        "of_peak": rate / peak if peak else None,
    }


def _baseline(found: Mapping[str, Any]) -> dict[str, Any]:
    """The plain step beside the real one; memory was measured with each of them alone."""
    own, plain = found["alone"]
    return {
        "seconds_per_iteration": spread(found["seconds"]["plain"]),
        "speedup": _ratio(found["seconds"]["plain"], found["seconds"]["ours"]),
        "own_peak_memory_mib": own and own[0],
        "peak_memory_mib": plain and plain[0],
        "memory_ratio": (own[0] - own[1]) / (plain[0] - plain[1]) if own and plain else None,
        "loss_difference": found["agreement"]["relative_difference"],
    }


def document(suite: Suite, terms: Terms, found: Sequence[Row], command: str) -> dict[str, Any]:
    """The JSON file of a profile: no host names, folders or dates."""
    others = {each: name for each, name in suite.protocols.items() if each in suite.methods}
    return {
        "profile": VERSION,
        "suite": suite.name,
        "protocol": suite.protocol,
        **({"protocols": others} if others else {}),
        "command": command,
        "terms": dataclasses.asdict(terms),
        "machine": machine(),
        "rows": list(found),
    }


def machine() -> dict[str, Any]:
    """Processor, cores, memory and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": provenance.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "python": sys.version.split()[0],
        "packages": provenance.package_versions(("torch", "mmengine", "mmsegmentation", "timm")),
    }
