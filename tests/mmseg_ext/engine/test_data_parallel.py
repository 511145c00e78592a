"""Two real processes against each other, against one, and against a run that was stopped."""

from __future__ import annotations

import pytest
import ranks
import small_world
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner

from mmseg_ext.errors import ResumeError

SEPARABLE = ["source-only", "minent", "adaptsegnet", "advent"]


def assert_same(first, second, path=""):
    """Equality, bit for bit, of nested dictionaries and lists."""
    if isinstance(first, dict):
        assert first.keys() == second.keys(), path
        for key, value in first.items():
            assert_same(value, second[key], f"{path}/{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), path
        for index, pair in enumerate(zip(first, second, strict=True)):
            assert_same(*pair, f"{path}/{index}")
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second), path
    else:
        assert first == second, path


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The small world, written once for all tests here."""
    return small_world.write_world(tmp_path_factory.mktemp("world") / "data")


def test_wrapping_starts_every_process_from_the_weights_of_rank_0(tmp_path):
    (first, wrapped), (second, also_wrapped) = ranks.launch(
        tmp_path / "r", "wrapped_from_different_weights"
    )
    assert not torch.equal(first["1.running_mean"], second["1.running_mean"])
    assert not torch.equal(first["0.weight"], second["0.weight"])
    assert_same(wrapped, first)
    assert_same(also_wrapped, first)


def test_gradients_are_means_and_a_missing_one_counts_as_zero(tmp_path):
    (first, after, frozen), (second, also_after, _) = ranks.launch(
        tmp_path / "r", "averaged_gradients"
    )
    assert frozen is None
    assert_same(after, also_after)
    assert after[4] is None
    assert [gradient is None for gradient in first] == [False, False, False, True, True]
    for index in range(4):
        parts = [0.0 if each[index] is None else each[index] for each in (first, second)]
        assert torch.equal(after[index], (parts[0] + parts[1]) / 2), index
    assert after[2].is_contiguous(memory_format=torch.channels_last)


def test_every_process_holds_the_same_state_after_training_with_each_method(world, tmp_path):
    methods = sorted(small_world.METHODS)
    both = ranks.launch(tmp_path / "r", "train", world, tmp_path, methods, iterations=2)
    for method in methods:
        first, second = (each[method] for each in both)
        for key in ("weights", "gradients", "optimizer", "curves"):
            assert_same(first[key], second[key], f"{method}/{key}")
        assert first["gradients"].keys() >= {"student.decode_head.conv_seg.weight"}
        assert int(first["weights"]["iteration"]) == 2
        assert not torch.equal(first["next_numbers"], second["next_numbers"]), method
        assert [first["positions"], second["positions"]] == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert int(both[1]["dacs"]["weights"]["teacher.step"]) == 2


def test_statistics_of_a_layer_that_evaluates_are_left_alone(tmp_path):
    both = ranks.launch(tmp_path / "r", "averaged_statistics")
    for before, after in both:
        assert torch.equal(after[1], before[1])
        assert after[0].tolist() == [1.5, 3.0, 4.5]


def test_running_statistics_are_means_over_the_processes(world, tmp_path):
    arguments = (world, tmp_path, ["norm-stats"], "with_batch_norm")
    first, second = (
        each["norm-stats"]["weights"]
        for each in ranks.launch(tmp_path / "r", "train", *arguments, iterations=1)
    )
    assert_same(first, second)

    # By hand: one process for each half of the batch, whose statistics are averaged.
    halves = []
    for rank in range(2):
        run = ranks.runner(world, tmp_path / f"h{rank}", *arguments[2], arguments[3], iterations=1)
        step = run.model.train_step

        def own_half(data, step=step, rank=rank, run=run, **options):
            pairs = run.train_dataloader.dataset
            return step(pseudo_collate([pairs[rank], pairs[rank + 2]]), **options)

        run.model.train_step = own_half
        run.train()
        halves.append(run.model.state_dict())
    names = [name for name in first if name.endswith(("running_mean", "running_var"))]
    assert names
    for name in names:
        assert torch.equal(first[name], (halves[0][name] + halves[1][name]) / 2), name


def test_two_processes_take_the_steps_of_one_with_twice_the_batch(world, tmp_path):
    case = ("train", world, tmp_path / "two", SEPARABLE, "with_clipping")
    two = ranks.launch(tmp_path / "r", *case, iterations=2)[0]
    doubled = "with_clipping_and_twice_the_batch"
    one = ranks.train(world, tmp_path / "one", SEPARABLE, doubled, iterations=2)
    for method in SEPARABLE:
        # Later gradients may jump: rounding lifts a ReLU over zero, and all below it see the kink.
        for key, tolerance in (("first_gradients", 1e-6), ("weights", 1e-5)):
            assert two[method][key].keys() == one[method][key].keys()
            for name, expected in one[method][key].items():
                difference = (two[method][key][name] - expected).abs().max()
                assert difference <= tolerance, f"{method}/{key}/{name}"
        assert two[method]["curves"].keys() == one[method]["curves"].keys()
        for name, values in one[method]["curves"].items():
            assert two[method]["curves"][name] == pytest.approx(values, rel=1e-4), name


@pytest.mark.parametrize("method", ["dacs", "adaptsegnet"])
def test_resumed_processes_equal_uninterrupted_ones(world, tmp_path, method):
    both = ranks.launch(tmp_path / "r", "resume", world, tmp_path, method)
    for rank, (whole, resumed, positions) in enumerate(both):
        assert_same(whole, resumed, f"rank {rank}")
        assert positions == [8 + rank, 10 + rank, 12 + rank, 14 + rank]
    assert not torch.equal(both[0][0]["next_numbers"], both[1][0]["next_numbers"])
    point = tmp_path / "stopped/resume.pth"
    assert [path.name for path in point.parent.glob("*.pth*")] == [point.name]

    config = small_world.runner_config(world, tmp_path / "alone", method)
    config.update(resume=True, load_from=str(point))
    runner = Runner.from_cfg(Config(config))
    with pytest.raises(ResumeError, match="written by 2 process"):
        runner.train()


def test_a_nan_in_one_process_stops_them_all_with_its_name(world, tmp_path):
    messages = ranks.launch(tmp_path / "r", "nan_in_rank_1", world, tmp_path / "w")
    assert messages == ["loss term 'source' became nan in iteration 1"] * 2


def test_scores_are_those_of_one_process_and_known_to_all(world, tmp_path):
    both = ranks.launch(tmp_path / "r", "score", world, tmp_path / "two")
    alone = ranks.runner(world, tmp_path / "one", "source-only", iterations=1)
    alone.model.load_state_dict(both[0][2])
    alone.test()
    for scores, metrics, _ in both:
        assert metrics == both[0][1]
        for name, expected in alone.test_loop.scores.items():
            assert scores[name].tolist() == expected.confusion_ncc.tolist()
