"""Run-time choices on a built method: they are made, and they change nothing."""

from __future__ import annotations

import pytest
import small_world
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement, PixelData
from mmseg.structures import SegDataSample
from torch.utils.data._utils.pin_memory import pin_memory

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
