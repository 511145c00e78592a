"""Blocks in turn, and the images that the steps are given."""

from __future__ import annotations

import torch

from mmseg_ext.profiling import timing
from mmseg_ext.profiling.random_images import RandomPairs, batches


def test_kinds_of_steps_take_turns_and_times_are_of_one_step(monkeypatch):
    now, order = [0.0], []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])

    def block(name, cost):
        def run(count):
            order.append(name)
            now[0] += cost * count

        return run

    blocks = {"ours": block("ours", 2.0), "plain": block("plain", 3.0)}
    found = timing.interleaved(blocks, steps=4, repeats=3, device="cpu")
    assert found == {"ours": [2.0] * 3, "plain": [3.0] * 3}
    assert order == ["ours", "plain", "plain", "ours", "ours", "plain"]


def test_watched_steps_tell_their_phases_and_data_wait(built, batch):
    made, found = built("dacs"), {}
    data = batches((64, 64), 2, target=True)
    timing.watched_block(made, data, "cpu", found)(2)
    assert {"data wait", "source", "teacher", "mix", "optimiser", "EMA"} <= {*found}
    assert all(seconds >= 0 for seconds in found.values())
    assert int(made.method.iteration) == 2


def test_images_are_the_same_for_a_seed_and_only_the_source_is_labelled():
    one, same, other = (RandomPairs((64, 96), True, seed) for seed in (0, 0, 1))
    pair = one[3]
    assert pair["source"]["inputs"].shape == (3, 64, 96)
    assert pair["source"]["inputs"].dtype == torch.uint8
    label = pair["source"]["data_samples"].gt_sem_seg.data
    assert label.shape == (1, 64, 96)
    assert {*label.unique().tolist()} <= {*range(19), 255}
    assert "gt_sem_seg" not in pair["target"]["data_samples"]
    assert torch.equal(pair["target"]["inputs"], same[3]["target"]["inputs"])
    assert not torch.equal(pair["target"]["inputs"], other[3]["target"]["inputs"])
    assert "target" not in RandomPairs((64, 96), False)[0]


def test_memory_is_that_of_this_process():
    before = timing.peak_memory_mib("cpu")
    held = torch.ones(int(before * 2**20 / 4) + 50 * 2**18)  # more than there ever was
    assert timing.peak_memory_mib("cpu") >= before + 40
    current = timing.current_memory_mib("cpu")
    assert current is None or current > held.numel() * 4 / 2**20
