from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from scored import scored

from benchmark.records import DomainMetrics, iterate_records
from benchmark.report.statistics.collapse import collapsed

BEFORE = {"road": 80.0, "train": 12.0, "wall": 3.0, "sky": 70.0, "rider": None}


def scores(
    miou: float, iou: Mapping[str, float | None] = BEFORE, role: str = "target"
) -> DomainMetrics:
    return scored({"real": miou}, role=role, per_class_iou=iou)["real"]


def test_a_class_that_the_reference_knew_and_that_is_gone_is_told() -> None:
    (sentence,) = collapsed(scores(42.0, {**BEFORE, "train": 0.2}), scores(41.0))
    assert sentence == "collapsed: IoU below 1 for train (12.0 before)"


def test_a_class_that_nobody_learned_is_no_alarm() -> None:
    assert collapsed(scores(42.0, {**BEFORE, "wall": 0.0}), scores(41.0)) == ()
    assert collapsed(scores(42.0, {**BEFORE, "train": 1.5}), scores(41.0)) == ()


def test_few_classes_are_told_without_a_reference() -> None:
    alone = {"road": 30.0, "train": 0.0, "wall": 0.5, "sky": 20.0, "rider": None}
    (sentence,) = collapsed(scores(12.0, alone), None)
    assert sentence == "predictions of few classes: IoU below 1 for 2 of 4 classes"
    assert collapsed(scores(12.0, {**alone, "wall": 2.0}), None) == ()


@pytest.mark.parametrize(("miou", "told"), [(38.1, 0), (37.9, 1), (45.0, 0)])
def test_a_fall_below_the_baseline(miou: float, told: int) -> None:
    assert len(collapsed(scores(miou), scores(41.0))) == told
    assert collapsed(scores(miou, role="source"), scores(41.0, role="source")) == ()


def test_no_committed_record_alarms() -> None:
    results = Path(__file__).parents[4] / "results"
    seen = False
    for suite in ("demo", "demo-methods"):
        found = {record.cell: record for record in iterate_records(results / suite)}
        for cell, record in found.items():
            ground = next(
                other
                for known, other in found.items()
                if known.method == "source-only"
                and (known.encoder, known.seed) == (cell.encoder, cell.seed)
            )
            seen = True
            for domain, metrics in record.metrics.items():
                assert collapsed(metrics, ground.metrics[domain]) == (), (cell, domain)
    assert seen
