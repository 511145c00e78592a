"""Whole runs through MMEngine's Runner: reproducible, resumable, blind to target labels."""

from __future__ import annotations

import operator
import shutil

import cv2
import numpy as np
import pytest
import small_world
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmseg_ext.engine import CurveHook
from mmseg_ext.engine.resume_point import FILE_NAME

LOOKS_AT_THE_TARGET = [
    *("dacs", "adaptsegnet", "minent", "norm-stats"),
    *("daformer", "mic", "daformer-hrda", "mic-hrda"),
]


def as_config(config):
    # Unformatted: making it pretty for the log takes longer than the training.
    return Config(config, format_python_code=False)


def run(root, work_dir, method="dacs", **options):
    config = small_world.runner_config(root, work_dir, method, **options)
    runner = Runner.from_cfg(as_config(config))
    runner.train()
    return runner


def weights(runner):
    return {name: value.clone() for name, value in runner.model.state_dict().items()}


def assert_same(first, second):
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert not different


def curves(runner):
    return next(hook.curves for hook in runner.hooks if isinstance(hook, CurveHook))


@pytest.mark.parametrize("method", ["source-aug", "dacs", "adaptsegnet", "mic-hrda"])
def test_the_same_seed_gives_the_same_bits(domains, tmp_path, method):
    first = run(domains, tmp_path / "a", method)
    second = run(domains, tmp_path / "b", method)
    assert_same(weights(first), weights(second))
    assert curves(first) == curves(second)
    other = weights(run(domains, tmp_path / "c", method, seed=1))
    assert not all(torch.equal(value, other[name]) for name, value in weights(first).items())


@pytest.mark.parametrize("method", ["dacs", "mic"])  # shuffled passes, rare-class sampling
def test_worker_processes_change_nothing(domains, tmp_path, method):
    assert_same(
        weights(run(domains, tmp_path / "a", method, iterations=3)),
        weights(run(domains, tmp_path / "b", method, iterations=3, workers=2)),
    )


def flat(tree, prefix=""):
    """Leaves of nested dictionaries and lists by their path."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    leaves = {}
    for key, value in items:
        name = f"{prefix}/{key}"
        leaves.update(flat(value, name) if isinstance(value, dict | list) else {name: value})
    return leaves


@pytest.mark.parametrize("method", ["dacs", "adaptsegnet", "daformer", "mic", "mic-hrda"])
def test_a_resumed_run_equals_an_uninterrupted_one(domains, tmp_path, method):
    whole = run(domains, tmp_path / "whole", method, iterations=6)

    interrupted = tmp_path / "interrupted"
    config = small_world.runner_config(domains, interrupted, method, iterations=6, interval=3)
    runner = Runner.from_cfg(as_config(config))
    step = runner.model.train_step

    def stop_in_the_fifth(*args, **kwargs):
        if runner.iter == 4:
            raise KeyboardInterrupt
        return step(*args, **kwargs)

    runner.model.train_step = stop_in_the_fifth
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    assert [p.name for p in interrupted.glob("*.pth")] == [FILE_NAME]

    config = small_world.runner_config(domains, tmp_path / "resumed", method, iterations=6)
    config.update(resume=True, load_from=str(interrupted / FILE_NAME))
    torch.manual_seed(99)  # whatever the new process drew before must not matter
    np.random.seed(99)
    resumed = Runner.from_cfg(as_config(config))
    resumed.train()
    assert resumed.train_loop.first_iteration == 3
    assert_same(weights(whole), weights(resumed))
    assert curves(whole) == curves(resumed)
    state, expected = (flat(r.optim_wrapper.state_dict()) for r in (resumed, whole))
    assert state.keys() == expected.keys()
    for name, value in expected.items():
        same = torch.equal if isinstance(value, torch.Tensor) else operator.eq
        assert same(state[name], value), name
    assert ("/discriminator/state/0/exp_avg_sq" in state) == (method == "adaptsegnet")


def test_a_run_from_the_weights_of_another_draws_its_own_numbers(domains, tmp_path):
    run(domains, tmp_path / "first", iterations=2, interval=1)
    numbers = []
    for name in ("with", "without"):
        config = small_world.runner_config(domains, tmp_path / name, "source-only", iterations=1)
        if name == "with":
            config["load_from"] = str(tmp_path / "first" / FILE_NAME)
        runner = Runner.from_cfg(Config(config))
        runner.train()
        numbers.append(torch.rand(3))
    assert torch.equal(*numbers)


def test_each_optimizer_follows_its_own_schedule(domains, tmp_path):
    runner = run(domains, tmp_path / "w", "adaptsegnet", iterations=3)
    rates = {name: values[0] for name, values in runner.optim_wrapper.get_lr().items()}
    assert rates["student.lr"] == pytest.approx(1e-3 * (1 - 3 / 8) ** 0.9)
    assert rates["discriminator.lr"] == pytest.approx(1e-4 * (1 - 3 / 6) ** 0.9)


@pytest.mark.parametrize("method", LOOKS_AT_THE_TARGET)
def test_target_labels_on_disk_change_nothing(domains, tmp_path, method):
    reference = weights(run(domains, tmp_path / "true", method, iterations=2))
    labels = domains / "target/train/labels"
    rng = np.random.default_rng(0)
    for path in labels.iterdir():
        cv2.imwrite(str(path), rng.integers(0, 19, (64, 64), dtype=np.uint8))
    assert_same(reference, weights(run(domains, tmp_path / "random", method, iterations=2)))
    shutil.rmtree(labels)
    assert_same(reference, weights(run(domains, tmp_path / "missing", method, iterations=2)))


def test_every_domain_is_scored_after_training(domains, tmp_path):
    runner = run(domains, tmp_path / "w", iterations=2)
    metrics = runner.test()
    assert set(runner.test_loop.scores) == {"source", "target"}
    for name, score in runner.test_loop.scores.items():
        assert metrics[f"{name}/mIoU"] == pytest.approx(score.miou)
        assert score.confusion_ncc.sum(axis=(1, 2)).tolist() == [64 * 64] * 3


def test_scores_equal_a_prediction_image_by_image(domains, tmp_path):
    runner = run(domains, tmp_path / "w", "source-only", iterations=2)
    runner.test()
    student = runner.model.student.eval()
    for index in range(3):
        folder = domains / "target/test"
        image = cv2.imread(str(folder / "images" / f"{index:03d}.png"))[..., ::-1]
        truth = cv2.imread(str(folder / "labels" / f"{index:03d}.png"), cv2.IMREAD_UNCHANGED)
        tensor = (torch.from_numpy(image.copy()).permute(2, 0, 1).float()[None] - 127.5) / 63.75
        with torch.no_grad():
            logits = torch.nn.functional.interpolate(student(tensor), (64, 64), mode="bilinear")
        prediction = logits.argmax(1)[0].numpy()
        expected = np.zeros((19, 19), np.int64)
        np.add.at(expected, (truth.ravel(), prediction.ravel()), 1)
        assert np.array_equal(runner.test_loop.scores["target"].confusion_ncc[index], expected)


def test_curves_are_means_over_their_interval(domains, tmp_path):
    config = small_world.runner_config(domains, tmp_path / "w", iterations=5)
    runner = Runner.from_cfg(as_config(config))
    seen = []
    step = runner.model.train_step

    def watched(*args, **kwargs):
        seen.append(step(*args, **kwargs))
        return seen[-1]

    runner.model.train_step = watched
    runner.train()
    assert curves(runner)["iteration"] == [2, 4, 5]
    losses = [float(each["loss_mix"]) for each in seen]
    expected = [sum(losses[:2]) / 2, sum(losses[2:4]) / 2, losses[4]]
    assert curves(runner)["loss_mix"] == pytest.approx(expected)
