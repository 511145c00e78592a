"""How batches reach the device: chosen for a machine, the same batches on all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from benchmark import data, paths, plan
from benchmark import suite as suites
from benchmark.data_roots import DataRoots
from benchmark.plan import PlannedCell
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime


@pytest.fixture
def planned(tiny: Path, tmp_path: Path) -> PlannedCell:
    cell = plan.one(suites.load("tiny"), tmp_path, "dacs__resnet-mini__minidrive__seed0", 2)
    data.prepare([cell])
    return cell


def runner(planned: PlannedCell, folder: Path, device: str, workers: int) -> dict[str, Any]:
    runtime = Runtime(device, 1, workers, DataRoots(None), paths.cache_root())
    return for_this_machine(planned.config, paths.CellPaths(folder, planned.cell), runtime)


@pytest.mark.parametrize(("device", "workers"), [("cpu", 0), ("cpu", 2), ("cuda", 0), ("cuda", 2)])
def test_batches_are_pinned_for_a_gpu_and_workers_keep_some_ready(
    planned: PlannedCell, tmp_path: Path, device: str, workers: int
) -> None:
    made = runner(planned, tmp_path, device, workers)
    training, tests = made["train_dataloader"], list(made["test_dataloader"].values())
    assert len(tests) > 2
    for loader in (training, *tests):
        assert loader["pin_memory"] is (device == "cuda")
        assert loader["num_workers"] == workers
    assert training["persistent_workers"] is bool(workers)
    assert not any(loader["persistent_workers"] for loader in tests)  # each is read once
    assert training.get("prefetch_factor") == (4 if workers else None)
    assert not any("prefetch_factor" in loader for loader in tests)


def test_the_batches_are_those_of_one_process_on_a_processor(
    planned: PlannedCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pinning needs an accelerator; what it hands over has to be the same without its pages.
    monkeypatch.setattr("torch.accelerator.is_available", lambda: False)
    init_default_scope("mmseg_ext")
    found = []
    for device, workers in (("cpu", 0), ("cuda", 1)):
        config = runner(planned, tmp_path, device, workers)["train_dataloader"]
        loader = Runner.build_dataloader(config, seed=0)
        batches = iter(loader)
        found.append([next(batches) for _ in range(3)])
    for plain, other in zip(*found, strict=True):
        for domain in ("source", "target"):
            pairs = zip(plain[domain]["inputs"], other[domain]["inputs"], strict=True)
            assert all(torch.equal(a, b) for a, b in pairs)
        samples = (each["source"]["data_samples"] for each in (plain, other))
        for a, b in zip(*samples, strict=True):
            assert torch.equal(a.gt_sem_seg.data, b.gt_sem_seg.data)
