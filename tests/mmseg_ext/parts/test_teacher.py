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


class ZonedOut(nn.Module):
    """Something that drops at random without saying so in its name, and has children."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))

    def forward(self, x):
        x = self.inner(x)
        return nn.functional.dropout(x, 0.5, self.training)


class Attention(nn.Module):
    """Dropout inside a function call, its probability an attribute, as timm's attention does it."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.attn_drop = nn.Dropout(0.5)

    def forward(self, x):
        q, k, v = self.qkv(x)[None, None].chunk(3, dim=-1)
        p = self.attn_drop.p if self.training else 0.0
        return nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=p)[0, 0]


class TorchAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True)

    def forward(self, x):
        return self.attention(x[None], x[None], x[None], need_weights=False)[0][0]


class Plane(nn.Module):
    """Applies a layer for maps to vectors."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x[:, :, None, None].expand(-1, -1, 4, 4)).mean((2, 3))


def patch_dropout():
    from timm.layers import PatchDropout

    return Tokens(PatchDropout(0.5, num_prefix_tokens=0))


class Tokens(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x[None])[0]


def timm_drop_path():
    from timm.layers import DropPath as TimmDropPath

    return TimmDropPath(0.5)


def mmcv_drop_path():
    from mmcv.cnn.bricks.drop import DropPath as McvDropPath

    return McvDropPath(0.5)


@pytest.mark.parametrize(
    "make",
    [
        ZonedOut,
        Attention,
        TorchAttention,
        lambda: Plane(nn.Dropout2d(0.5)),
        lambda: nn.AlphaDropout(0.5),
        lambda: nn.RReLU(),  # random in training, although it drops nothing
        patch_dropout,
        timm_drop_path,
        mmcv_drop_path,
        lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5, batch_first=True),
    ],
)
def test_whatever_is_random_in_training_is_off_in_the_teacher(make):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), make()).train()
    x = torch.randn(16, 4)

    def outputs(module):
        return [module(x) for _ in range(6)]

    first, *others = outputs(net)
    assert not all(first.shape == o.shape and torch.equal(first, o) for o in others)
    first, *others = outputs(MeanTeacher(net).train())
    assert all(torch.equal(first, other) for other in others)
    assert net.training  # the student is as it was


def test_batch_statistics_stay_in_use_everywhere():
    net = nn.Sequential(nn.Linear(4, 8), ZonedOut(), nn.BatchNorm1d(8, track_running_stats=False))
    teacher = MeanTeacher(net).train()
    norms = [m for m in teacher.network.modules() if isinstance(m, nn.BatchNorm1d)]
    assert [norm.training for norm in norms] == [True, True]
    assert not any(norm.training for norm in teacher.eval().network.modules())
    x = torch.randn(32, 4) * 5 + 3
    teacher.train()
    assert torch.allclose(teacher(x).mean(0), torch.zeros(8), atol=1e-5)


@pytest.mark.parametrize("policy", ["none", "copy", "ema"])
def test_buffers_follow_their_policy(policy):
    net = student()
    teacher = MeanTeacher(net, alpha=0.6, buffers=policy)
    expected = None
    for step in range(5):
        with torch.no_grad():
            net[1].running_mean.fill_(float(step**2))
            net[1].num_batches_tracked.fill_(step + 10)
        teacher.update(net)
        decay = min(1 - 1 / (step + 1), 0.6)
        new = float(step**2)
        if step == 0 or policy == "copy":
            expected = new
        elif policy == "ema":
            expected = decay * expected + (1 - decay) * new
        assert float(teacher.network[1].running_mean[0]) == pytest.approx(expected, rel=1e-5)
        counted = 10 if policy == "none" else step + 10
        assert int(teacher.network[1].num_batches_tracked) == counted


def test_running_statistics_can_normalise_the_teacher():
    net = student()
    teacher = MeanTeacher(net, buffers="copy", normalization="running").train()
    teacher.update(net)
    before = teacher.network[1].running_mean.clone()
    x = torch.randn(16, 4) + 5
    assert torch.equal(teacher(x), net.eval()(x))
    assert torch.equal(teacher.network[1].running_mean, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"buffers": "mean"}, "'none', 'copy' or 'ema'"),
        ({"normalization": "layer"}, "'batch' or 'running'"),
        ({"normalization": "running"}, "set buffers"),
    ],
)
def test_policies_that_do_not_exist_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MeanTeacher(student(), **options)


def test_norms_that_the_student_keeps_frozen_are_frozen_in_the_teacher():
    from mmseg_ext.encoders import ResNetEncoder

    for norm_eval in (False, True):
        teacher = MeanTeacher(ResNetEncoder(18, norm_eval=norm_eval)).train()
        norms = [m for m in teacher.network.modules() if isinstance(m, nn.BatchNorm2d)]
        assert {norm.training for norm in norms} == {not norm_eval}
