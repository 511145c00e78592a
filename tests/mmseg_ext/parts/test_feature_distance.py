"""Which cells count, their distance, and which encoder the student is compared with."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.registry import init_default_scope
from torch import nn

from mmseg_ext.encoders.resnet_mini import ResNetMini
from mmseg_ext.encoders.tower import ImageStatistics
from mmseg_ext.errors import FeatureDistanceError
from mmseg_ext.parts.feature_distance import THINGS, FeatureDistance, pooled_label
from mmseg_ext.segmentors.prediction import Prediction

STATISTICS = {"mean": [120.0, 110.0, 100.0], "std": [60.0, 50.0, 40.0]}


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


class Pooling(nn.Module):
    """An encoder whose two levels are the image averaged over 2 and 4 pixels, times a weight."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, image):
        return tuple(nn.functional.avg_pool2d(image, s) * self.factor for s in (2, 4))


def prediction(encoder, image):
    return Prediction(image, encoder(image), image)


def plain_pooled(label, side, min_ratio):
    rows, columns = label.shape[0] // side, label.shape[1] // side
    pooled = np.full((rows, columns), 255)
    for y in range(rows):
        for x in range(columns):
            cell = label[y * side : (y + 1) * side, x * side : (x + 1) * side].ravel()
            values, counts = np.unique(cell, return_counts=True)
            if counts.max() / cell.size >= min_ratio:
                pooled[y, x] = values[counts.argmax()]
    return pooled


@settings(max_examples=60, deadline=None)
@given(
    side=st.sampled_from([1, 2, 4, 8]),
    min_ratio=st.sampled_from([0.51, 0.75, 1.0]),
    classes=st.lists(st.sampled_from([*range(19), 255]), min_size=1, max_size=4, unique=True),
    seed=st.integers(0, 9999),
)
def test_labels_are_pooled_exactly(side, min_ratio, classes, seed):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(len(classes), 0.2))  # so that many cells are nearly pure
    label = rng.choice(classes, (3 * side, 5 * side), p=weights)
    pooled = pooled_label(torch.from_numpy(label)[None], (3, 5), min_ratio)
    assert np.array_equal(pooled[0].numpy(), plain_pooled(label, side, min_ratio))


def test_exactly_three_quarters_are_enough():
    label = torch.tensor([[13, 13, 0, 13], [13, 0, 0, 13]])[None]
    assert pooled_label(label, (1, 2), 0.75).tolist() == [[[13, 255]]]


@pytest.mark.parametrize("size", [(37, 37), (16, 32), (0, 0), (128, 128)])
def test_cells_that_do_not_divide_the_label_map_are_refused(size):
    label = torch.zeros(1, 64, 64, dtype=torch.int64)
    if size == (0, 0):
        size = (65, 65)
    with pytest.raises(FeatureDistanceError, match="64x64 are no whole multiple"):
        pooled_label(label, size, 0.75)


def test_the_loss_is_the_mean_norm_over_cells_with_things():
    torch.manual_seed(0)
    student, image = Pooling(), torch.randn(2, 3, 16, 24)
    distance = FeatureDistance(student, **STATISTICS)
    distance.remember(student)
    with torch.no_grad():
        student.factor.fill_(1.7)
    label = torch.randint(0, 3, (2, 16, 24))
    label[0, 4:12, 4:8] = 13  # two whole cells of car
    label[1, :4, :3] = 6  # 12 of 16 pixels of traffic light
    label[1, 8:12, 8:10] = 18  # half a cell of bicycle: too little
    label[1, 12:16, 12:20] = 255
    total, cells = 0.0, 0
    for b in range(2):
        pooled = plain_pooled(label[b].numpy(), 4, 0.75)
        for y in range(4):
            for x in range(6):
                if pooled[y, x] in (6, 7, 11, 12, 13, 14, 15, 16, 17, 18):
                    mean = image[b, :, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4].mean((1, 2))
                    total, cells = total + float((0.7 * mean).norm()), cells + 1
    assert cells == 3
    loss = distance(prediction(student, image), label, student)
    assert float(loss) == pytest.approx(0.005 * total / 3, rel=1e-5)
    loss.backward()
    assert student.factor.grad is not None
    assert all(p.grad is None for p in distance.parameters())


def test_without_a_thing_the_loss_is_zero_and_still_has_a_gradient():
    student, image = Pooling(), torch.randn(1, 3, 8, 8)
    distance = FeatureDistance(student, **STATISTICS)
    label = torch.full((1, 8, 8), 255)
    loss = distance(prediction(student, image), label, student)
    assert float(loss) == 0.0
    loss.backward()
    assert float(student.factor.grad) == 0.0


def test_classes_level_and_weight_can_be_chosen():
    assert THINGS == (6, 7, 11, 12, 13, 14, 15, 16, 17, 18)
    student, image = Pooling(), torch.randn(1, 3, 8, 8)
    distance = FeatureDistance(student, **STATISTICS, classes=[0], level=0, weight=2.0)
    with torch.no_grad():
        student.factor.fill_(0.0)
    label = torch.zeros(1, 8, 8, dtype=torch.int64)
    expected = nn.functional.avg_pool2d(image, 2).norm(dim=1).mean() * 2.0
    assert float(distance(prediction(student, image), label, student)) == pytest.approx(
        float(expected), rel=1e-5
    )
    assert float(distance(prediction(student, image), label + 13, student)) == 0.0


def test_normalised_channels_ignore_scale_and_shift():
    student, image = Pooling(), torch.randn(1, 3, 8, 8)
    distance = FeatureDistance(student, **STATISTICS, channel_norm=True)
    with torch.no_grad():
        student.factor.fill_(3.0)
    label = torch.full((1, 8, 8), 13)
    assert float(distance(prediction(student, image), label, student)) == pytest.approx(
        0.0, abs=1e-4
    )


def test_the_initial_encoder_is_the_one_before_the_first_step():
    student = Pooling(1.0)
    distance = FeatureDistance(student, **STATISTICS)
    with torch.no_grad():
        student.factor.fill_(2.0)  # what init_weights() does after construction
    distance.remember(student)
    with torch.no_grad():
        student.factor.fill_(9.0)
    distance.remember(student)
    assert float(distance.teacher.factor) == 2.0
    resumed = FeatureDistance(Pooling(5.0), **STATISTICS)
    resumed.load_state_dict(distance.state_dict())
    resumed.remember(student)
    assert float(resumed.teacher.factor) == 2.0


def test_the_frozen_encoder_never_trains():
    student = ResNetMini()
    student.norm = nn.BatchNorm2d(3)
    distance = FeatureDistance(student, **STATISTICS).train()
    assert not any(m.training for m in distance.teacher.modules())
    assert not any(p.requires_grad for p in distance.parameters())
    assert distance.training


def test_another_encoder_sees_images_in_its_own_statistics(monkeypatch):
    torch.manual_seed(1)
    config = {"type": "ResNetMini", "stem": 8, "stages": (8, 8, 8, 8)}
    other = {"mean": [10.0, 20.0, 30.0], "std": [1.0, 2.0, 4.0]}
    student = ResNetMini(stem=8, stages=(8, 8, 8, 8))
    distance = FeatureDistance(student, **STATISTICS, teacher={"encoder": config, **other})
    distance.remember(student)
    rgb = torch.rand(1, 3, 64, 64) * 255

    def normalised(mean, std):
        return (rgb - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)

    image = normalised(**STATISTICS)
    frozen = copy.deepcopy(distance.teacher)(normalised(**other))[-1]
    label = torch.full((1, 64, 64), 13)
    expected = (student(image)[-1] - frozen).norm(dim=1).mean() * 0.005
    result = distance(prediction(student, image), label, student)
    assert float(result) == pytest.approx(float(expected), rel=1e-4)
    distance = FeatureDistance(student, **STATISTICS, teacher={"encoder": config})
    assert torch.allclose(image * distance.scale + distance.shift, image, atol=1e-5)
    monkeypatch.setattr(ResNetMini, "image_statistics", ImageStatistics(**other), raising=False)
    distance = FeatureDistance(student, **STATISTICS, teacher={"encoder": config})
    assert torch.allclose(
        image * distance.scale + distance.shift, normalised(**other), rtol=1e-4, atol=1e-4
    )
    wider = {**config, "stages": (8, 8, 8, 16)}
    distance = FeatureDistance(student, **STATISTICS, teacher={"encoder": wider})
    with pytest.raises(FeatureDistanceError, match="equal channels"):
        distance(prediction(student, image), label, student)
    with pytest.raises(ValueError, match="'initial' or a config"):
        FeatureDistance(student, **STATISTICS, teacher="imagenet")


def test_the_tower_of_a_transformer_can_be_compared_below_its_pyramid():
    from mmseg_ext.encoders.timm_encoder import TimmEncoder

    torch.manual_seed(2)
    student = TimmEncoder(
        "eva02_tiny_patch14_224",
        {"embed_dim": 48, "depth": 2, "num_heads": 2, "patch_size": 16, "img_size": 64},
        feature_layers=(0, 0, 1, 1),
        pretrained=None,
    )
    image, label = torch.randn(1, 3, 64, 64), torch.full((1, 64, 64), 13)
    distance = FeatureDistance(student, **STATISTICS, features="tower", channel_norm=True)
    distance.remember(student)
    with torch.no_grad():
        for parameter in student.pyramid.parameters():
            parameter.add_(1.0)
    assert float(distance(prediction(student, image), label, student)) == 0.0
    initial = copy.deepcopy(student)
    with torch.no_grad():
        for parameter in student.tower.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))

    def normalised(encoder):
        return nn.functional.layer_norm(encoder.intermediates(image)[-1].movedim(1, -1), (48,))

    expected = (normalised(student) - normalised(initial)).norm(dim=-1).mean() * 0.005
    loss = distance(prediction(student, image), label, student)
    assert float(loss) == pytest.approx(float(expected), rel=1e-3)
    loss.backward()
    assert all(parameter.grad is None for parameter in student.pyramid.parameters())
    with pytest.raises(ValueError, match="Pooling has no tower"):
        FeatureDistance(Pooling(), **STATISTICS, features="tower")
