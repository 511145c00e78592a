"""Suites that overlap: a cell of one identity is run once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from benchmark import examples, lease, plan, sharing
from benchmark.paths import CellPaths
from benchmark.records import read_record, record_path, write_record

OUT = Path("results/local")
STEM = "good__small__there__seed0"


def runs(suite: str, stem: str = STEM) -> int:
    """How many processes worked at a cell for this suite."""
    pids = OUT / suite / "cells" / stem / "pids"
    return len(pids.read_text().split()) if pids.exists() else 0


def test_the_second_suite_takes_over_what_the_first_has(configs: Any, udabench: Any) -> None:
    configs.suite("methods: [good, bad]", "first")
    configs.suite("methods: [good, bad, better]", "second")
    assert udabench("run", "first").returncode == 1
    folder = OUT / "first/cells" / STEM
    (folder / "weights.pth").write_bytes(b"weights")
    ended = udabench("run", "second")
    assert "1 of them taken over from first" in ended.stdout
    assert "running 2," in ended.stdout
    assert (runs("first"), runs("second")) == (1, 0)
    assert runs("second", "bad__small__there__seed0") == 1  # a failure is not a result
    record = read_record(OUT / f"second/records/{STEM}.json")
    assert record.suite == "second"
    assert record.provenance["taken_from"] == "first"
    mine = OUT / "second/cells" / STEM
    assert (mine / "weights.pth").stat().st_ino == (folder / "weights.pth").stat().st_ino
    assert (mine / "log.txt").stat().st_ino != (folder / "log.txt").stat().st_ino
    assert not (mine / "lease.json").exists()


def test_only_an_equal_identity_counts_and_only_wanted_files_come(
    tiny: Path, tmp_path: Path
) -> None:
    suites = tiny / "configs/suites"
    text = (suites / "tiny.yaml").read_text()
    (suites / "light.yaml").write_text(text + "checkpoints: {keep: nothing}\n")
    made = plan.load("tiny", tmp_path)
    entry = made.entries[0]
    write_record(made.folder, scored(entry))
    cell = CellPaths(made.folder, entry.cell).folder
    cell.mkdir(parents=True)
    for name in ("weights.pth", "confusion.npz"):
        (cell / name).write_bytes(b"x")
    longer = plan.load("light", tmp_path, iterations=7)
    assert sharing.take_over(longer, longer.due()) == []
    wanted = plan.load("light", tmp_path)
    assert [each.cell for each in sharing.take_over(wanted, wanted.due())] == [entry.cell]
    assert plan.load("light", tmp_path).entries[0].state == "done"
    mine = CellPaths(wanted.folder, entry.cell).folder
    assert [path.name for path in mine.iterdir()] == ["confusion.npz"]


def test_examples_come_along_and_cells_in_use_do_not(tiny: Path, tmp_path: Path) -> None:
    (tiny / "configs/suites/other.yaml").write_text(
        (tiny / "configs/suites/tiny.yaml").read_text().replace("Tiny", "Other")
    )
    made, wanted = plan.load("tiny", tmp_path), plan.load("other", tmp_path)
    entry = made.entries[0]
    assert entry.identity is not None
    write_record(made.folder, scored(entry))
    place = made.folder / "examples/far/1"
    place.mkdir(parents=True)
    for name in (examples.IMAGE, examples.TRUTH, f"{entry.cell.stem}.png"):
        (place / name).write_bytes(b"x")
    manifest = {
        "identity": entry.identity.id,
        "predictions": {"far/1": hashlib.sha256(b"x").hexdigest()},
    }
    (made.folder / f"examples/{entry.cell.stem}.json").write_text(json.dumps(manifest))
    with lease.hold(CellPaths(wanted.folder, entry.cell).lease):
        assert sharing.take_over(wanted, wanted.due()) == []
    assert not record_path(wanted.folder, entry.cell).exists()
    assert sharing.take_over(wanted, wanted.due()) == [sharing.TakenOver(entry.cell, "tiny")]
    found = examples.read(wanted.folder, entry.cell, entry.identity.id)
    assert [(each.domain, each.image_id) for each in found] == [("far", "1")]


def scored(entry: plan.PlannedCell) -> Any:
    from benchmark.records import Record

    assert entry.identity is not None
    record = Record("tiny", entry.cell, entry.identity, "done")
    return dataclasses.replace(record, provenance={"git_sha": "abc"})
