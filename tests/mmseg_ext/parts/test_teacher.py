"""The running mean against its closed form, and what a teacher must never do."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmseg_ext.parts.teacher import MeanTeacher


class DropPath(nn.Module):
    """Stochastic depth as timm and mmcv each define it: a class that is not torch's Dropout."""

    def forward(self, x):
        return x * (torch.rand(()) > 0.5).float() * 2 if self.training else x


def student():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), DropPath(), nn.Linear(8, 2)
    )


def test_it_is_the_plain_mean_first_and_exponential_later():
    net = student()
    teacher = MeanTeacher(net, alpha=0.8)
    values, expected = [], None
    for step in range(12):
        with torch.no_grad():
            net[0].weight.fill_(float(step**2))
        teacher.update(net)
        values.append(float(step**2))
        decay = min(1 - 1 / (step + 1), 0.8)
        expected = values[0] if step == 0 else decay * expected + (1 - decay) * values[-1]
        assert float(teacher.network[0].weight[0, 0]) == pytest.approx(expected, rel=1e-5)
        if step < 5:  # 1 - 1/(t+1) stays below alpha: every iterate has the same weight
            assert expected == pytest.approx(sum(values) / len(values), rel=1e-5)


def test_first_update_copies_the_student_exactly():
    net = student()
    teacher = MeanTeacher(net, alpha=0.99)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
        net[1].running_mean.add_(3.0)
    teacher.update(net)
    for (name, own), theirs in zip(
        teacher.network.state_dict().items(), net.state_dict().values(), strict=True
    ):
        assert torch.equal(own, theirs), name


def test_nothing_drops_in_the_teacher_although_it_is_in_training_mode():
    teacher = MeanTeacher(student()).train()
    assert teacher.network[1].training  # normalisation keeps using batch statistics
    x = torch.randn(16, 4)
    outputs = [teacher(x) for _ in range(5)]
    assert all(torch.equal(outputs[0], other) for other in outputs[1:])


def test_no_gradient_ever_reaches_it():
    net = student()
    teacher = MeanTeacher(net)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert not teacher(torch.randn(4, 4, requires_grad=True)).requires_grad


def test_the_step_survives_a_state_round_trip():
    net = student()
    first = MeanTeacher(net, alpha=0.9)
    for _ in range(4):
        first.update(net)
    second = MeanTeacher(student(), alpha=0.9)
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        net[0].weight.mul_(5)
    first.update(net)
    second.update(net)
    assert int(second.step) == 5
    assert torch.equal(first.network[0].weight, second.network[0].weight)


def test_a_decay_of_one_and_another_architecture_are_refused():
    with pytest.raises(ValueError, match="alpha"):
        MeanTeacher(student(), alpha=1.0)
    with pytest.raises(ValueError, match="differ in"):
        MeanTeacher(student()).update(nn.Linear(4, 2))
