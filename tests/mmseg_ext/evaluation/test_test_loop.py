"""The loop over domains: its counts are those of the model's own predictions."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import small_world
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmseg_ext.evaluation import MultiDomainTestLoop
from mmseg_ext.registry import MODELS

SIZES = [((32, 48), (64, 96)), ((40, 32), (33, 47)), ((32, 48), (32, 48)), ((40, 32), (80, 64))]
"""Size of each image as the network sees it, and of its label."""


@pytest.fixture
def model():
    init_default_scope("mmseg_ext")
    torch.manual_seed(0)
    return MODELS.build(small_world.model("dacs")).eval()


def samples():
    generator = torch.Generator().manual_seed(5)
    for seen, native in SIZES:
        sample = SegDataSample(metainfo={"img_shape": seen, "ori_shape": native})
        label = torch.randint(0, 20, (1, *native), generator=generator, dtype=torch.uint8)
        label[label == 19] = 255
        sample.gt_sem_seg = PixelData(data=label)
        yield torch.randint(0, 256, (3, *seen), generator=generator, dtype=torch.uint8), sample


class Loader(list):
    dataset = range(len(SIZES))


def run(model, batches):
    runner = SimpleNamespace(
        model=model,
        call_hook=lambda *args, **kwargs: None,
        build_dataloader=lambda given: given,
    )
    loop = MultiDomainTestLoop(runner, {"here": Loader(batches)}, None)
    metrics = loop.run()
    return loop.scores["here"], metrics


def test_images_of_different_sizes_share_a_batch_and_keep_their_order(model):
    images, labels = zip(*samples(), strict=True)
    together, metrics = run(model, [{"inputs": list(images), "data_samples": list(labels)}])
    expected = []
    for image, sample in samples():
        (answer,) = model.test_step({"inputs": [image], "data_samples": [sample]})
        truth, found = sample.gt_sem_seg.data[0], answer.pred_sem_seg.data[0]
        counts = np.zeros((19, 19), int)
        np.add.at(counts, (truth[truth != 255].numpy(), found[truth != 255].numpy()), 1)
        expected.append(counts)
    off = np.abs(together.confusion_ncc - np.stack(expected)).sum(axis=(1, 2))
    assert together.confusion_ncc.shape == (4, 19, 19)
    assert off.max() <= 4  # a pixel whose two best classes are level within rounding
    assert metrics["here/mIoU"] == together.miou
    apart, _ = run(model, [{"inputs": [i], "data_samples": [s]} for i, s in samples()])
    assert np.abs(apart.confusion_ncc - together.confusion_ncc).sum() <= 4


def test_the_padding_of_a_preprocessor_is_not_scored(model):
    image, sample = next(samples())
    plain, _ = run(model, [{"inputs": [image], "data_samples": [sample]}])
    model.data_preprocessor.test_cfg = {"size_divisor": 64}
    padded, _ = run(model, [{"inputs": [image], "data_samples": [sample]}])
    assert padded.confusion_ncc.sum() == plain.confusion_ncc.sum()


def test_all_domains_are_scored_with_one_network_that_is_built_and_placed_once(model, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a domain needs no network of its own")

    batches = [{"inputs": [image], "data_samples": [sample]} for image, sample in samples()]
    alone = [run(model, [batch])[0] for batch in batches[:3]]
    told = []
    runner = SimpleNamespace(
        model=model,
        call_hook=lambda name, **_kwargs: told.append(name),
        build_dataloader=lambda given: given,
    )
    domains = {name: Loader([batch]) for name, batch in zip("abc", batches, strict=False)}
    loop = MultiDomainTestLoop(runner, domains, None)
    monkeypatch.setattr(type(MODELS), "build", refuse)
    for method in ("load_state_dict", "to"):
        monkeypatch.setattr(torch.nn.Module, method, refuse)
    loop.run()
    assert [told.count(each) for each in ("before_test", "before_test_iter")] == [1, 3]
    for name, expected in zip("abc", alone, strict=True):
        assert np.array_equal(loop.scores[name].confusion_ncc, expected.confusion_ncc)
