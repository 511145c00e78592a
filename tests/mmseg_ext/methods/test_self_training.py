"""DAFormer, HRDA and MIC: their terms from their definitions, and what they reduce to."""

from __future__ import annotations

import copy

import pytest
import small_world
import torch
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from torch.nn import functional

from mmseg_ext.datasets.paired import PairedDataset
from mmseg_ext.errors import NonFiniteLossError
from mmseg_ext.registry import MODELS

# An untrained student of 19 classes reaches it in some pixels and not in others.
UNSURE = {"threshold": 0.054}


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


def terms(model, data, seed=3):
    batch = model.prepare(data)
    torch.manual_seed(seed)
    return {term.name: term for term in model.training_terms(batch)}


def steps(model, data, count=3):
    """Logs and weights of a few steps."""
    wrapper = optimiser(model)
    torch.manual_seed(11)
    logs = [model.train_step(data, wrapper) for _ in range(count)]
    return logs, model.student.state_dict(), model.teacher.state_dict()


def assert_equal_steps(one, other, data):
    (logs, student, teacher), (their_logs, their_student, their_teacher) = (
        steps(one, data),
        steps(other, data),
    )
    for log, their_log in zip(logs, their_logs, strict=True):
        assert all(torch.equal(log[name], their_log[name]) for name in their_log)
    for state, theirs in ((student, their_student), (teacher, their_teacher)):
        assert state.keys() == theirs.keys()
        assert all(torch.equal(state[name], value) for name, value in theirs.items())


def logits(network, image):
    return functional.interpolate(network(image), image.shape[2:], mode="bilinear")


def test_daformer_without_its_parts_is_dacs(data):
    parts = {"feature_distance": None, "ignored_rows": None}
    assert_equal_steps(build("daformer", **parts), build("dacs"), data)


@pytest.mark.parametrize("segmentor", ["", "-hrda"])
def test_mic_without_masks_is_daformer(data, segmentor):
    assert_equal_steps(build(f"mic{segmentor}", masking=None), build(f"daformer{segmentor}"), data)


def test_masking_adds_a_term_and_leaves_the_others_as_they_are(data):
    plain, masked = terms(build("daformer"), data), terms(build("mic"), data)
    assert [*plain, "masked"] == [*masked]
    assert all(torch.equal(term.loss, masked[name].loss) for name, term in plain.items())


def test_the_terms_of_daformer(data):
    model = build("daformer", strong_augmentation=None, pseudo_labels=UNSURE)
    with torch.no_grad():  # the student has moved since iteration 0
        model.feature_distance.remember(model.student.backbone)
        initial = copy.deepcopy(model.student.backbone)
        for parameter in model.student.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    batch = model.prepare(data)
    found = terms(model, data)
    student = model.student

    source = logits(student, batch.source_image)
    assert torch.allclose(
        found["source"].loss, functional.cross_entropy(source, batch.source_label), rtol=1e-5
    )

    features, frozen = student.backbone(batch.source_image)[1], initial(batch.source_image)[1]
    cells = batch.source_label[:, ::8, ::8]  # classes are blocks of 16 pixels, cells 8
    things = torch.isin(cells, torch.tensor([6, 7, *range(11, 19)]))
    distance = (features - frozen).pow(2).sum(1).sqrt()[things].mean()
    assert things.any()
    assert not things.all()
    assert torch.allclose(found["feature_distance"].loss, 0.005 * distance, rtol=1e-4)

    with torch.no_grad():
        probability, pseudo = logits(student, batch.target_image).softmax(1).max(1)
    trust = (probability >= 0.054).float().mean()  # over all rows, ignored ones too
    weights = torch.full_like(probability, float(trust))
    weights[:, :4] = weights[:, -9:] = 0.0
    torch.manual_seed(3)
    pasted = model.class_mix.mask(batch.source_label)
    image = torch.where(pasted[:, None], batch.source_image, batch.target_image)
    label = torch.where(pasted, batch.source_label, pseudo)
    weight = torch.where(pasted, torch.tensor(1.0), weights)
    pixel = functional.cross_entropy(logits(student, image), label, reduction="none")
    assert torch.allclose(found["mix"].loss, (pixel * weight).mean(), rtol=1e-5)
    watched = found["mix"].observed
    assert float(watched["confident_pixels"]) == pytest.approx(float(trust))
    assert float(watched["pseudo_label_weight"]) == pytest.approx(float(trust) * 51 / 64, rel=1e-5)


def test_source_and_feature_distance_share_one_forward_pass(data):
    model = build("daformer")
    together = copy.deepcopy(model)
    calls = []
    model.student.backbone.register_forward_hook(lambda *_: calls.append(1))
    torch.manual_seed(5)
    log = model.train_step(data, optimiser(model))
    assert len(calls) == 2  # source and mix; teacher and frozen encoder are other modules
    torch.manual_seed(5)
    sum(term.loss for term in together.training_terms(together.prepare(data))).backward()
    with torch.no_grad():
        for parameter in together.student.parameters():
            parameter -= 0.1 * parameter.grad
    for one, other in zip(model.student.parameters(), together.student.parameters(), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)
    assert float(log["loss"]) == pytest.approx(
        sum(float(log[f"loss_{n}"]) for n in ("source", "feature_distance", "mix")), rel=1e-6
    )


def test_the_masked_term_repeats_the_teachers_view_of_the_whole_image(data):
    model = build("mic", mask_augmentation=None, strong_augmentation=None, pseudo_labels=UNSURE)
    batch = model.prepare(data)
    found = terms(model, data)
    with torch.no_grad():
        probability, pseudo = logits(model.student, batch.target_image).softmax(1).max(1)
    weight = (probability >= 0.054).float().mean().expand(pseudo.shape).clone()
    weight[:, :4] = weight[:, -9:] = 0.0
    torch.manual_seed(3)
    model.class_mix.mask(batch.source_label)
    kept = torch.rand(2, 1, 4, 4) > 0.7
    image = batch.target_image * kept.float().repeat_interleave(16, 2).repeat_interleave(16, 3)
    pixel = functional.cross_entropy(logits(model.student, image), pseudo, reduction="none")
    assert torch.allclose(found["masked"].loss, (pixel * weight).mean(), rtol=1e-5)
    half = terms(build("mic", masked_weight=0.5, pseudo_labels=UNSURE), data)["masked"].loss
    whole = terms(build("mic", pseudo_labels=UNSURE), data)["masked"].loss
    assert float(whole) > 0.0
    assert torch.allclose(half, 0.5 * whole)


def test_the_target_is_augmented_before_it_is_masked(data):
    model = build("mic", strong_augmentation=None)
    seen = []
    original = model.predict
    model.predict = lambda image: seen.append(image) or original(image)
    batch = model.prepare(data)
    terms(model, data)
    torch.manual_seed(3)
    model.class_mix.mask(batch.source_label)
    expected = model.masking(model.mask_augmentation(batch.target_image))
    assert torch.equal(seen[-1], expected)
    assert model.mask_augmentation.shared_sigma


def test_separate_masks_half_of_each_domain(data):
    options = {
        "mask_augmentation": None,
        "masked_images": "separate",
        "pseudo_labels": UNSURE,
    }
    model = build("mic", **options)
    seen = []
    original = model.predict
    model.predict = lambda image: seen.append(image) or original(image)
    batch = model.prepare(data)
    loss = terms(model, data)["masked"].loss
    with torch.no_grad():
        probability, pseudo = logits(model.teacher, batch.target_image).softmax(1).max(1)
    weight = (probability >= 0.054).float().mean().expand(2, 64, 64).clone()
    weight[:, :4] = weight[:, -9:] = 0.0
    image = torch.stack([batch.source_image[0], batch.target_image[0]])
    kept = seen[-1] != 0
    assert torch.equal(seen[-1], image * kept)
    label = torch.stack([batch.source_label[0], pseudo[0]])
    weight = torch.stack([torch.ones(64, 64), weight[0]])
    pixel = functional.cross_entropy(logits(model.student, seen[-1]), label, reduction="none")
    assert torch.allclose(loss, (pixel * weight).mean(), rtol=1e-5)
    for side in ("source", "target"):
        data[side] = {key: value[:1] for key, value in data[side].items()}
    with pytest.raises(ValueError, match="even number"):
        terms(build("mic", **options), data)
    with pytest.raises(ValueError, match="'target' or 'separate'"):
        build("mic", masked_images="source")


def test_masks_of_valid_pixels_weigh_the_pseudo_labels(data):
    valid = torch.zeros(2, 1, 64, 64, dtype=torch.bool)
    valid[0, :, 10:, :20] = valid[1, :, :30, 5:] = True
    for sample, mask in zip(data["target"]["data_samples"], valid, strict=True):
        sample.valid_pixels = PixelData(data=mask)
    model = build("daformer", ignored_rows=None, pseudo_labels=UNSURE)
    watched = terms(model, data)["mix"].observed
    share = float(valid.float().mean())
    assert float(watched["confident_pixels"]) > 0.0
    assert float(watched["pseudo_label_weight"]) == pytest.approx(
        float(watched["confident_pixels"]) * share, rel=1e-5
    )


@pytest.mark.parametrize("method", ["daformer", "mic", "daformer-hrda", "mic-hrda"])
def test_gradient_reaches_the_student_and_nothing_that_is_frozen(data, method):
    model = build(method)
    model.train_step(data, optimiser(model))
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.student.parameters())
    frozen = [*model.teacher.parameters(), *model.feature_distance.parameters()]
    assert frozen
    assert not any(p.requires_grad for p in frozen)
    assert all(p.grad is None for p in frozen)
    own = {id(p) for p in model.parameters() if p.requires_grad}
    assert own == {id(p) for p in model.student.parameters()}


def test_the_frozen_encoder_is_the_initialised_one(data):
    model = build("daformer")
    initial = copy.deepcopy(model.student.backbone.state_dict())
    steps(model, data, count=2)
    teacher = model.feature_distance.teacher.state_dict()
    assert all(torch.equal(teacher[name], value) for name, value in initial.items())
    moved = model.student.backbone.state_dict()
    assert not any(torch.equal(moved[n], v) for n, v in initial.items() if n.endswith("weight"))


def test_a_feature_distance_that_is_not_finite_is_named(data):
    model = build("daformer", feature_distance={"level": 1, "weight": float("inf")})
    model.feature_distance.remember(model.student.backbone)
    with torch.no_grad():
        next(model.feature_distance.teacher.parameters()).add_(1.0)
    with pytest.raises(NonFiniteLossError, match="'feature_distance'"):
        model.train_step(data, optimiser(model))


@pytest.mark.parametrize("method", ["daformer", "mic"])
def test_a_missing_target_is_named(data, method):
    del data["target"]
    model = build(method)
    with pytest.raises(ValueError, match="without a target domain"):
        model.train_step(data, optimiser(model))


def test_tokens_of_a_transformer_can_be_masked_instead_of_blocks(data):
    changes = small_world.model("mic")["segmentor"]
    changes["backbone"] = {
        "type": "TimmEncoder",
        "model": "eva02_tiny_patch14_224",
        "model_args": {
            "embed_dim": 48,
            "depth": 2,
            "num_heads": 2,
            "patch_size": 8,
            "img_size": 64,
        },
        "feature_layers": (0, 0, 1, 1),
    }
    changes["decode_head"]["in_channels"] = [48] * 4
    model = build(
        "mic",
        segmentor=changes,
        masking={"kind": "token", "ratio": 0.7},
        feature_distance=None,
        pseudo_labels={"threshold": 0.0},
    )
    with torch.no_grad():
        model.masking.mask_token.normal_()
    found = terms(model, data)
    gradient = torch.autograd.grad(
        found["masked"].loss, model.masking.mask_token, retain_graph=True
    )
    assert float(gradient[0].abs().sum()) > 0.0
    for name in ("source", "mix"):  # elsewhere the student sees every token
        assert torch.autograd.grad(
            found[name].loss, model.masking.mask_token, allow_unused=True
        ) == (None,)
    assert "masking.mask_token" in dict(model.named_parameters())
