"""Source and mixed images in one pass: the same step as in two, and refused where it is not."""

from __future__ import annotations

import copy

import pytest
import small_world
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from torch import nn

from mmseg_ext.errors import MethodError
from mmseg_ext.profiling.random_images import batches
from mmseg_ext.registry import MODELS

# With it the pseudo labels of an untrained student weigh something.
SURE = {"pseudo_labels": {"threshold": 0.0}}


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


def build(name, **changes):
    torch.manual_seed(0)
    method = MODELS.build(small_world.model(name, **changes))
    method.init_weights()
    return method


def step(method):
    """The log of one step, and its gradients."""
    student = [p for p in method.student.parameters() if p.requires_grad]
    torch.manual_seed(3)
    log = method.train_step(
        next(batches((64, 64), 2, True, seed=5)), OptimWrapper(torch.optim.SGD(student, lr=0.0))
    )
    return log, [p.grad for p in student]


@pytest.mark.parametrize("name", ["dacs", "daformer", "mic"])
def test_one_pass_is_two(name):
    two = build(name, **SURE).train()
    one = build(name, **SURE, single_pass=True).train()
    calls = []
    one.student.backbone.register_forward_hook(lambda _m, images, _f: calls.append(len(images[0])))
    (log, gradients), (expected, their_gradients) = step(one), step(two)
    assert calls == ([4, 2] if name == "mic" else [4])  # the masked images are a pass of their own
    assert log.keys() == expected.keys()
    for term, value in expected.items():
        torch.testing.assert_close(log[term], value, rtol=1e-5, atol=1e-6)
    for gradient, theirs in zip(gradients, their_gradients, strict=True):
        torch.testing.assert_close(gradient, theirs, rtol=1e-4, atol=1e-6)
    assert any(float(gradient.abs().max()) > 1e-3 for gradient in gradients)


def with_batch_norm():
    config = copy.deepcopy(small_world.model("dacs")["segmentor"])
    config["decode_head"]["norm_cfg"] = {"type": "BN"}
    return config


def test_statistics_of_the_batch_are_refused():
    method = build("dacs", segmentor=with_batch_norm(), single_pass=True)
    with pytest.raises(MethodError, match=r"trains BatchNorm2d.*single_pass=False"):
        method.train()
    build("dacs", segmentor=with_batch_norm()).train()


def test_frozen_statistics_are_not():
    method = build("dacs", segmentor=with_batch_norm(), single_pass=True)
    frozen = [m for m in method.student.modules() if isinstance(m, nn.BatchNorm2d)]
    for layer in frozen:
        layer.train = lambda mode=True, layer=layer: layer
        layer.training = False
    assert frozen
    method.train()
    method.eval()


@pytest.mark.parametrize("name", ["daformer-hrda", "mic-hrda"])
def test_a_common_crop_is_refused(name):
    with pytest.raises(MethodError, match=r"HRDASegmentor.*one random crop"):
        build(name, single_pass=True)
