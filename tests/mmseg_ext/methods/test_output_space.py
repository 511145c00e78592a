"""Methods that act on predictions of the target, recomputed from their definitions."""

from __future__ import annotations

import copy
import math

import pytest
import small_world
import torch
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import init_default_scope
from torch import nn
from torch.nn import functional

from mmseg_ext.datasets.paired import PairedDataset
from mmseg_ext.errors import MethodError, NonFiniteLossError, OptimizerError
from mmseg_ext.registry import MODELS

ADVERSARIAL = ["adaptsegnet", "advent"]
AUXILIARY = {
    "type": "FCNHead",
    "in_channels": 128,
    "in_index": 2,
    "channels": 8,
    "num_convs": 1,
    "num_classes": 19,
    "dropout_ratio": 0.0,
    "norm_cfg": {"type": "GN", "num_groups": 4},
}


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


@pytest.fixture
def data(domains):
    dataset = PairedDataset(
        small_world.dataset(domains, "source"),
        small_world.dataset(domains, "target", labelled=False),
    )
    return pseudo_collate([dataset[0], dataset[1]])


def build(method, two_levels=False, **changes):
    torch.manual_seed(0)
    config = small_world.model(method, **changes)
    if two_levels:
        config.segmentor["auxiliary_head"] = AUXILIARY
    model = MODELS.build(config)
    model.init_weights()
    return model.train()


def optimisers(model, student=0.1, discriminator=0.1):
    sgd = {"student": OptimWrapper(torch.optim.SGD(model.student.parameters(), lr=student))}
    if hasattr(model, "discriminator"):
        adam = torch.optim.Adam(model.discriminator.parameters(), lr=discriminator)
        sgd["discriminator"] = OptimWrapper(adam)
    return OptimWrapperDict(**sgd)


def logits(student, image, head="decode_head"):
    low = getattr(student, head)(student.extract_feat(image))
    return functional.interpolate(low, image.shape[2:], mode="bilinear")


def adapted(method, logits):
    """What the discriminator sees, straight from the papers' formulas in double precision."""
    p = logits.double().softmax(1)
    if method == "advent":
        p = -p * torch.log2(p + 1e-30) / math.log2(19)
    return p.float()


def gan(kind, scores, label):
    if kind == "ls":
        return ((scores - label) ** 2).mean()
    return -torch.log(torch.sigmoid(scores) if label else 1 - torch.sigmoid(scores)).mean()


@pytest.mark.parametrize("method", ADVERSARIAL)
@pytest.mark.parametrize("kind", ["bce", "ls"])
def test_the_three_terms_of_the_adversarial_methods(data, method, kind):
    model = build(method, adversary={"gan_loss": kind, "weight": 0.3})
    batch = model.prepare(data)
    terms = {term.name: term for term in model.training_terms(batch)}
    assert list(terms) == ["source", "adversarial", "discriminator"]
    assert [term.optimizer for term in terms.values()] == ["student", "student", "discriminator"]

    with torch.no_grad():
        source, target = (
            logits(model.student, image) for image in (batch.source_image, batch.target_image)
        )
        scores = [model.discriminator[0](adapted(method, each)) for each in (source, target)]
        expected = {
            "source": functional.cross_entropy(source, batch.source_label),
            "adversarial": 0.3 * gan(kind, scores[1], 0),
            "discriminator": gan(kind, scores[0], 0) / 2 + gan(kind, scores[1], 1) / 2,
        }
    for name, value in expected.items():
        assert terms[name].loss.item() == pytest.approx(value.item(), rel=1e-5), name


@pytest.mark.parametrize("method", ADVERSARIAL)
def test_one_step_takes_both_gradients_at_the_weights_it_began_with(data, method):
    model = build(method, adversary={"weight": 2.0})
    before = copy.deepcopy(model)
    log = model.train_step(data, optimisers(model))

    batch = before.prepare(data)
    source, target = (
        logits(before.student, image) for image in (batch.source_image, batch.target_image)
    )
    judge = copy.deepcopy(before.discriminator[0])
    fooled = gan("bce", judge(adapted(method, target)), 0)
    (functional.cross_entropy(source, batch.source_label) + 2.0 * fooled).backward()
    for new, old in zip(model.student.parameters(), before.student.parameters(), strict=True):
        assert torch.allclose(new, old - 0.1 * old.grad, rtol=1e-4, atol=1e-6)

    first = gan("bce", before.discriminator[0](adapted(method, source.detach())), 0)
    second = gan("bce", before.discriminator[0](adapted(method, target.detach())), 1)
    (first / 2 + second / 2).backward()
    adam = torch.optim.Adam(before.discriminator.parameters(), lr=0.1)
    gradients = [p.grad.clone() for p in before.discriminator.parameters()]
    adam.step()
    for new, old, gradient in zip(
        model.discriminator.parameters(), before.discriminator.parameters(), gradients, strict=True
    ):
        settled = gradient.abs() > 1e-6  # Adam's first step is the sign, and rounding decides at 0
        assert torch.allclose(new[settled], old[settled], atol=1e-4)
    assert set(log) == {
        "loss",
        "loss_source",
        "loss_adversarial",
        "loss_discriminator",
        "discriminator_accuracy",
    }
    students = log["loss_source"] + log["loss_adversarial"]
    assert log["loss"].item() == pytest.approx(students.item(), rel=1e-6)


def test_the_pair_differs_in_what_the_discriminator_sees_and_in_nothing_else(data):
    first, second = build("adaptsegnet"), build("advent")
    assert all(
        torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items()
    )
    second.adversaries[0] = first.adversaries[0]
    for _ in range(2):
        logs = [model.train_step(data, optimisers(model)) for model in (first, second)]
        assert logs[0] == logs[1]
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


@pytest.mark.parametrize("method", [*ADVERSARIAL, "minent", "norm-stats"])
def test_without_its_term_each_method_is_source_only_bit_for_bit(data, method):
    off = {"adversary": {"weight": 0.0}} if method in ADVERSARIAL else {"weight": 0.0}
    model = build(method, **({} if method == "norm-stats" else off))
    plain = build("source-only")
    for _ in range(2):
        model.train_step(data, optimisers(model))
        plain.train_step({"source": data["source"]}, optimisers(plain))
    for name, value in plain.student.state_dict().items():
        assert torch.equal(value, model.student.state_dict()[name]), name


def test_the_discriminator_is_never_moved_by_the_students_optimizer(data):
    model = build("adaptsegnet", adversary={"weight": 100.0})
    before = copy.deepcopy(model.discriminator.state_dict())
    model.train_step(data, optimisers(model, student=1.0, discriminator=0.0))
    for name, value in model.discriminator.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_minent_is_source_loss_plus_the_targets_entropy(data):
    model = build("minent", weight=0.5)
    batch = model.prepare(data)
    source, entropy = model.training_terms(batch)
    with torch.no_grad():
        p = logits(model.student, batch.target_image).double().softmax(1)
    expected = -(p * p.log2()).sum() / (2 * 64 * 64 * math.log2(19))
    assert entropy.loss.item() == pytest.approx(0.5 * expected.item(), rel=1e-5)
    assert entropy.observed["target_entropy"].item() == pytest.approx(expected.item(), rel=1e-5)
    reference = functional.cross_entropy(
        logits(model.student, batch.source_image), batch.source_label
    )
    assert source.loss.item() == pytest.approx(reference.item(), rel=1e-5)


def test_minent_makes_target_predictions_more_certain(data):
    certain, plain = build("minent", weight=5.0), build("minent", weight=0.0)
    for _ in range(5):
        logs = [model.train_step(data, optimisers(model)) for model in (certain, plain)]
    assert logs[0]["target_entropy"] < logs[1]["target_entropy"]


def with_batch_norm(method):
    model = small_world.model(method)
    model.segmentor.decode_head.norm_cfg = {"type": "BN"}
    torch.manual_seed(0)
    built = MODELS.build(model)
    built.init_weights()
    return built.train()


def test_norm_stats_learns_from_the_source_and_shows_the_target_to_batch_norm(data):
    control, plain = with_batch_norm("norm-stats"), with_batch_norm("source-only")
    by_hand = copy.deepcopy(plain)
    control.train_step(data, optimisers(control))
    plain.train_step({"source": data["source"]}, optimisers(plain))
    batch = by_hand.prepare(data)
    with torch.no_grad():
        by_hand.segment(by_hand.student, batch.source_image)
        by_hand.segment(by_hand.student, batch.target_image)
    parameters = dict(plain.student.named_parameters())
    moved = 0
    for name, value in control.student.state_dict().items():
        if name in parameters:
            assert torch.equal(value, parameters[name]), name
        else:
            assert torch.equal(value, by_hand.student.state_dict()[name]), name
            moved += not torch.equal(value, plain.student.state_dict()[name])
    assert moved


@pytest.mark.parametrize("method", ADVERSARIAL)
def test_two_classifiers_are_adapted_on_two_levels(data, method):
    model = build(
        method,
        two_levels=True,
        adversary={"weight": 0.3},
        auxiliary={"segmentation": 0.1, "adversarial": 0.07},
    )
    assert len(model.discriminator) == 2
    batch = model.prepare(data)
    terms = {term.name: term.loss.item() for term in model.training_terms(batch)}
    expected = dict.fromkeys(("source", "adversarial", "discriminator"), 0.0)
    with torch.no_grad():
        for level, (head, segmentation, adversarial) in enumerate(
            (("decode_head", 1.0, 0.3), ("auxiliary_head", 0.1, 0.07))
        ):
            source, target = (
                logits(model.student, image, head)
                for image in (batch.source_image, batch.target_image)
            )
            judge = model.discriminator[level]
            scores = [judge(adapted(method, each)) for each in (source, target)]
            ce = functional.cross_entropy(source, batch.source_label)
            expected["source"] += segmentation * ce.item()
            expected["adversarial"] += adversarial * gan("bce", scores[1], 0).item()
            halves = gan("bce", scores[0], 0) / 2 + gan("bce", scores[1], 1) / 2
            expected["discriminator"] += halves.item()
    assert terms == pytest.approx(expected, rel=1e-5)
    for term in model.training_terms(batch):
        term.loss.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_minent_on_two_levels(data):
    model = build(
        "minent", two_levels=True, weight=0.2, auxiliary={"segmentation": 0.1, "entropy": 0.05}
    )
    batch = model.prepare(data)
    _, entropy = model.training_terms(batch)
    expected = 0.0
    for head, weight in (("decode_head", 0.2), ("auxiliary_head", 0.05)):
        with torch.no_grad():
            p = logits(model.student, batch.target_image, head).double().softmax(1)
        expected += weight * -(p * p.log2()).sum().item() / (2 * 64 * 64 * math.log2(19))
    assert entropy.loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("method", [*ADVERSARIAL, "minent"])
def test_weights_of_a_second_level_and_a_second_classifier_come_together(method):
    weights = {"segmentation": 0.1, "adversarial": 0.1, "entropy": 0.1}
    with pytest.raises(MethodError, match="student with no auxiliary_head"):
        build(method, auxiliary=weights)
    with pytest.raises(MethodError, match="student with an auxiliary_head"):
        build(method, two_levels=True)


@pytest.mark.parametrize("method", [*ADVERSARIAL, "minent", "norm-stats"])
def test_without_a_target_each_says_so(data, method):
    del data["target"]
    model = build(method)
    with pytest.raises(MethodError, match="without a target domain"):
        model.train_step(data, optimisers(model))


def test_a_term_without_an_optimizer_of_its_own_is_refused(data):
    model = build("adaptsegnet")
    alone = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(OptimizerError, match=r"'discriminator'.*for student only"):
        model.train_step(data, alone)
    lonely = OptimWrapperDict(discriminator=alone)
    with pytest.raises(OptimizerError, match="none for the student"):
        model.train_step(data, lonely)


def test_a_term_that_is_not_finite_is_named_with_its_iteration(data):
    model = build("adaptsegnet")
    model.train_step(data, optimisers(model))
    with torch.no_grad():
        model.discriminator[0].blocks[-1].bias.fill_(float("nan"))
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(NonFiniteLossError, match="'adversarial' became nan in iteration 2"):
        model.train_step(data, optimisers(model))
    for name, value in model.state_dict().items():
        assert torch.equal(before[name], value) or "blocks.6.bias" in name, name


def test_one_wrapper_and_a_dictionary_of_one_take_the_same_step(data):
    first, second = build("minent"), build("minent")
    for _ in range(2):
        first.train_step(data, optimisers(first))
        second.train_step(data, optimisers(second)["student"])
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
    assert int(first.iteration) == 2


def test_gradients_of_the_student_alone_are_clipped(data):
    model = build("adaptsegnet", adversary={"weight": 50.0})
    sgd = torch.optim.SGD(model.student.parameters(), lr=1.0)
    wrappers = OptimWrapperDict(
        student=OptimWrapper(sgd, clip_grad={"max_norm": 0.5}),
        discriminator=OptimWrapper(torch.optim.SGD(model.discriminator.parameters(), lr=1.0)),
    )
    before = copy.deepcopy(model)
    model.train_step(data, wrappers)

    def travelled(part):
        new, old = (
            nn.utils.parameters_to_vector(getattr(each, part).parameters())
            for each in (model, before)
        )
        return (new - old).norm().item()

    assert travelled("student") == pytest.approx(0.5, rel=1e-3)
    gradients = [p.grad for p in model.discriminator.parameters()]
    norm = nn.utils.get_total_norm(gradients)
    assert travelled("discriminator") == pytest.approx(norm.item(), rel=1e-3)
