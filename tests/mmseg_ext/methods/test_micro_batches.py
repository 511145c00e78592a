"""Steps in micro-batches: the whole batch's step where images do not see each other."""

from __future__ import annotations

import copy

import pytest
import small_world
import torch
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import init_default_scope

from mmseg_ext.datasets.paired import PairedDataset
from mmseg_ext.engine.micro_batches import slices
from mmseg_ext.errors import MethodError, NonFiniteLossError
from mmseg_ext.methods.base import Batch
from mmseg_ext.registry import MODELS


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


@pytest.fixture
def data(domains):
    dataset = PairedDataset(
        small_world.dataset(domains, "source"),
        small_world.dataset(domains, "target", labelled=False),
    )
    return pseudo_collate([dataset[index] for index in range(4)])


def build(method, micro_batches=1, **changes):
    torch.manual_seed(0)
    model = MODELS.build(small_world.model(method, **changes))
    model.init_weights()
    model.micro_batches = micro_batches
    return model.train()


def train(model, data, steps=2):
    """The log of each of some steps with plain SGD."""
    parts = {"student": model.student}
    if hasattr(model, "discriminator"):
        parts["discriminator"] = model.discriminator
    wrappers = {
        name: OptimWrapper(torch.optim.SGD(part.parameters(), lr=0.05))
        for name, part in parts.items()
    }
    wrapper = wrappers["student"] if len(parts) == 1 else OptimWrapperDict(**wrappers)
    torch.manual_seed(7)
    return [model.train_step(copy.deepcopy(data), wrapper) for _ in range(steps)]


@pytest.mark.parametrize("method", ["source-only", "adaptsegnet"])
@pytest.mark.parametrize("count", [2, 4])
def test_without_ties_between_images_it_is_the_whole_batchs_step(data, method, count):
    whole, cut = build(method), build(method, count)
    for one, other in zip(train(whole, data), train(cut, data), strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            assert float(other[name]) == pytest.approx(float(value), rel=1e-6, abs=1e-6)
    start = build(method).student.state_dict()
    for name, value in whole.student.state_dict().items():
        assert torch.allclose(cut.student.state_dict()[name], value, rtol=0, atol=1e-6), name
    assert any(not torch.equal(start[n], v) for n, v in cut.student.state_dict().items())
    assert int(cut.iteration) == int(whole.iteration) == 2


@pytest.mark.parametrize("method", ["dacs", "daformer", "mic"])
def test_the_teacher_follows_once_a_step(data, method):
    model = build(method, 2)
    alpha, name = model.teacher.alpha, "decode_head.conv_seg.weight"
    before = model.student.state_dict()[name].clone()
    train(model, data, steps=1)
    assert torch.equal(model.teacher.network.state_dict()[name], before)  # step 0 copies
    after = model.student.state_dict()[name].clone()
    train(model, data, steps=1)
    assert int(model.teacher.step) == int(model.iteration) == 2
    decay = min(0.5, alpha)
    expected = decay * before + (1 - decay) * after
    assert torch.allclose(model.teacher.network.state_dict()[name], expected, atol=1e-7)
    assert not model.teacher.held


def test_each_slice_is_smaller_and_pairs_stay_together(data):
    seen = []
    model = build("dacs", 2)
    terms = model.training_terms

    def spy(batch):
        seen.append(batch)
        return terms(batch)

    model.training_terms = spy
    whole = model.prepare(copy.deepcopy(data))
    train(model, data, steps=1)
    assert [len(batch.source_image) for batch in seen] == [2, 2]
    for name in ("source_image", "source_label", "target_image"):
        together = torch.cat([getattr(batch, name) for batch in seen])
        assert torch.equal(together, getattr(whole, name))
    assert [batch.target_valid for batch in seen] == [None, None]


def test_a_number_that_does_not_divide_the_batch_is_refused():
    batch = Batch(torch.zeros(4, 3, 2, 2), torch.zeros(4, 2, 2), None)
    assert slices(batch, 1) == [batch]
    with pytest.raises(MethodError, match="a batch of 4 cannot be cut into 3 equal micro-batches"):
        slices(batch, 3)


def test_a_slice_that_is_not_finite_stops_before_the_step(data):
    model = build("source-only", 2)
    data["source"]["inputs"][3] = torch.full_like(data["source"]["inputs"][3].float(), torch.inf)
    before = copy.deepcopy(model.student.state_dict())
    with pytest.raises(NonFiniteLossError, match="'source' became nan in iteration 1"):
        train(model, data, steps=1)
    assert all(torch.equal(v, before[n]) for n, v in model.student.state_dict().items())
