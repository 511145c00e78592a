"""Each method's loss, recomputed from its definition on the same batch."""

from __future__ import annotations

import copy

import pytest
import small_world
import torch
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from torch.nn import functional

from mmseg_ext.datasets.paired import PairedDataset
from mmseg_ext.errors import NonFiniteLossError, TargetLabelsSeenError
from mmseg_ext.registry import DATASETS, MODELS


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


def build(method, **changes):
    torch.manual_seed(0)
    model = MODELS.build(small_world.model(method, **changes))
    model.init_weights()
    return model.train()


def optimiser(model):
    return OptimWrapper(torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1))


def logits(network, image):
    return functional.interpolate(network(image), image.shape[2:], mode="bilinear")


def test_images_are_normalised_alike_and_labels_stacked(data):
    batch = build("dacs").prepare(data)
    for side, prepared in (("source", batch.source_image), ("target", batch.target_image)):
        bgr = torch.stack(data[side]["inputs"]).float()
        assert torch.allclose(prepared, (bgr.flip(1) - 127.5) / 63.75)
    truth = torch.stack([sample.gt_sem_seg.data[0] for sample in data["source"]["data_samples"]])
    assert torch.equal(batch.source_label, truth.long())


def test_supervised_is_cross_entropy_on_the_source(data):
    model = build("source-only")
    batch = model.prepare(data)
    (term,) = model.training_terms(batch)
    expected = functional.cross_entropy(
        logits(model.student, batch.source_image), batch.source_label
    )
    assert torch.allclose(term.loss, expected, rtol=1e-5)


def test_the_control_differs_from_source_only_by_its_augmentation(data):
    model = build("source-aug")
    batch = model.prepare(data)
    torch.manual_seed(7)
    (term,) = model.training_terms(batch)
    torch.manual_seed(7)
    image = model.strong_augmentation(batch.source_image)
    expected = functional.cross_entropy(logits(model.student, image), batch.source_label)
    assert torch.allclose(term.loss, expected, rtol=1e-5)
    off = build("source-aug", strong_augmentation=None)
    plain = build("source-only")
    assert torch.equal(
        next(off.training_terms(batch)).loss, next(plain.training_terms(plain.prepare(data))).loss
    )


def test_dacs_is_source_loss_plus_weighted_loss_on_the_mix(data):
    model = build("dacs", strong_augmentation=None, pseudo_labels={"threshold": 0.054})
    batch = model.prepare(data)
    torch.manual_seed(3)
    source, mix = model.training_terms(batch)

    teacher = copy.deepcopy(model.student)  # iteration 0: the teacher is the student
    with torch.no_grad():
        probability, pseudo = logits(teacher, batch.target_image).softmax(1).max(1)
    trust = (probability >= 0.054).float().mean()
    torch.manual_seed(3)
    pasted = model.class_mix.mask(batch.source_label)
    image = torch.where(pasted[:, None], batch.source_image, batch.target_image)
    label = torch.where(pasted, batch.source_label, pseudo)
    pixel = functional.cross_entropy(logits(model.student, image), label, reduction="none")
    weight = torch.where(pasted, torch.tensor(1.0), trust)
    assert torch.allclose(mix.loss, (pixel * weight).sum() / pixel.numel(), rtol=1e-5)
    assert float(mix.observed["pseudo_label_weight"]) == pytest.approx(float(trust))
    assert 0.0 < float(trust) < 1.0  # an untrained student is sure of some pixels only
    assert source.name == "source"


def test_a_step_sums_the_gradients_of_all_terms(data):
    model = build("dacs")
    together = copy.deepcopy(model)
    torch.manual_seed(5)
    log = model.train_step(data, optimiser(model))
    torch.manual_seed(5)
    terms = list(together.training_terms(together.prepare(data)))
    sum(term.loss for term in terms).backward()
    with torch.no_grad():
        for parameter in together.student.parameters():
            parameter -= 0.1 * parameter.grad
    for one, other in zip(model.student.parameters(), together.student.parameters(), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)
    assert set(log) == {"loss", "loss_source", "loss_mix", "pseudo_label_weight"}
    assert float(log["loss"]) == pytest.approx(
        float(log["loss_source"] + log["loss_mix"]), rel=1e-6
    )


def test_gradient_reaches_the_student_and_never_the_teacher(data):
    model = build("dacs")
    for term in model.training_terms(model.prepare(data)):
        term.loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.student.parameters())
    assert all(p.grad is None for p in model.teacher.parameters())


def test_a_term_that_is_not_finite_stops_before_the_step(data):
    model = build("source-only", class_weight=[float("nan")] * 19)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(NonFiniteLossError, match="'source' became nan"):
        model.train_step(data, optimiser(model))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_target_labels_that_slip_in_are_refused(data, domains):
    labelled = DATASETS.build(small_world.dataset(domains, "target"))
    data["target"] = pseudo_collate([labelled[0], labelled[1]])
    with pytest.raises(TargetLabelsSeenError):
        build("dacs").prepare(data)


def test_dacs_without_a_target_says_so(data):
    del data["target"]
    model = build("dacs")
    with pytest.raises(ValueError, match="without a target domain"):
        model.train_step(data, optimiser(model))


def test_prediction_comes_from_the_student(data):
    model = build("dacs").eval()
    with torch.no_grad():
        for parameter in model.teacher.network.parameters():
            parameter.zero_()
        prepared = model.data_preprocessor(data["source"])
        samples = model(prepared["inputs"], prepared["data_samples"], mode="predict")
        expected = logits(model.student, prepared["inputs"]).argmax(1)
    for sample, truth in zip(samples, expected, strict=True):
        assert torch.equal(sample.pred_sem_seg.data[0], truth)
    with pytest.raises(ValueError, match="train_step"):
        model(prepared["inputs"], prepared["data_samples"], mode="loss")
