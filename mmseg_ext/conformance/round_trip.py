"""The state of a method is all in its state_dict: out of one, into another, and on."""

from __future__ import annotations

from pathlib import Path

import torch

from mmseg_ext.conformance import build as building
from mmseg_ext.conformance import fingerprints
from mmseg_ext.conformance.job import Job
from mmseg_ext.conformance.naming import differences, some
from mmseg_ext.conformance.verdict import Failed
from mmseg_ext.profiling.job import Built

_STEPS = 2
_FILE = "round_trip.pth"


def round_trip(job: Job) -> str:
    """A method built anew from another seed takes the same next step once it has the state."""
    first = building.build(job)
    data = building.batches(job)
    building.seeded(0)
    for _ in range(_STEPS):
        building.step(first, next(data))
    path = Path(job.folder) / _FILE
    states = {"method": first.method.state_dict(), "optimizers": first.optimizers.state_dict()}
    torch.save(states, path)
    batch = next(data)
    expected = _next_step(first, batch)
    del first, states

    # Again the same images: a step may have changed those it was given in place.
    again = building.batches(job)
    batch = [next(again) for _ in range(_STEPS + 1)][-1]
    second = building.build(job, seed=1)
    stored = torch.load(path, weights_only=True)
    path.unlink()
    second.method.load_state_dict(stored["method"])
    second.optimizers.load_state_dict(stored["optimizers"])
    del stored
    changed = differences(expected, _next_step(second, batch))
    if changed:
        raise Failed(
            f"with the state of another the next step differs in {some(changed)}",
            "keep what later steps depend on in buffers (register_buffer) or parameters",
        )
    return f"{len(expected)} values of the next step equal"


def _next_step(built: Built, batch: object) -> fingerprints.Fingerprint:
    building.seeded(1)
    log = building.step(built, batch)
    return {**fingerprints.of_state(log, "the log"), **fingerprints.of_built(built)}
