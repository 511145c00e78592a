"""MiniDrive real -> adverse: what is trained on, what is scored, and the scores of each weather."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark import data, domains, evaluation_rules, paths, plan, predicted_images, registry
from benchmark import suite as suites
from benchmark.data_roots import DataRoots
from benchmark.plan import PlannedCell
from benchmark.records import Record
from benchmark.runtime import Runtime

WEATHERS = ["fog", "night", "rain", "snow"]
TARGET = "minidrive-adverse"
STEM = "resnet-mini__minidrive-adverse__seed0"


@pytest.fixture(scope="module")
def planned(tiny: Path) -> dict[str, PlannedCell]:
    """A UDA method and the oracle on the shift, by the method's name."""
    (tiny / "configs/suites/adverse.yaml").write_text(
        "title: Adverse\nprotocol: minidrive\nmethods: [dacs, oracle]\nencoders: [resnet-mini]\n"
        "shifts: [minidrive-adverse]\nseeds: [0]\n",
        encoding="utf-8",
    )
    registry.forget()
    suite = suites.load("adverse")
    return {
        name: plan.one(suite, tiny / "out", f"{name}__{STEM}", 2) for name in ("dacs", "oracle")
    }


@pytest.fixture(scope="module")
def record(tiny: Path, planned: dict[str, PlannedCell]) -> Record:
    """The record of two iterations of DACS."""
    from benchmark import worker

    cell = planned["dacs"]
    data.prepare([cell])
    runtime = Runtime("cpu", 1, 0, DataRoots(None), paths.cache_root())
    found = worker.run_cell(cell, suites.load("adverse"), tiny / "out/adverse", runtime)
    assert found.state == "done", found.failure
    return found


def test_no_weather_is_both_trained_on_and_unseen(planned: dict[str, PlannedCell]) -> None:
    config = planned["dacs"].config
    unseen = {name for name, role in config["roles"].items() if role == "unseen"}
    assert unseen == {"minidrive-geo", "minidrive-synthetic"}
    assert config["domains"][TARGET]["test"] == WEATHERS


def test_labels_of_adverse_training_images_are_for_the_oracle_alone(
    planned: dict[str, PlannedCell],
) -> None:
    pairs = {name: each.config["train_dataloader"]["dataset"] for name, each in planned.items()}
    assert pairs["dacs"]["source"]["images"] == "real/train/images"
    assert pairs["dacs"]["target"]["images"] == "adverse/train/images"
    assert pairs["dacs"]["target"]["labels"] is None
    assert pairs["oracle"]["source"]["labels"] == "adverse/train/labels"
    assert pairs["oracle"]["target"] is None


def test_training_images_and_test_sets_of_every_weather_are_generated(
    planned: dict[str, PlannedCell],
) -> None:
    (pairs,) = data.needs(planned.values()).values()
    trained = {("adverse", "train"), ("real", "train")}
    scored = {(name, "test") for name in ("real", "geo", "synthetic", *WEATHERS)}
    assert Counter(pairs) == Counter(trained | scored)


def test_every_weather_has_a_score_of_its_own_images(tiny: Path, record: Record) -> None:
    scores = record.metrics[TARGET]
    assert scores.images == 16
    assert sorted(scores.groups) == WEATHERS
    with np.load(tiny / "out/adverse" / record.diagnostics["confusion"]["file"]) as file:
        counts, names = file[TARGET], file[f"{TARGET}.groups"]
        alone = {each: file[TARGET][names == each] for each in WEATHERS}
    assert Counter(names.tolist()) == dict.fromkeys(WEATHERS, 4)
    assert scores.miou == pytest.approx(mean_iou(counts.sum(axis=0)))
    for weather, own in alone.items():
        assert scores.groups[weather] == pytest.approx(mean_iou(own.sum(axis=0)))
    assert len({*scores.groups.values()}) == 4


def mean_iou(counts: Any) -> float:
    """Mean over the classes with ground truth, in percent, one class at a time."""
    found = []
    for each in range(19):
        truth, predicted = counts[each].sum(), counts[:, each].sum()
        if truth:
            found.append(100 * counts[each, each] / (truth + predicted - counts[each, each]))
    return sum(found) / len(found)


def test_examples_show_each_weather(tiny: Path, record: Record) -> None:
    shown = tiny / "out/adverse/examples" / TARGET
    assert sorted(each.name.partition("-")[2] for each in shown.iterdir()) == WEATHERS


def test_images_are_found_with_their_weather_and_without_labels(tiny: Path) -> None:
    images = predicted_images.without_labels(TARGET, "minidrive", DataRoots(None))
    entries = images.dataset.data_list
    assert [Path(path).parts[-4] for path in images.paths] == images.dataset.groups
    assert Counter(images.groups) == dict.fromkeys(WEATHERS, 4)
    assert all("seg_map_path" not in entry for entry in entries)
    trained = predicted_images.without_labels(TARGET, "minidrive", DataRoots(None), "train")
    assert {Path(path).parts[-4] for path in trained.paths} == {"adverse"}
    assert len(trained.paths) == 10


def test_scored_images_have_the_labels_of_their_own_weather(tiny: Path, record: Record) -> None:
    rules = evaluation_rules.of_protocol(registry.find("protocol", "minidrive"))
    config = domains.scored(registry.find("domain", TARGET), rules)
    root = data.generate(registry.find("domain", TARGET).require("world"), [])
    dataset = predicted_images._built({**config, "data_root": str(root)})
    for entry in dataset.data_list:
        assert entry["seg_map_path"] == entry["img_path"].replace("/images/", "/labels/")
