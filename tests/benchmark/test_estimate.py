"""Estimates: what earlier records say and nothing else, with how far they spread."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from benchmark import estimate, estimate_text, plan
from benchmark import suite as suites
from benchmark.estimate import Estimate
from benchmark.plan import Plan
from benchmark.records import Cost, Record, write_record

# The protocol of MiniDrive trains for 500 iterations.
LENGTH = 500


def planned(out: Path) -> Plan:
    only = {"encoder": ["resnet-mini"], "method": ["dacs", "oracle"]}
    return plan.make(suites.load("demo-methods").with_overrides(only=only), out)


def cost(step: float, *, evaluation: float = 36.0, devices: int = 1, peak: float = 100.0) -> Cost:
    """A resumed cell: its own training time says nothing about the whole."""
    train = 10 * step
    hours = devices * (train + evaluation) / 3600
    return Cost(train, evaluation, step, 1 / step, peak, 2**20, 2**20, hours)


def record(out: Path, seed: int, spent: Cost, method: str = "dacs", suite: str = "") -> None:
    found = planned(out)
    entry = next(e for e in found.entries if (e.cell.method, e.cell.seed) == (method, seed))
    assert entry.identity
    made = Record("demo-methods", entry.cell, entry.identity, "done", cost=spent)
    folder = out / suite if suite else found.folder
    write_record(folder, made)
    provenance = {"devices": ["cpu"]}
    write_record(folder, Record(**{**vars(made), "provenance": provenance}))


def made(out: Path, price: float | None = None, folders: tuple[Path, ...] = ()) -> Estimate:
    found = planned(out)
    return estimate.estimate(found, found.due(), price, folders)


def test_without_records_everything_is_unknown(tmp_path: Path) -> None:
    found = made(tmp_path, 2.0)
    assert (found.cells, found.unknown, found.hours, found.spread) == (6, 6, 0.0, None)
    (line,) = estimate_text.lines(found, 2.0)
    assert line.startswith("cost of dacs / resnet-mini, oracle / resnet-mini unknown: a probe")


def test_hours_follow_from_speed_length_and_evaluation(tmp_path: Path) -> None:
    record(tmp_path, 0, cost(0.72))
    found = made(tmp_path, 10.0)
    each = (LENGTH * 0.72 + 36) / 3600  # 0.11 hours
    assert (found.cells, found.unknown) == (5, 3)
    assert found.hours == pytest.approx(2 * each)
    assert (found.spread, found.price_spread) == (None, None)
    assert found.price == pytest.approx(20 * each)
    dacs = next(group for group in found.groups if group.method == "dacs")
    assert (dacs.cells, dacs.records, dacs.devices) == (2, 1, ("cpu",))
    assert dacs.peak_memory_mib == 100.0
    assert dacs.disk_mib == pytest.approx(2 * 4.0)  # 2^20 weights of 4 bytes a cell
    text = "\n".join(estimate_text.lines(found, 10.0))
    assert "dacs / resnet-mini: 2 due, 0.220 device hours, peak 100 MiB, disk 8 MiB" in text
    assert "(from 1 record of demo-methods on cpu)" in text
    assert "price 2.2, without 3 cells of unknown cost" in text


def test_the_spread_of_records_applies_to_all_cells_alike(tmp_path: Path) -> None:
    for seed, step in ((0, 0.5), (1, 0.7)):
        record(tmp_path, seed, cost(step, peak=100.0 + seed))
        record(tmp_path, seed, cost(2 * step), method="oracle")
    found = made(tmp_path, 2.0)
    hours = [(LENGTH * step + 36) / 3600 for step in (0.5, 0.7)]
    double = [(LENGTH * 2 * step + 36) / 3600 for step in (0.5, 0.7)]
    assert found.hours == pytest.approx(statistics.fmean(hours) + statistics.fmean(double))
    expected = (statistics.stdev(hours) ** 2 + statistics.stdev(double) ** 2) ** 0.5
    assert found.spread == pytest.approx(expected)
    assert found.price_spread == pytest.approx(2 * expected)
    assert found.peak_memory_mib == 101.0


def test_several_devices_count_several_times(tmp_path: Path) -> None:
    record(tmp_path, 0, cost(0.72, devices=4))
    assert made(tmp_path).hours == pytest.approx(4 * 2 * (LENGTH * 0.72 + 36) / 3600)


def test_what_cells_left_on_disk_is_measured(tmp_path: Path) -> None:
    record(tmp_path, 0, cost(1.0))
    folder = tmp_path / "demo-methods" / "cells" / "dacs__resnet-mini__minidrive__seed0"
    folder.mkdir(parents=True)
    (folder / "weights.pth").write_bytes(bytes(6 * 2**20))
    assert made(tmp_path).disk_mib == pytest.approx(2 * 6.0)


def test_other_suites_and_other_folders_tell_what_this_one_cannot(tmp_path: Path) -> None:
    record(tmp_path, 0, cost(1.0), suite="probe")
    assert made(tmp_path).hours == pytest.approx(3 * (LENGTH + 36) / 3600)
    (tmp_path / "probe" / "records" / "oracle__resnet-mini__minidrive__seed0.json").write_text("{")
    assert made(tmp_path).unknown == 3
    elsewhere = tmp_path / "elsewhere"
    assert made(elsewhere).unknown == 6
    assert made(elsewhere, folders=(tmp_path,)).unknown == 3


def test_nothing_due_costs_nothing(tmp_path: Path) -> None:
    found = estimate.estimate(planned(tmp_path), [])
    assert (found.cells, found.hours, estimate_text.lines(found, None)) == (0, 0.0, [])
    assert found.document()["groups"] == ()
