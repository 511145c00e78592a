"""Crop arithmetic, fusion and sliding against plain loops; the loss against its formula."""

from __future__ import annotations

from collections import Counter

import pytest
import small_world
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.registry import init_default_scope
from mmseg.structures import SegDataSample
from torch.nn import functional

from mmseg_ext.errors import SegmentorError
from mmseg_ext.registry import MODELS
from mmseg_ext.segmentors.hrda import draw_box, fuse, windows
from mmseg_ext.segmentors.prediction import Box, segmentation_loss


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


def segmentor(**changes):
    torch.manual_seed(0)
    config = small_world.model("daformer-hrda")["segmentor"]
    return MODELS.build({**config, **changes}).train()


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(2, 40),
    width=st.integers(2, 40),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    seed=st.integers(0, 999),
)
def test_boxes_lie_on_whole_cells_of_all_grids(height, width, rows, columns, seed):
    size = (8 * min(rows, height), 8 * min(columns, width))
    torch.manual_seed(seed)
    box = draw_box(8 * height, 8 * width, size)
    assert (box.height, box.width) == size
    assert 0 <= box.top <= 8 * height - box.height
    assert 0 <= box.left <= 8 * width - box.width
    for side in (box.top, box.left):
        assert side % 8 == 0


def test_the_papers_crops_start_at_multiples_of_8_up_to_504():
    torch.manual_seed(0)
    offsets = Counter(draw_box(1024, 1024, (512, 512)).top for _ in range(4000))
    assert set(offsets) == set(range(0, 505, 8))  # 512, the last one that fits, is never drawn
    assert max(offsets.values()) < 3 * min(offsets.values())


def test_windows_of_the_paper_are_nine_and_overlap_by_half():
    boxes = windows(1024, 1024, (512, 512))
    assert [(b.top, b.left) for b in boxes] == [
        (y, x) for y in (0, 256, 512) for x in (0, 256, 512)
    ]
    assert [(b.top, b.left) for b in windows(512, 512, (512, 512))] == [(0, 0)]
    # 72 = 32 + 2 x 16 + 8: the last window ends at the border
    assert [b.left for b in windows(32, 72, (32, 32))] == [0, 16, 32, 40]


def test_fusion_inside_and_outside_of_the_box():
    torch.manual_seed(1)
    context, detail = torch.randn(2, 5, 6, 8), torch.randn(2, 5, 4, 6)
    attention = torch.rand(2, 5, 6, 8)
    box = Box(top=16, left=24, height=16, width=24)
    fused = fuse(context, attention, detail, box)

    def twice(x):
        return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    inside = torch.zeros(6, 8)
    inside[2:4, 3:6] = 1.0
    trust = twice(attention * inside)
    low = twice((1 - attention * inside) * context)
    assert fused.shape == (2, 5, 12, 16)
    for y in range(12):
        for x in range(16):
            expected = low[:, :, y, x]
            if 4 <= y < 8 and 6 <= x < 12:
                expected = expected + trust[:, :, y, x] * detail[:, :, y - 4, x - 6]
            assert torch.allclose(fused[:, :, y, x], expected, atol=1e-6)
    # two cells away from the box nothing of detail or attention is left
    assert torch.allclose(fused[:, :, :3], twice(context)[:, :, :3], atol=1e-6)


@pytest.mark.parametrize("channels", [1, 5])
def test_attention_decides_between_context_and_detail(channels):
    context, detail = torch.randn(1, 5, 3, 4), torch.randn(1, 5, 6, 8)
    twice = functional.interpolate(context, scale_factor=2, mode="bilinear")
    shape = (1, channels, 3, 4)
    assert torch.allclose(fuse(context, torch.zeros(shape), detail), twice)
    assert torch.allclose(fuse(context, torch.ones(shape), detail), detail)


def test_training_sees_one_box_and_the_halved_image():
    model = segmentor()
    image = torch.randn(2, 3, 64, 96)
    torch.manual_seed(4)
    found = model.observe(image)
    torch.manual_seed(4)
    box = draw_box(64, 96, (32, 32))
    assert found.detail.box == box
    half = functional.interpolate(image, size=(32, 48), mode="bilinear", align_corners=False)
    assert torch.allclose(found.encoded_bchw, half)
    features = model.backbone(half)
    for own, expected in zip(found.features, features, strict=True):
        assert torch.allclose(own, expected, atol=1e-5)
    context = model.decode_head(features)
    attention = model.scale_attention(features).sigmoid()
    crop = image[:, :, box.top : box.top + 32, box.left : box.left + 32]
    detail = model.decode_head(model.backbone(crop))
    whole = functional.interpolate(fuse(context, attention, detail, box), (64, 96), mode="bilinear")
    near = functional.interpolate(detail, (32, 32), mode="bilinear")
    assert torch.allclose(found.logits_bchw, whole, atol=1e-5)
    assert torch.allclose(found.detail.logits_bchw, near, atol=1e-5)
    assert not torch.equal(found.logits_bchw, model.observe(image).logits_bchw)  # another box


def test_the_loss_is_nine_parts_whole_and_one_part_detail():
    model = segmentor()
    image, label = torch.randn(2, 3, 64, 64), torch.randint(0, 19, (2, 64, 64))
    label[:, :20] = 255
    weight = torch.rand(2, 64, 64)
    found = model.observe(image)
    box = found.detail.box

    def cross_entropy(logits, label, weight):
        loss = functional.cross_entropy(logits, label, ignore_index=255, reduction="none")
        return (loss if weight is None else loss * weight).mean()

    def crop(x):
        return x[:, box.top : box.top + 32, box.left : box.left + 32]

    for w in (None, weight):
        expected = 0.9 * cross_entropy(found.logits_bchw, label, w) + 0.1 * cross_entropy(
            found.detail.logits_bchw, crop(label), None if w is None else crop(w)
        )
        assert torch.allclose(segmentation_loss(cross_entropy, found, label, w), expected)


@pytest.mark.parametrize("size", [(64, 64), (64, 72), (32, 32)])
def test_sliding_equals_windows_one_by_one(size):
    model = segmentor().eval()
    image = torch.randn(2, 3, *size)
    with torch.no_grad():
        result = model(image)
        half = functional.interpolate(image, scale_factor=0.5, mode="bilinear")
        features = model.backbone(half)
        context = model.decode_head(features)
        attention = model.scale_attention(features).sigmoid()
        total = torch.zeros(2, 19, size[0] // 4, size[1] // 4)
        count = torch.zeros_like(total)
        tops = sorted({min(y, size[0] - 32) for y in range(0, size[0], 16)})
        lefts = sorted({min(x, size[1] - 32) for x in range(0, size[1], 16)})
        for top in tops:
            for left in lefts:
                crop = image[:, :, top : top + 32, left : left + 32]
                place = (
                    ...,
                    slice(top // 4, top // 4 + 8),
                    slice(left // 4, left // 4 + 8),
                )
                total[place] += model.decode_head(model.backbone(crop))
                count[place] += 1

        def twice(x):
            return functional.interpolate(x, scale_factor=2, mode="bilinear")

        expected = twice(attention) * total / count + twice((1 - attention) * context)
    assert torch.allclose(result, expected, atol=1e-5)


def test_windows_are_encoded_as_one_batch():
    model = segmentor()
    sizes = []
    model.backbone.register_forward_hook(lambda m, inputs, out: sizes.append(inputs[0].shape))
    with torch.no_grad():
        model(torch.randn(2, 3, 64, 64))
    assert sizes == [(2, 3, 32, 32), (18, 3, 32, 32)]


@pytest.mark.parametrize("test_cfg", [{"mode": "whole"}, {"mode": "slide"}])
def test_prediction_is_at_the_size_of_the_image(test_cfg):
    from mmengine.config import ConfigDict

    windowed = {"crop_size": (64, 64), "stride": (32, 32)}
    model = segmentor(test_cfg=ConfigDict(**test_cfg, **windowed)).eval()
    image = torch.randn(1, 3, 64, 96)
    meta = {"ori_shape": (64, 96), "img_shape": (64, 96), "pad_shape": (64, 96)}
    with torch.no_grad():
        (sample,) = model(image, [SegDataSample(metainfo=meta)], mode="predict")
        if test_cfg["mode"] == "whole":
            expected = functional.interpolate(model(image), (64, 96), mode="bilinear")
        else:
            parts = [image[..., :64], image[..., 32:]]
            parts = [functional.interpolate(model(p), (64, 64), mode="bilinear") for p in parts]
            expected = torch.zeros(1, 19, 64, 96)
            expected[..., :64] += parts[0]
            expected[..., 32:] += parts[1]
            expected[..., 32:64] /= 2
    assert torch.equal(sample.pred_sem_seg.data[0], expected[0].argmax(0))


def test_attention_can_be_one_map_for_all_classes():
    model = segmentor(scale_attention={"classwise": False})
    assert model.scale_attention.conv_seg.out_channels == 1
    assert segmentor().scale_attention.conv_seg.out_channels == 19
    assert model.observe(torch.randn(1, 3, 64, 64)).logits_bchw.shape == (1, 19, 64, 64)


def test_the_attention_head_of_the_paper_has_its_layers():
    config = small_world.model("daformer-hrda")["segmentor"]
    config["decode_head"] = {
        "type": "DAFormerHead",
        "in_channels": [64, 128, 320, 512],
        "channels": 256,
        "num_classes": 19,
    }
    head = MODELS.build(config).scale_attention
    embeddings = sum(c * 256 + 256 for c in (64, 128, 320, 512))
    fusion = 1024 * 256 + 2 * 256  # a point-wise convolution without bias, batch norm
    assert sum(p.numel() for p in head.parameters()) == embeddings + fusion + 256 * 19 + 19


@pytest.mark.parametrize(
    ("changes", "size", "message"),
    [
        ({"detail_size": [32, 36]}, (64, 64), r"\(32, 36\), expected multiples of 8"),
        ({}, (64, 60), "images of 64x60 pixels"),
        ({}, (24, 64), "images of 24x64 pixels"),
    ],
)
def test_sizes_off_the_grid_are_named(changes, size, message):
    with pytest.raises(SegmentorError, match=message):
        segmentor(**changes)(torch.randn(1, 3, *size))


def test_an_encoder_of_another_stride_is_named():
    model = segmentor()
    stem = model.backbone.stem
    model.backbone.stem = torch.nn.Sequential(stem, torch.nn.MaxPool2d(2))
    with pytest.raises(SegmentorError, match="first level has stride 4"):
        model.observe(torch.randn(1, 3, 64, 64))
