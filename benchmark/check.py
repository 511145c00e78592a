"""Whether a method or an encoder keeps the benchmark's rules, found out on the CPU without data.

The data plane checks (`mmseg_ext.conformance`), in a process of its own. Here the configuration is
made as for a cell of MiniDrive: a method meets a small encoder, an encoder a self-training method.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import compose, encoder_reference, identity, registry
from benchmark.errors import FragmentError, UsageError
from benchmark.registry import Fragment
from benchmark.resolution import domain_fragments
from benchmark.weights import with_weights

KINDS = ("method", "encoder")
COMPANIONS = {"method": "resnet-mini", "encoder": "dacs"}
"""What each kind is checked with: the encoder of a method, the method of an encoder."""
PROTOCOL = SHIFT = "minidrive"
_ITERATIONS = 100
_BATCH = 2
# From the first step on, so that few steps tell apart what many would.
_WARM_UP = {"warmup_iterations": 1, "warmup_factor": 0.5}


@dataclass(frozen=True)
class Report:
    """What was checked, whose it is, with what, and each verdict as the data plane wrote it."""

    kind: str
    name: str
    origin: str
    companion: str
    checks: Sequence[Mapping[str, Any]]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(each["state"] != "failed" for each in self.checks)


def kind_of(text: str) -> tuple[str, str]:
    """Kind and name of what ``text`` calls by its name, or by KIND/NAME.

    Raises:
        UsageError: there is no such method or encoder, or there is one of each.
    """
    kind, slash, name = text.partition("/")
    if slash and kind.removesuffix("s") in KINDS:
        kind = kind.removesuffix("s")
        if kind == "method" or not encoder_reference.parse(name):
            registry.locate(kind, name)
        return kind, name
    if encoder_reference.parse(text):
        return "encoder", text
    found = [kind for kind in KINDS if text in registry.names(kind)]
    if not found:
        known = {name for kind in KINDS for name in registry.names(kind)}
        raise UsageError(registry.unknown("method or encoder", text, known))
    if len(found) > 1:
        both = " and ".join(f"{kind}/{text}" for kind in found)
        raise UsageError(f"{text!r} is the name of several things: say {both}")
    return found[0], text


def check(kind: str, name: str, companion: str | None = None) -> Report:
    """Check one method or encoder.

    Raises:
        UsageError: the companion does not exist.
    """
    begun = time.monotonic()
    other = companion or COMPANIONS[kind]
    registry.find(KINDS[1 - KINDS.index(kind)], other)
    try:
        made = job(kind, name, other)
    except FragmentError as error:
        # A broken fragment is what the kit is asked about, no wrong use of the command.
        checks: Sequence[Mapping[str, Any]] = [_failed("fragment", str(error))]
    else:
        checks = in_own_process(made)
    return Report(kind, name, origin_of(kind, name), other, checks, time.monotonic() - begun)


def origin_of(kind: str, name: str) -> str:
    """``udabench``, or how the plugin came in that brings it."""
    if kind == "encoder" and encoder_reference.parse(name):
        return registry.OWN
    return registry.home(kind, name).origin


def job(kind: str, name: str, companion: str) -> dict[str, Any]:
    """What the data plane is given, as JSON can hold it.

    Raises:
        FragmentError: a fragment is broken.
    """
    names = {kind: name, KINDS[1 - KINDS.index(kind)]: companion}
    method, encoder = (registry.find(each, names[each]) for each in KINDS)
    shift = registry.find("shift", SHIFT)
    config = compose.resolve(
        _protocol(), method, encoder, shift, domain_fragments(shift), seed=0, iterations=_ITERATIONS
    )
    model = _fitted(config["model"])
    for backbone in with_weights(model):
        del backbone["weights_of"]
        backbone["pretrained"] = None
    return {
        "kind": kind,
        "name": name,
        "card": _plain((method if kind == "method" else encoder).card),
        "imports": [each for each in identity.packages_of(config) if each != "mmseg_ext"],
        "model": model,
        "optim_wrapper": config["optim_wrapper"],
        "param_scheduler": config["param_scheduler"],
        "size": model["data_preprocessor"]["size"],
        "batch": _BATCH,
        "target": config["train_dataloader"]["dataset"]["target"] is not None,
    }


def _protocol() -> Fragment:
    protocol = registry.find("protocol", PROTOCOL)
    schedule = {**protocol.require("schedule"), **_WARM_UP}
    return dataclasses.replace(protocol, values={**protocol.values, "schedule": schedule})


def _fitted(model: Mapping[str, Any]) -> dict[str, Any]:
    """The model where it says in pixels what small images are too small for."""
    changed = copy.deepcopy(dict(model))
    size = changed["data_preprocessor"]["size"]
    rows = changed.get("ignored_rows")
    if rows and sum(rows.values()) >= size[0]:
        changed["ignored_rows"] = {side: count // 8 for side, count in rows.items()}
    detail = changed["segmentor"].get("detail_size")
    if detail and any(a >= b for a, b in zip(detail, size, strict=True)):
        changed["segmentor"]["detail_size"] = [side // 2 for side in size]
    return changed


def _plain(card: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(dict(card), default=str))
    return plain


def _failed(name: str, detail: str) -> dict[str, Any]:
    return {"check": name, "state": "failed", "detail": detail, "seconds": 0.0}


def in_own_process(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The verdicts on a job, from a fresh process of the data plane that sees no GPU."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    with tempfile.TemporaryDirectory(prefix="udabench-check-") as folder:
        asked, answer = Path(folder) / "job.json", Path(folder) / "verdicts.json"
        asked.write_text(json.dumps(made), encoding="utf-8")
        command = [sys.executable, "-m", "mmseg_ext.conformance", str(asked), str(answer)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True)
        found: list[dict[str, Any]] = []
        if answer.is_file():
            found = json.loads(answer.read_text(encoding="utf-8"))
    if ended.returncode not in (0, 1) or not found:
        lines = ended.stderr.strip().splitlines()
        found.append(_failed("kit", f"the process died: {lines[-1] if lines else 'silently'}"))
    return found
