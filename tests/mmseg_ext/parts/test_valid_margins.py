"""Margins of the target: where they lie, and that they go through the pipeline with the image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmseg_ext.datasets.valid_pixels import AttachValidPixels
from mmseg_ext.parts.pseudo_labels import Pseudo
from mmseg_ext.parts.valid_margins import IgnoredRows, restrict, valid_pixels
from mmseg_ext.registry import DATASETS


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


def test_the_papers_rows_of_a_crop_of_512():
    pseudo = IgnoredRows()(Pseudo(torch.zeros(2, 512, 512).long(), torch.tensor(0.25)))
    trusted = (pseudo.weight == 0.25).all(2)
    assert torch.equal(pseudo.weight, 0.25 * trusted[:, :, None].expand(2, 512, 512))
    rows = [y for y in range(512) if trusted[0, y]]
    assert rows == list(range(15, 392))
    with pytest.raises(ValueError, match="leave nothing of 64 rows"):
        IgnoredRows()(Pseudo(torch.zeros(1, 64, 64).long(), torch.tensor(1.0)))


def test_margins_at_both_ends_combine_with_what_is_there():
    weight = torch.rand(2, 8, 8)
    valid = torch.rand(2, 8, 8) > 0.5
    pseudo = restrict(Pseudo(torch.ones(2, 8, 8).long(), weight), valid)
    assert torch.equal(pseudo.weight, torch.where(valid, weight, torch.zeros(())))
    assert torch.equal(pseudo.label_bhw, torch.ones(2, 8, 8).long())


def test_the_papers_margins_of_a_cityscapes_frame():
    for height, scale in ((1024, 1), (512, 2)):
        results = AttachValidPixels()({"img_shape": (height, 2 * height)})
        valid = results["valid_pixels"]
        expected = np.zeros((height, 2 * height), bool)
        expected[30 // scale : -240 // scale, 30 // scale : -30 // scale] = True
        assert np.array_equal(valid == 1, expected)
        assert results["seg_fields"] == ["valid_pixels"]
    with pytest.raises(ValueError, match="leave nothing"):
        AttachValidPixels(top=600, bottom=500)


def test_padding_is_not_valid_and_no_mask_is_no_mask():
    masks = [torch.rand(1, h, 6) > 0.3 for h in (4, 5)]
    samples = [SegDataSample(valid_pixels=PixelData(data=mask)) for mask in masks]
    valid = valid_pixels(samples, (5, 8))
    assert valid.dtype == torch.bool
    assert torch.equal(valid[0, :4, :6], masks[0][0])
    assert torch.equal(valid[1, :5, :6], masks[1][0])
    assert not valid[0, 4:].any()
    assert not valid[:, :, 6:].any()
    assert valid_pixels([SegDataSample()], (5, 8)) is None


def test_the_mask_follows_its_image_through_the_pipeline(tmp_path):
    # An image whose red channel is 200 where it is valid: the two must stay together.
    image = np.zeros((64, 128, 3), np.uint8)
    image[8:-16, 4:-4, 2] = 200
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "0.png"), image)
    margins = {"top": 8, "bottom": 16, "left": 4, "right": 4, "native_size": (64, 128)}
    dataset = DATASETS.build(
        {
            "type": "DomainDataset",
            "domain": "target",
            "data_root": str(tmp_path),
            "images": "images",
            "labels": None,
            "pipeline": [
                {"type": "ReadImage"},
                {"type": "AttachValidPixels", **margins},
                {"type": "Resize", "scale": (256, 128), "keep_ratio": True},
                {"type": "RandomCrop", "crop_size": (72, 88)},
                {"type": "RandomFlip", "prob": 0.5},
                {"type": "PackWithValidPixels"},
            ],
        }
    )
    np.random.seed(0)
    flipped = shares = 0
    for _ in range(12):
        sample = dataset[0]
        valid = sample["data_samples"].valid_pixels.data
        red = sample["inputs"][2:] > 100
        assert valid.shape == (1, 72, 88)
        # bilinear for the image, nearest for the mask: they may differ by a pixel at the margin
        assert (valid != red).float().mean() < 0.03
        flipped += sample["data_samples"].flip
        shares += bool(0.05 < float(valid.float().mean()) < 1.0)
    assert 0 < flipped < 12
    assert shares
    assert "gt_sem_seg" not in sample["data_samples"]
