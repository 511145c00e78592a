"""Jobs for the kit around the small student of the other tests."""

from __future__ import annotations

import copy

import pytest
import small_world

from mmseg_ext.conformance.job import Job

CARDS = {
    "method": {
        "title": "Mine",
        "summary": "What it does.",
        "role": "uda",
        "paper": "unpublished",
        "target_images": True,
        "target_labels": False,
    },
    "encoder": {"title": "Mine", "summary": "What it is.", "family": "any", "pretraining": "none"},
}


def plain(value):
    """Dictionaries that JSON could hold, as the command sends them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.fixture
def job(tmp_path):
    """Makes the job of a method of `small_world`, or of one that is derived from it."""

    def make(method="source-only", kind="method", **changes):
        model = plain(small_world.model(method))
        encoder = changes.pop("encoder", None)
        if encoder is not None:
            model["segmentor"]["backbone"] = {"type": encoder}
            model["segmentor"]["decode_head"]["in_channels"] = [8, 8, 8, 8]
        model |= changes.pop("model", {})
        wrappers = copy.deepcopy(small_world.optimization(method)["optim_wrapper"])
        student = wrappers.get("student", wrappers)
        student["constructor"] = "StudentOptimWrapperConstructor"
        found = {
            "kind": kind,
            "name": "mine",
            "card": CARDS[kind],
            "imports": ["broken_plugin"],
            "model": model,
            "optim_wrapper": wrappers,
            "param_scheduler": small_world.optimization(method)["param_scheduler"],
            "size": [64, 64],
            "batch": 2,
            "target": method not in small_world.SOURCE_ALONE,
            "folder": str(tmp_path),
        }
        return Job.of(found | changes)

    return make
