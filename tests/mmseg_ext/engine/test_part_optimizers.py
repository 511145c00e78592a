"""Each part of a method gets an optimizer of its own, and each parameter exactly one."""

from __future__ import annotations

import pytest
import small_world
import torch
from mmengine.config import ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from mmseg_ext.errors import OptimizerError
from mmseg_ext.registry import MODELS


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


def net():
    model = nn.Module()
    model.student = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    model.discriminator = nn.Linear(3, 1)
    return model


def config(**parts):
    return ConfigDict(constructor="PartOptimWrapperConstructor", **parts)


def sgd(lr=0.1, **more):
    return {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": lr}, **more}


def parameters(wrapper):
    return {id(each) for group in wrapper.optimizer.param_groups for each in group["params"]}


def test_each_optimizer_holds_the_parameters_of_its_part():
    model = net()
    adam = {"type": "Adam", "lr": 1e-4, "betas": (0.9, 0.99)}
    wrappers = build_optim_wrapper(model, config(student=sgd(), discriminator={"optimizer": adam}))
    assert list(wrappers.keys()) == ["student", "discriminator"]
    for name, wrapper in wrappers.items():
        assert parameters(wrapper) == {id(each) for each in getattr(model, name).parameters()}
    assert isinstance(wrappers["discriminator"].optimizer, torch.optim.Adam)
    assert wrappers["discriminator"].optimizer.defaults["betas"] == (0.9, 0.99)


def test_rules_for_parameters_name_them_as_a_single_optimizer_does():
    rules = {"custom_keys": {"student.0": {"lr_mult": 0.5}}, "norm_decay_mult": 0.0}
    student = sgd(paramwise_cfg=rules)
    student["optimizer"]["weight_decay"] = 0.3
    alone = nn.Module()
    alone.student = net().student
    expected = build_optim_wrapper(alone, ConfigDict(student))
    found = build_optim_wrapper(net(), config(student=student, discriminator=sgd()))["student"]
    facts = [
        [(group["lr"], group["weight_decay"]) for group in each.optimizer.param_groups]
        for each in (expected, found)
    ]
    assert facts[0] == facts[1]
    assert facts[0] == [(0.05, 0.3), (0.05, 0.3), (0.1, 0.0), (0.1, 0.0)]


def test_a_wrapped_model_is_looked_through():
    wrapper = nn.Module()
    wrapper.module = net()
    wrappers = build_optim_wrapper(wrapper, config(student=sgd(), discriminator=sgd()))
    assert len(parameters(wrappers["student"])) == 4


def test_frozen_parameters_need_no_optimizer():
    model = net()
    model.teacher = nn.Linear(3, 3).requires_grad_(False)
    build_optim_wrapper(model, config(student=sgd(), discriminator=sgd()))


def test_a_part_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(OptimizerError, match=r"'critic'.*student, discriminator"):
        build_optim_wrapper(net(), config(student=sgd(), critic=sgd()))


def test_a_parameter_without_an_optimizer_is_named():
    with pytest.raises(OptimizerError, match=r"discriminator\.weight is trained by no optimizer"):
        build_optim_wrapper(net(), config(student=sgd()))


def test_a_parameter_of_two_optimizers_is_named():
    model = net()
    model.student.add_module("judge", model.discriminator)
    with pytest.raises(OptimizerError, match="trained by student and discriminator"):
        build_optim_wrapper(model, config(student=sgd(), discriminator=sgd()))


def test_rules_beside_the_parts_are_refused():
    with pytest.raises(OptimizerError, match="paramwise_cfg"):
        build_optim_wrapper(net(), config(student=sgd(), paramwise_cfg={"norm_decay_mult": 0.0}))


@pytest.mark.parametrize("method", ["adaptsegnet", "advent"])
def test_the_adversarial_methods_are_split_between_their_two_optimizers(method):
    model = MODELS.build(small_world.model(method))
    settings = small_world.optimization(method)["optim_wrapper"]
    wrappers = build_optim_wrapper(model, ConfigDict(settings))
    both = [parameters(wrapper) for wrapper in wrappers.values()]
    assert both[0].isdisjoint(both[1])
    assert both[0] | both[1] == {id(p) for p in model.parameters() if p.requires_grad}
