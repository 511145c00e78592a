from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scored import scored

from benchmark import artifacts
from benchmark.cell import Cell
from benchmark.errors import RecordError
from benchmark.paths import CellPaths
from benchmark.records import Identity, Record
from benchmark.report.grid import Method
from benchmark.report.model import Footnotes, RecordRef
from benchmark.report.sample import Sample
from benchmark.report.statistics import image_intervals, images, interval_store
from benchmark.report.statistics.image_intervals import ImageIntervals
from benchmark.report.tables import cells


@dataclass
class Entry:
    record: Record
    config: dict[str, Any] = field(default_factory=dict)


@dataclass
class Plan:
    folder: Path
    entries: list[Entry] = field(default_factory=list)

    def add(
        self, method: str, right: int, seed: int = 0, groups: tuple[str, ...] = (), **scoring: Any
    ) -> RecordRef:
        """A record of 8 images of two classes with ``right`` of 100 pixels right in each row."""
        wobble = np.arange(8) % 3 - 1
        counts = np.zeros((8, 2, 2), dtype=np.int64)
        counts[:, 0, 0] = counts[:, 1, 1] = right + wobble
        counts[:, 0, 1] = counts[:, 1, 0] = 100 - right - wobble
        cell = Cell(method, "resnet", "syn-real", seed)
        paths = CellPaths(self.folder, cell)
        paths.folder.mkdir(parents=True, exist_ok=True)
        stated = artifacts.save_confusion(paths, {"real": counts}, {"real": groups})
        metrics = scored({"real": 50.0}, groups=dict.fromkeys(groups, 50.0))
        record = Record(
            "toy",
            cell,
            Identity(f"id-{method}-{seed}", 1, "", "", ""),
            "done",
            metrics,
            diagnostics={"confusion": stated},
        )
        self.entries.append(Entry(record, {"scoring": scoring} if scoring else {}))
        return RecordRef(cell.stem, record.identity.id)

    def intervals(self, stream: io.StringIO | None = None) -> ImageIntervals:
        return ImageIntervals(self, stream)  # type: ignore[arg-type]

    def write(self, intervals: ImageIntervals) -> None:
        for path, text in intervals.contents().items():
            path.write_text(text, encoding="utf-8")

    def drop_counts(self) -> None:
        for path in self.folder.rglob("confusion.npz"):
            path.unlink()


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(tmp_path)


def test_an_interval_is_computed_once_and_found_without_counts(plan: Plan) -> None:
    pairs = [(plan.add("dacs", 80, s), plan.add("source-only", 70 + s, s)) for s in (0, 1)]
    first = plan.intervals()
    found = first.of(pairs, "real")
    assert found is not None
    assert 0 < found[0] <= found[1]
    plan.write(first)
    plan.drop_counts()
    again = plan.intervals()
    assert again.of(pairs, "real") == again.of(pairs[::-1], "real") == found
    assert again.contents() == first.contents()


def test_it_is_the_interval_of_the_counts(plan: Plan) -> None:
    pairs = [(plan.add("dacs", 80), plan.add("source-only", 70))]
    found = plan.intervals().of(pairs, "real")
    sums = []
    for entry in plan.entries:
        path = plan.folder / entry.record.diagnostics["confusion"]["file"]
        sums.append(images.class_sums(np.load(path)["real"]))
    other_draws = images.interval([(sums[0], sums[1])], seed=99)
    np.testing.assert_allclose(found, other_draws, atol=0.05)


def test_without_counts_a_foot_note_says_so(plan: Plan) -> None:
    pairs = [(plan.add("dacs", 80), plan.add("source-only", 70))]
    plan.drop_counts()
    intervals = plan.intervals()
    assert intervals.of(pairs, "real") is None
    assert intervals.why(pairs, "real") == image_intervals.NO_COUNTS
    assert intervals.of([(pairs[0][0], RecordRef("stranger", "x"))], "real") is None


def test_corrupted_images_are_not_drawn_as_if_each_were_another(plan: Plan) -> None:
    pairs = [(plan.add("dacs", 80), plan.add("source-only", 70))]
    for entry in plan.entries:
        scores = replace(entry.record.metrics["real"], means={"severity 1": 50.0})
        entry.record = replace(entry.record, metrics={"real": scores})
    intervals = plan.intervals()
    assert intervals.of(pairs, "real") is None
    assert intervals.why(pairs, "real") == image_intervals.MANY_TIMES


def test_counts_that_are_not_the_records_are_not_used(plan: Plan) -> None:
    pairs = [(plan.add("dacs", 80), plan.add("source-only", 70))]
    path = plan.folder / plan.entries[0].record.diagnostics["confusion"]["file"]
    other = plan.folder / plan.entries[1].record.diagnostics["confusion"]["file"]
    path.write_bytes(other.read_bytes())
    assert plan.intervals().of(pairs, "real") is None
    path.write_bytes(path.read_bytes()[:100])  # cut short
    assert plan.intervals().of(pairs, "real") is None


def test_a_changed_record_finds_no_old_interval_and_drops_it(plan: Plan) -> None:
    pairs = [(plan.add("dacs", 80), plan.add("source-only", 70))]
    first = plan.intervals()
    old = first.of(pairs, "real")
    plan.write(first)
    del plan.entries[0]
    pairs = [(plan.add("dacs", 90), pairs[0][1])]
    changed = plan.intervals()
    assert changed.of(pairs, "real") != old
    plan.write(changed)
    assert len(interval_store.read(plan.folder / interval_store.FILE)) == 1


def test_a_report_that_asks_nothing_keeps_what_records_still_have(plan: Plan) -> None:
    pairs = [(plan.add("dacs", 80), plan.add("source-only", 70))]
    first = plan.intervals()
    first.of(pairs, "real")
    plan.write(first)
    other = plan.intervals()
    assert other.contents() == {}  # nothing was asked, nothing is written
    other.of([pairs[0][::-1]], "real")
    assert len(next(iter(other.contents().values())).splitlines()) == 4


def test_groups_are_drawn_from_apart_where_the_headline_is_their_mean(plan: Plan) -> None:
    groups = ("fog",) * 4 + ("night",) * 4
    pairs = [
        (
            plan.add("dacs", 80, groups=groups, mean="per-condition"),
            plan.add("source-only", 70, groups=groups, mean="per-condition"),
        )
    ]
    intervals = plan.intervals()
    assert intervals.of(pairs, "real") is not None
    assert '"mean": "per-condition"' in next(iter(intervals.contents().values()))


def test_older_records_of_groups_have_no_interval_and_a_reason(plan: Plan) -> None:
    pairs = [
        (
            plan.add("dacs", 80, mean="per-condition"),
            plan.add("source-only", 70, mean="per-condition"),
        )
    ]
    for entry in plan.entries:  # the metrics know groups, the counts do not
        known = replace(entry.record.metrics["real"], groups={"fog": 50.0})
        entry.record = replace(entry.record, metrics={"real": known})
    intervals = plan.intervals()
    assert intervals.of(pairs, "real") is None
    assert intervals.why(pairs, "real") == image_intervals.NO_GROUPS


def test_other_labels_are_no_pair(plan: Plan) -> None:
    first = plan.add("dacs", 80)
    plan.entries[0].record = replace(
        plan.entries[0].record,
        diagnostics={
            "confusion": artifacts.save_confusion(
                CellPaths(plan.folder, plan.entries[0].record.cell),
                {"real": np.ones((8, 2, 2), dtype=np.int64)},
            )
        },
    )
    pairs = [(first, plan.add("source-only", 70))]
    intervals = plan.intervals()
    assert intervals.of(pairs, "real") is None
    assert intervals.why(pairs, "real") == image_intervals.OTHER_IMAGES


def test_a_corrupted_store_is_a_named_error(plan: Plan) -> None:
    pairs = [(plan.add("dacs", 80), plan.add("source-only", 70))]
    (plan.folder / interval_store.FILE).write_text("{", encoding="utf-8")
    with pytest.raises(RecordError, match=r"intervals\.json"):
        plan.intervals().of(pairs, "real")


def test_a_long_computation_says_so(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_intervals, "PATIENCE", 0.0)
    stream = io.StringIO()
    intervals = plan.intervals(stream)
    intervals.of([(plan.add("dacs", 80), plan.add("source-only", 70))], "real")
    plan.add("mic", 80)
    intervals = plan.intervals(stream)
    intervals.of(
        [(RecordRef(e.record.cell.stem, e.record.identity.id),) * 2 for e in plan.entries], "real"
    )
    assert "computing intervals over images" in stream.getvalue()


def gained(plan: Plan, rights: list[tuple[int, int]]) -> Any:
    refs = [
        (plan.add("dacs", a, seed), plan.add("source-only", b, seed))
        for seed, (a, b) in enumerate(rights)
    ]
    seeds = range(len(rights))
    first, second = (
        Sample({s: float(rights[s][i]) for s in seeds}, {s: refs[s][i] for s in seeds}, ())
        for i in (0, 1)
    )
    reference = cells.Reference(Method("source-only", "Source-only"), second)
    return cells.gain(first, reference, Footnotes(), intervals=plan.intervals(), domain="real")


def test_a_constant_gain_is_marked(plan: Plan) -> None:
    cell = gained(plan, [(80, 70), (81, 71), (82, 72)])
    assert cell.marked
    assert cell.interval is not None
    assert cell.interval[0] > 0


def test_identical_cells_gain_nothing_and_are_never_marked(plan: Plan) -> None:
    cell = gained(plan, [(70, 70), (71, 71)])
    assert (cell.value, cell.interval, cell.marked) == (0.0, (0.0, 0.0), False)


def test_one_seed_is_never_marked(plan: Plan) -> None:
    cell = gained(plan, [(80, 70)])
    assert cell.interval is not None
    assert cell.interval[0] > 0
    assert not cell.marked


def test_a_gain_that_seeds_do_not_share_is_not_marked(plan: Plan) -> None:
    cell = gained(plan, [(90, 70), (72, 70), (71, 70)])
    assert cell.interval is not None
    assert cell.interval[0] > 0
    assert not cell.marked


def test_a_gain_without_counts_is_not_marked_and_says_why(plan: Plan) -> None:
    gained(plan, [(80, 70), (81, 71)])
    plan.drop_counts()
    notes = Footnotes()
    refs = [RecordRef(e.record.cell.stem, e.record.identity.id) for e in plan.entries]
    first = Sample({0: 80.0, 1: 81.0}, {0: refs[0], 1: refs[2]}, ())
    second = Sample({0: 70.0, 1: 71.0}, {0: refs[1], 1: refs[3]}, ())
    reference = cells.Reference(Method("source-only", "Source-only"), second)
    cell = cells.gain(first, reference, notes, intervals=plan.intervals(), domain="real")
    assert (cell.interval, cell.marked) == (None, False)
    assert notes.texts == (image_intervals.NO_COUNTS,)
    assert cell.footnotes == (1,)
