"""Means over classes and groups, against plain loops over the counts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmark import class_subsets, records, registry
from benchmark.cell import Cell
from benchmark.errors import FragmentError, UdabenchError
from benchmark.records import Identity, Record
from benchmark.scores import domain_metrics

SIXTEEN = [c for c in range(19) if c not in (9, 14, 16)]


def counts(images: int, absent: Sequence[int] = (), seed: int = 0) -> NDArray[np.int64]:
    found = np.random.default_rng(seed).integers(1, 50, (images, 19, 19))
    found[:, list(absent)] = 0
    return found


def plain_mean(confusion: NDArray[np.int64], classes: Sequence[int]) -> float:
    """Mean over classes with ground truth of hits / (truth or prediction), in percent."""
    values = []
    for c in classes:
        truth, said = int(confusion[c].sum()), int(confusion[:, c].sum())
        if truth:
            values.append(100 * int(confusion[c, c]) / (truth + said - int(confusion[c, c])))
    return sum(values) / len(values)


def scored(confusion: NDArray[np.int64], groups: Sequence[str | None] = (), **scoring: Any) -> Any:
    from mmseg_ext.evaluation import DomainScore

    return domain_metrics("here", "target", DomainScore(confusion), groups, scoring)


def test_fewer_classes_are_a_mean_of_their_own_iou_and_not_a_fraction_of_all() -> None:
    confusion = counts(3)
    total = confusion.sum(axis=0)
    found = scored(confusion, classes=SIXTEEN, also={"road and sky": [0, 10]})
    assert found.miou == pytest.approx(plain_mean(total, SIXTEEN))
    assert found.miou != pytest.approx(plain_mean(total, range(19)) * 19 / 16)
    assert found.scored_classes == 16
    assert found.means == {
        "road and sky": pytest.approx(plain_mean(total, [0, 10])),
        "all classes": pytest.approx(plain_mean(total, range(19))),
    }
    assert len(found.per_class_iou) == 19
    assert found.notes[0].startswith("mean of 16 classes: road, sidewalk,")
    assert "terrain" not in found.notes[0]


def test_a_class_of_the_subset_without_ground_truth_is_not_scored() -> None:
    confusion = counts(2, absent=[12])
    found = scored(confusion, classes=SIXTEEN)
    assert found.scored_classes == 15
    assert found.miou == pytest.approx(plain_mean(confusion.sum(axis=0), SIXTEEN))
    assert found.per_class_iou["rider"] is None


@pytest.mark.parametrize("mean", ["pooled", "per-condition"])
def test_groups_stand_beside_the_pooled_value(mean: str) -> None:
    confusion = counts(5, seed=3)
    confusion[1:3] *= 7  # larger images weigh more in the pooled value
    groups = ["fog", "night", "night", "fog", "snow"]
    found = scored(confusion, groups, mean=mean)
    by_group = {
        name: plain_mean(confusion[[g == name for g in groups]].sum(axis=0), range(19))
        for name in ("fog", "night", "snow")
    }
    pooled = plain_mean(confusion.sum(axis=0), range(19))
    of_groups = sum(by_group.values()) / 3
    assert found.groups == {name: pytest.approx(value) for name, value in by_group.items()}
    assert found.means == {
        "pooled": pytest.approx(pooled),
        "mean of groups": pytest.approx(of_groups),
    }
    assert found.miou == pytest.approx(pooled if mean == "pooled" else of_groups)
    assert bool(found.notes) == (mean == "per-condition")


def test_without_groups_the_mean_per_condition_is_the_pooled_one() -> None:
    confusion = counts(2)
    found = scored(confusion, [None, None], mean="per-condition")
    assert (found.miou, found.groups, found.means) == (scored(confusion).miou, {}, {})


def test_a_group_without_labels_is_left_out() -> None:
    confusion = counts(3)
    confusion[1] = 0
    found = scored(confusion, ["fog", "night", "fog"], mean="per-condition")
    assert set(found.groups) == {"fog"}


def test_nothing_to_score_is_an_error_and_no_nan() -> None:
    with pytest.raises(UdabenchError, match="domain here: none of the classes that are scored"):
        scored(counts(2, absent=range(19)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"classes": ["road", "skyy"]}, "classes: unknown class 'skyy'; closest: 'sky'"),
        ({"classes": [0, 19]}, "unknown class 19"),
        ({"classes": [True]}, "unknown class True"),
        ({"classes": ["road", 0]}, "names a class twice"),
        ({"classes": []}, "expected a list of class names or train ids"),
        ({"classes": "road"}, "expected a list of class names or train ids"),
        ({"also": ["road"]}, "expected a dict from the name of a mean"),
        ({"also": {"few": ["x"]}}, r"also\['few'\]: unknown class 'x'"),
    ],
)
def test_wrong_class_subsets_are_named(values: dict[str, Any], message: str) -> None:
    shift = registry.find("shift", "gta5-cityscapes")
    changed = dataclasses.replace(shift, values={**shift.values, **values})
    with pytest.raises(FragmentError, match=message):
        class_subsets.of_shift(changed)


def test_records_keep_means_groups_and_notes_and_old_ones_still_load(tmp_path: Path) -> None:
    found = scored(counts(2), ["fog", "snow"], classes=SIXTEEN)
    cell = Cell("dacs", "mit-b5", "there", 0)
    record = Record("s", cell, Identity("i", 1, "c", "d", "m"), "done", metrics={"acdc": found})
    path = records.write_record(tmp_path, record)
    assert records.read_record(path).metrics == {"acdc": found}
    document = json.loads(path.read_text())
    for key in ("means", "groups", "notes"):
        del document["metrics"]["acdc"][key]
    path.write_text(json.dumps(document))
    old = records.read_record(path).metrics["acdc"]
    assert (old.miou, old.means, old.groups, old.notes) == (found.miou, {}, {}, ())
