"""The plain training steps are the same steps: equal losses, gradients and teachers."""

from __future__ import annotations

import pytest
import torch

from mmseg_ext.errors import MethodError
from mmseg_ext.parts.strong_augmentation import StrongAugmentation
from mmseg_ext.profiling import plain_colours
from mmseg_ext.profiling.plain_steps import plain_step

UNSURE = {"threshold": 0.054}  # reached in some pixels of an untrained student, not in others
CHANGES = {
    "source-only": {},
    "dacs": {"pseudo_labels": UNSURE, "strong_augmentation": {"shared_order": False}},
    "daformer": {
        "pseudo_labels": UNSURE,
        "strong_augmentation": {"shared_order": True},
        "feature_distance": {"level": -1},
    },
}


def match(own, plain):
    """Give the plain step the weights of the real one, which rounding drives apart."""
    plain.student.load_state_dict(own.student.state_dict())
    if hasattr(own, "teacher"):
        plain.teacher.load_state_dict(own.teacher.network.state_dict())


def losses(made, plain, data, seed):
    torch.manual_seed(seed)
    own = made.method.train_step(data, made.optimizers)
    torch.manual_seed(seed)
    terms = {name: float(value) for name, value in own.items() if name.startswith("loss_")}
    return terms, {f"loss_{name}": value for name, value in plain(data).items()}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_losses_are_equal_in_every_step(name, built, batch):
    made = built(name, **CHANGES[name])
    plain = plain_step(made.method, made.optimizers)
    for seed in range(6):  # with and without jitter and blur
        own, theirs = losses(made, plain, batch(name != "source-only", seed), seed)
        assert own.keys() == theirs.keys()
        for term, value in theirs.items():
            assert value > 0 or (term, seed) == ("loss_feature_distance", 0)  # nothing has moved
            assert own[term] == pytest.approx(value, rel=1e-5), term
        match(made.method, plain)


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_gradients_and_the_teacher_are_equal(name, built, batch, monkeypatch):
    made = built(name, **CHANGES[name])
    plain = plain_step(made.method, made.optimizers)
    for step in range(3):
        data = batch(name != "source-only", step)
        losses(made, plain, data, step)
        pairs = zip(made.method.student.parameters(), plain.student.parameters(), strict=True)
        for own, theirs in pairs:
            scale = theirs.grad.abs().max()
            assert torch.allclose(own.grad, theirs.grad, rtol=1e-3, atol=1e-4 * float(scale))
        if hasattr(made.method, "teacher"):
            network = made.method.teacher.network
            pairs = zip(network.parameters(), plain.teacher.parameters(), strict=True)
            assert all(torch.allclose(own, theirs, atol=1e-6) for own, theirs in pairs)
        match(made.method, plain)


def test_one_optimizer_step_moves_the_weights_alike(built, batch):
    made = built("source-only")
    plain = plain_step(made.method, made.optimizers)
    start = [each.detach().clone() for each in plain.student.parameters()]
    losses(made, plain, batch(False), 0)
    own, theirs = made.method.student.parameters(), plain.student.parameters()
    for before, one, other in zip(start, own, theirs, strict=True):
        moved = (other - before).abs().max()
        assert moved > 0
        # AdamW's first step is the sign of a gradient, whichever its size: rounding may turn one.
        assert (one - other).abs().median() <= 1e-3 * moved


def test_a_copy_is_trained_and_not_the_method(built, batch):
    made = built("dacs")
    before = [each.detach().clone() for each in made.method.parameters()]
    plain_step(made.method, made.optimizers)(batch())
    assert all(map(torch.equal, before, made.method.parameters()))


@pytest.mark.parametrize("name", ["mic", "minent", "daformer-hrda", "source-aug"])
def test_other_methods_have_no_plain_step(name, built):
    made = built(name)
    with pytest.raises(MethodError, match="plain step"):
        plain_step(made.method, made.optimizers)


@pytest.mark.parametrize("shared_order", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_colours_are_those_of_the_batched_augmentation(shared_order, seed):
    statistics = {"mean": [120.0, 110.0, 100.0], "std": [60.0, 50.0, 55.0]}
    part = StrongAugmentation(**statistics, jitter_probability=1.0, blur_probability=1.0,
                              shared_order=shared_order)  # fmt: skip
    torch.manual_seed(seed)
    image = (torch.rand(3, 3, 40, 56) - part.mean) / part.std
    image[0, :, :8] = image[0, :1, :8]  # grey pixels have no hue
    torch.manual_seed(seed)
    expected = part(image)
    torch.manual_seed(seed)
    found = plain_colours.augmented(
        list(image), part.mean[0], part.std[0], part.strength, (1.0, 1.0), part.sigma, shared_order
    )
    assert torch.allclose(torch.stack(found), expected, atol=2e-5)
    assert not torch.allclose(expected, image, atol=1e-2)
