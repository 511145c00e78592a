"""What travels to a device, and that nothing is lost or waited for on the way."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmseg_ext.parts.transfer import batch_to_device, to_device


def batch():
    sample = SegDataSample(
        gt_sem_seg=PixelData(data=torch.arange(6).view(1, 2, 3)), metainfo={"img_path": "a.png"}
    )
    sample.valid_pixels = PixelData(data=torch.ones(1, 2, 3, dtype=torch.bool))
    return {"inputs": [torch.zeros(3, 2, 3, dtype=torch.uint8)], "data_samples": [sample]}


def test_every_tensor_of_a_batch_travels_and_the_batch_stays_as_it_was():
    given = batch()
    moved = batch_to_device(given, torch.device("meta"))
    sample = moved["data_samples"][0]
    assert moved["inputs"][0].device.type == "meta"
    assert moved["inputs"][0].dtype == torch.uint8
    assert sample.gt_sem_seg.data.device.type == "meta"
    assert sample.gt_sem_seg.data.shape == (1, 2, 3)
    assert sample.valid_pixels.data.device.type == "meta"
    assert sample.img_path == "a.png"
    assert given["data_samples"][0].gt_sem_seg.data.tolist() == [[[0, 1, 2], [3, 4, 5]]]
    assert given["inputs"][0].device.type == "cpu"


def test_on_the_cpu_values_stay_and_samples_are_others():
    given = batch()
    moved = batch_to_device(given, torch.device("cpu"))
    assert moved["inputs"][0] is given["inputs"][0]
    del moved["data_samples"][0].gt_sem_seg.data  # as the preprocessor does
    assert given["data_samples"][0].gt_sem_seg.data.sum() == 15


def test_anything_else_is_handed_on():
    given = {"names": ("a", b"b"), "pair": (torch.ones(1), None), "number": 3}
    assert batch_to_device(given, torch.device("cpu")) == given


def test_a_gpu_is_given_page_locked_memory():
    locked = []

    class Lockable(torch.Tensor):
        def pin_memory(self):
            locked.append(self)
            return self

        def to(self, device, non_blocking=False):
            return (device, non_blocking)

    tensor = torch.ones(2).as_subclass(Lockable)
    assert to_device(tensor, torch.device("cuda")) == (torch.device("cuda"), True)
    assert len(locked) == 1
    to_device(tensor, torch.device("cpu"))
    assert len(locked) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_nobody_waits_for_a_gpu():
    torch.cuda.set_sync_debug_mode("error")
    try:
        moved = to_device(torch.arange(1000), torch.device("cuda"))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.equal(moved.cpu(), torch.arange(1000))
