from __future__ import annotations

from pathlib import Path

import pandas
import pytest

from benchmark.cell import Cell
from benchmark.errors import RecordError
from benchmark.records import Cost, DomainMetrics, Failure, Identity, Record, write_record
from benchmark.report import load_records

COST = Cost(60.0, 5.0, 0.1, 80.0, 900.0, 1000, 900, 0.02)


def identity(name: str) -> Identity:
    return Identity(name, 1, "c", "d", "m")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    metrics = {
        "real": DomainMetrics("target", 50.5, {"road": 90.0, "train": None}, 1, 91.0, 160),
        "fog": DomainMetrics("unseen", 40.0, {"road": 80.0, "rider": 10.0}, 2, 81.0, 160),
    }
    done = Record("toy", Cell("dacs", "e", "s", 0), identity("a"), "done", metrics, cost=COST)
    failure = Failure("nan", "loss is not finite", "log.txt")
    failed = Record("toy", Cell("dacs", "e", "s", 1), identity("b"), "failed", failure=failure)
    for record in (failed, done):
        write_record(tmp_path, record)
    return tmp_path


def test_one_row_for_each_cell_and_domain(folder: Path) -> None:
    frame = load_records(folder)
    assert frame[["seed", "state", "domain", "role"]].fillna("").to_numpy().tolist() == [
        [0, "done", "fog", "unseen"],
        [0, "done", "real", "target"],
        [1, "failed", "", ""],
    ]
    assert frame.miou.tolist()[:2] == [40.0, 50.5]
    assert pandas.isna(frame.miou[2])
    assert frame.failure[2] == "nan"
    assert frame.id.tolist() == ["a", "a", "b"]
    assert frame.train_seconds.tolist()[:2] == [60.0, 60.0]


def test_classes_are_columns(folder: Path) -> None:
    frame = load_records(str(folder))
    assert [name for name in frame.columns if name.startswith("iou.")] == [
        "iou.rider",
        "iou.road",
        "iou.train",
    ]
    assert frame["iou.road"].tolist()[:2] == [80.0, 90.0]
    assert frame["iou.train"].isna().all()


def test_conditions_means_and_the_end_of_training_are_columns(tmp_path: Path) -> None:
    groups, means = {"fog": 30.5, "night": 20.25}, {"all 19 classes": 33.0}
    metrics = {
        "acdc": DomainMetrics("target", 25.375, {}, 16, 80.0, 406, means=means, groups=groups),
        "plain": DomainMetrics("unseen", 50.0, {}, 19, 90.0, 500),
    }
    curves = {"iteration": [5, 10], "loss": [2.5, 1.25], "never": []}
    record = Record(
        "toy",
        Cell("dacs", "e", "s", 0),
        identity("a"),
        "done",
        metrics,
        diagnostics={"curves": curves},
        notes=("first", "second"),
    )
    write_record(tmp_path, record)
    frame = load_records(tmp_path).set_index("domain")
    assert frame.loc["acdc", ["group.fog", "group.night"]].tolist() == [30.5, 20.25]
    assert frame.loc["acdc", "mean.all 19 classes"] == 33.0
    assert frame.loc["plain", ["group.fog", "mean.all 19 classes"]].isna().all()
    assert frame["final.loss"].tolist() == [1.25, 1.25]
    assert set(frame.note) == {"first; second"}
    assert not {"final.iteration", "final.never"} & set(frame.columns)


def test_an_empty_suite_has_the_columns(folder: Path) -> None:
    full = load_records(folder)
    for path in (folder / "records").iterdir():
        path.unlink()
    empty = load_records(folder)
    assert len(empty) == 0
    assert list(empty.columns) == [name for name in full.columns if not name.startswith("iou.")]


def test_a_folder_without_records_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="records"):
        load_records(tmp_path)


def test_a_broken_record_is_a_named_error(folder: Path) -> None:
    (folder / "records" / "dacs__e__s__seed1.json").write_text("{")
    with pytest.raises(RecordError, match=r"seed1\.json"):
        load_records(folder)
