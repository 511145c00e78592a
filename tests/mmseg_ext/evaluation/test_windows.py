"""Whole and sliding inference against MMSegmentation's own and against plain loops."""

from __future__ import annotations

import pytest
import small_world
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

from benchmark import registry
from mmseg_ext.evaluation import windows
from mmseg_ext.evaluation.counting import class_counts
from mmseg_ext.evaluation.windows import infer, places
from mmseg_ext.registry import MODELS


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg_ext")


def segmentor(method="dacs", **rules):
    torch.manual_seed(0)
    built = MODELS.build(small_world.model(method)["segmentor"]).eval()
    built.test_cfg = ConfigDict(rules)
    return built


def image(height, width, batch=1):
    return torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(2))


def described(images):
    size = images.shape[2:]
    return [{"img_shape": size, "ori_shape": size} for _ in images]


@torch.no_grad()
def test_whole_inference_is_mmsegs():
    model, images = segmentor(mode="whole"), image(40, 56, batch=2)
    assert torch.equal(infer(model, images), model.inference(images, described(images)))


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(64, 96), (40, 100), (24, 50), (33, 47)])
def test_sliding_is_mmsegs_bit_for_bit(height, width):
    model = segmentor(mode="slide", crop_size=(32, 48), stride=(20, 16))
    images = image(height, width, batch=2)
    assert torch.equal(infer(model, images), model.slide_inference(images, described(images)))


@torch.no_grad()
def test_probabilities_of_windows_are_averaged_where_asked():
    model = segmentor(mode="slide", crop_size=(32, 32), stride=(32, 16), average="probabilities")
    images = image(32, 64)
    total, count = torch.zeros(1, 19, 32, 64), torch.zeros(64)
    for left in (0, 16, 32):
        part = images[:, :, :, left : left + 32]
        total[..., left : left + 32] += model.encode_decode(part, described(part)).softmax(dim=1)
        count[left : left + 32] += 1
    assert torch.allclose(infer(model, images), total / count, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("average", ["logits", "probabilities"])
@pytest.mark.parametrize("encoder", ["resnet-mini", "eva02-mini"])
def test_windows_of_one_pass_score_as_one_by_one(encoder, average):
    backbone = registry.find("encoder", encoder)
    config = small_world.model("dacs")["segmentor"]
    config["backbone"] = backbone.require("backbone")
    config["decode_head"]["in_channels"] = list(backbone.require("channels"))
    torch.manual_seed(0)
    model = MODELS.build(config).eval()
    model.test_cfg = ConfigDict(mode="slide", crop_size=(32, 48), stride=(20, 16), average=average)
    images, sizes, encode = image(40, 100, batch=2), [], model.encode_decode

    def counted(inputs, *rest):
        sizes.append(len(inputs))
        return encode(inputs, *rest)

    model.encode_decode = counted
    alone = infer(model, images)
    assert sizes == [2] * 10  # 2 x 5 windows of two images each: on the CPU one at a time
    sizes.clear()
    together = infer(model, images, windows_per_pass=4)
    assert sizes == [8, 8, 4]
    assert torch.allclose(alone, together, rtol=0, atol=1e-6 * float(alone.abs().max()))
    truth = torch.randint(19, (40, 100), generator=torch.Generator().manual_seed(1))
    for a, b in zip(alone, together, strict=True):
        assert torch.equal(class_counts(a, truth), class_counts(b, truth))


def test_a_pass_on_an_accelerator_has_the_area_of_a_cityscapes_image():
    def chosen(batch, side):
        meta = torch.empty(batch, 3, 1024, 2048, device="meta")
        return windows._windows_per_pass(meta, (slice(0, side), slice(7, 7 + side)))

    assert [chosen(1, 512), chosen(2, 512), chosen(1, 1024), chosen(4, 1024)] == [8, 4, 2, 1]


@torch.no_grad()
@pytest.mark.parametrize("mode", ["whole", "slide"])
@pytest.mark.parametrize(("height", "width"), [(30, 70), (57, 100), (64, 64)])
def test_hrda_takes_images_of_any_size(mode, height, width):
    model = segmentor("daformer-hrda", mode=mode, crop_size=(64, 64), stride=(32, 32))
    images = image(height, width)
    found = infer(model, images)
    assert found.shape == (1, 19, height, width)
    if mode == "whole":
        rows, columns = (max(32, -(-side // 8) * 8) for side in (height, width))
        padded = torch.zeros(1, 3, rows, columns)
        padded[:, :, :height, :width] = images
        expected = model.encode_decode(padded, described(padded))[:, :, :height, :width]
        assert torch.equal(found, expected)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(length=st.integers(1, 300), window=st.integers(1, 120), share=st.integers(1, 120))
def test_windows_leave_no_pixel_out_and_stay_inside(length, window, share):
    stride = min(share, window)
    found = places(length, window, stride)
    assert {i for each in found for i in range(each.start, each.stop)} == set(range(length))
    assert all(each.stop - each.start == min(window, length) for each in found)


@pytest.mark.parametrize("rules", [{"mode": "tiles"}, {"mode": "whole", "average": "votes"}])
def test_unknown_rules_are_refused(rules):
    with pytest.raises(ValueError, match="expected 'whole' or 'slide'"):
        infer(segmentor(**rules), image(32, 32))
