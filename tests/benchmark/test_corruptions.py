"""Domains of corrupted images: their fragments, what a cell scores, and who refuses them."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark import (
    corruptions,
    data,
    data_check,
    domains,
    evaluation_rules,
    missing_data,
    paths,
    plan,
    predicted_images,
    registry,
)
from benchmark import suite as suites
from benchmark.data_roots import DataRoots
from benchmark.errors import FragmentError, UsageError
from benchmark.minidrive_export import export
from benchmark.plan import PlannedCell
from benchmark.records import Record
from benchmark.registry import Fragment
from benchmark.runtime import Runtime

DOMAIN = "minidrive-real-c"
FEW = 'corrupted = dict(corruptions=("fog", "contrast"), severities=(1, 5), every=2)\n'


@pytest.fixture(scope="module")
def planned(tiny: Path) -> PlannedCell:
    """A cell of the shift, with two corruptions at two severities of two images."""
    fragment = tiny / f"configs/domains/{DOMAIN}.py"
    fragment.write_text(fragment.read_text(encoding="utf-8") + FEW, encoding="utf-8")
    (tiny / "configs/suites/corrupted.yaml").write_text(
        "title: Corrupted\nprotocol: minidrive\nmethods: [source-only]\nencoders: [resnet-mini]\n"
        "shifts: [minidrive-corruptions]\nseeds: [0]\n",
        encoding="utf-8",
    )
    registry.forget()
    stem = "source-only__resnet-mini__minidrive-corruptions__seed0"
    return plan.one(suites.load("corrupted"), tiny / "out", stem, 2)


@pytest.fixture(scope="module")
def record(tiny: Path, planned: PlannedCell) -> Record:
    from benchmark import worker

    data.prepare([planned])
    runtime = Runtime("cpu", 1, 0, DataRoots(None), paths.cache_root())
    found = worker.run_cell(planned, suites.load("corrupted"), tiny / "out/corrupted", runtime)
    assert found.state == "done", found.failure
    return found


def mean_iou(counts: Any) -> float:
    """Mean over the classes with ground truth, in percent, one class at a time."""
    found = []
    for each in range(19):
        truth, predicted = counts[each].sum(), counts[:, each].sum()
        if truth:
            found.append(100 * counts[each, each] / (truth + predicted - counts[each, each]))
    return sum(found) / len(found)


def test_a_corruption_is_scored_at_each_severity_and_the_domain_over_all(
    tiny: Path, record: Record
) -> None:
    scores = record.metrics[DOMAIN]
    with np.load(tiny / "out/corrupted" / record.diagnostics["confusion"]["file"]) as file:
        counts = file[DOMAIN].reshape(2, 2, 2, 19, 19)  # corruption, severity, image
    single = [[mean_iou(counts[c, s].sum(axis=0)) for s in (0, 1)] for c in (0, 1)]
    assert scores.images == 8
    assert scores.groups == {
        "fog": pytest.approx(sum(single[0]) / 2),
        "contrast": pytest.approx(sum(single[1]) / 2),
    }
    assert scores.miou == pytest.approx((sum(single[0]) + sum(single[1])) / 4)
    assert scores.means == {
        "pooled": pytest.approx(mean_iou(counts.sum(axis=(0, 1, 2)))),
        "mean of groups": pytest.approx(scores.miou),
        "severity 1": pytest.approx((single[0][0] + single[1][0]) / 2),
        "severity 5": pytest.approx((single[0][1] + single[1][1]) / 2),
    }
    assert scores.miou != pytest.approx(scores.means["pooled"])
    assert scores.notes == (
        "mean of the mIoU of contrast, fog, each the mean over severities 1, 5",
    )


def test_the_target_is_scored_on_its_plain_images(record: Record) -> None:
    assert record.metrics["minidrive-real"].images == 4
    assert record.metrics["minidrive-real"].groups == {}


def test_examples_show_each_corruption(tiny: Path, record: Record) -> None:
    shown = tiny / "out/corrupted/examples" / DOMAIN
    assert {each.name.partition("-")[2] for each in shown.iterdir()} == {"fog", "contrast"}


def test_what_is_scored_and_read_with_is_part_of_the_identity(planned: PlannedCell) -> None:
    config = planned.config
    assert config["test_dataloader"][DOMAIN]["dataset"]["severities"] == [1, 5]
    assert planned.identity is not None
    assert "mmseg_ext/datasets/corruption.py" in planned.identity.modules
    assert corruptions.COMPONENTS in config["custom_imports"]["imports"]


def test_corrupted_images_are_neither_trained_on_nor_predicted() -> None:
    protocol = registry.find("protocol", "daformer")
    for name in ("cityscapes-c", DOMAIN):
        with pytest.raises(FragmentError, match=f"{name} are corrupted to be scored on"):
            domains.trained(registry.find("domain", name), protocol, [], labelled=False)
    with pytest.raises(UsageError, match="has every image many times over"):
        predicted_images.without_labels("cityscapes-c", "daformer", DataRoots(None))


def changed(**values: Any) -> Fragment:
    domain = registry.find("domain", "cityscapes-c")
    return dataclasses.replace(domain, values={**domain.values, **values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"corrupted": ["fog"]}, r"corrupted is \['fog'\], expected a dict of corruptions"),
        ({"corrupted": {"corruption": []}}, "unknown key 'corruption'; closest: 'corruptions'"),
        ({"corrupted": {"corruptions": ["frog"], "severities": [1]}}, "closest: 'frost'|'fog'"),
        ({"corrupted": {"corruptions": ["fog"], "severities": [0]}}, "unknown severities '0'"),
        ({"corrupted": {"corruptions": ["fog", "fog"]}}, "expected a list without repetitions"),
        ({"corrupted": {"corruptions": ["fog"]}}, "corrupted.severities is None"),
        ({"corrupted": {"every": 0}}, "corrupted.every is 0, expected a number of at least 1"),
        ({"custom_imports": {"imports": []}}, "corrupted needs custom_imports"),
    ],
)
def test_slips_of_the_pen_are_named(values: dict[str, Any], message: str) -> None:
    rules = evaluation_rules.of_protocol(registry.find("protocol", "daformer"))
    domain = dataclasses.replace(changed(**values), base=None)
    with pytest.raises(FragmentError, match=rf"cityscapes-c.py: .*({message})"):
        domains.scored(domain, rules)


def test_a_missing_library_is_told_before_anything_runs(
    planned: PlannedCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert missing_data.missing_data([planned], DataRoots(None)) == []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (told,) = missing_data.missing_data([planned], DataRoots(None))
    assert told.startswith("package imagecorruptions-imaug is missing")
    assert "pip install 'udabench[corruptions]'" in told


def test_the_files_are_those_of_cityscapes_and_every_tenth_is_scored(tmp_path: Path) -> None:
    made = export("cityscapes", tmp_path, images=11, size=(64, 32))
    domain = registry.find("domain", "cityscapes-c")
    report = data_check.check(domain, made.folder, 1, lambda done, total: None)
    assert report.ready
    assert [(split.split, split.images) for split in report.splits] == [("test", 11)]
    rules = evaluation_rules.of_protocol(registry.find("protocol", "daformer"))
    config = {**domains.scored(domain, rules), "data_root": str(made.folder)}
    config["pipeline"] = config["pipeline"][:3]
    import mmseg_ext.datasets.corrupted_domain  # noqa: F401  (registers)

    dataset = predicted_images._built(config)
    assert len(dataset) == 2 * 16 * 5
    assert dataset[len(dataset) - 1]["img"].shape == (32, 64, 3)


def test_the_images_that_a_published_domain_has_scored_are_counted() -> None:
    """Of 500 frames every tenth, sixteen corruptions, five severities; a plain domain's are its."""
    cityscapes_c = registry.find("domain", "cityscapes-c")
    assert corruptions.scored_images(cityscapes_c, 500) == 50 * 16 * 5
    assert corruptions.scored_images(cityscapes_c, 501) == 51 * 16 * 5
    assert corruptions.scored_images(registry.find("domain", "cityscapes"), 500) == 500
