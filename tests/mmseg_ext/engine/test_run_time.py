"""Run-time choices on a built method: they are made, and they change nothing."""

from __future__ import annotations

import copy

import pytest
import small_world
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement, PixelData
from mmseg.structures import SegDataSample
from torch.utils.data._utils.pin_memory import pin_memory

from benchmark import registry
from mmseg_ext.engine import run_time
from mmseg_ext.registry import MODELS


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


def batch():
    torch.manual_seed(3)
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.randint(19, (1, 8, 8))))
    sample.set_metainfo({"img_path": "a.png"})
    return {"inputs": [torch.rand(3, 8, 8)], "data_samples": [sample]}


def test_labels_are_pinned_with_their_images(monkeypatch):
    pinned = []

    def pin(tensor, *_):
        pinned.append(tuple(tensor.shape))
        return tensor.clone()

    monkeypatch.delattr(BaseDataElement, "pin_memory", raising=False)
    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)  # it needs a GPU
    before = batch()
    assert pin_memory(before)["data_samples"][0] is before["data_samples"][0]  # torch knows no such
    assert pinned == [(3, 8, 8)]
    run_time.pin_data_elements()
    sample = pin_memory(before)["data_samples"][0]
    assert pinned[1:] == [(3, 8, 8), (1, 8, 8)]
    assert type(sample) is SegDataSample
    assert sample.img_path == "a.png"
    assert sample.gt_sem_seg.data is not before["data_samples"][0].gt_sem_seg.data
    assert torch.equal(sample.gt_sem_seg.data, before["data_samples"][0].gt_sem_seg.data)


def test_images_and_labels_are_moved_without_waiting(monkeypatch):
    method = MODELS.build(small_world.model("dacs"))
    asked = []
    move = torch.Tensor.to

    def to(tensor, *args, non_blocking=False, **kwargs):
        asked.append(non_blocking)
        return move(tensor, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "to", to)
    waiting = method.data_preprocessor.cast_data(batch())
    assert asked == [False, False]
    run_time.transfer_without_waiting(method)
    moved = method.data_preprocessor.cast_data(batch())
    assert asked[2:] == [True, True]
    assert torch.equal(moved["inputs"][0], waiting["inputs"][0])


def trained(method, images):
    """Logits and gradients of a student's and a teacher's pass, with draws of their own."""
    torch.manual_seed(1)
    prediction = method.predict(images)
    prediction.logits_bchw.square().mean().backward()
    teacher = method.segment(method.teacher.network, images)
    gradients = [value.grad for value in method.student.parameters()]
    return [prediction.logits_bchw.detach(), teacher, *gradients]


@pytest.mark.slow
def test_compiled_networks_compute_the_same_under_the_same_names():
    # Captured and differentiated as for any backend, without the minutes of generating code.
    torch._dynamo.reset()
    torch.manual_seed(0)
    changes = small_world.model("dacs")["segmentor"]
    changes["backbone"] |= {"stem": 8, "stages": [16] * 4, "blocks": [1] * 4}
    changes["decode_head"] |= {"dropout_ratio": 0.5, "in_channels": [16] * 4}
    plain = MODELS.build(small_world.model("dacs", segmentor=changes)).train()
    compiled = copy.deepcopy(plain)
    assert run_time.compile_networks(compiled, backend="aot_eager")
    images = torch.randn(2, 3, 32, 64)
    torch._dynamo.utils.counters.clear()
    found, expected = trained(compiled, images), trained(plain, images)
    captured = torch._dynamo.utils.counters
    assert captured["frames"]["ok"] == captured["frames"]["total"] == 3  # of the teacher: shared
    assert not captured["graph_break"]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    with run_time.uncompiled(), torch.no_grad():
        frames = captured["frames"]["total"]
        compiled.eval()(torch.randn(1, 3, 40, 72))
    assert captured["frames"]["total"] == frames


def test_eva02_is_not_compiled():
    config = small_world.model("dacs")
    config["segmentor"]["backbone"] = registry.find("encoder", "eva02-mini").require("backbone")
    config["segmentor"]["decode_head"]["in_channels"] = [32] * 4
    method = MODELS.build(config)
    assert not run_time.compile_networks(method)
    assert method.student.decode_head._compiled_call_impl is None
