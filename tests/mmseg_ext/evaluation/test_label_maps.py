"""Predicted label maps: the very predictions that the test loop counts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn

from mmseg_ext.datasets.classes import CLASSES
from mmseg_ext.encoders import tower
from mmseg_ext.errors import WeightsError
from mmseg_ext.evaluation.label_maps import Student, label_maps, predicted
from mmseg_ext.evaluation.test_loop import _counts
from mmseg_ext.evaluation.trained_student import read_weights, trained_student
from mmseg_ext.evaluation.unlabelled import native_label, void_label


class Segmentor(nn.Module):
    """Logits are a fixed mixture of the colours, at the size of the image."""

    align_corners = False

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.test_cfg = {"mode": "slide", "crop_size": (8, 10), "stride": (4, 5)}
        self.weight = torch.randn(19, 3, generator=generator)

    def encode_decode(self, images: torch.Tensor, _described: Any) -> torch.Tensor:
        return torch.einsum("kc,bchw->bkhw", self.weight, images)


class Preprocessor:
    """Stacks, and pads at the right and at the bottom as MMSegmentation's may."""

    def __call__(self, data: dict[str, Any], training: bool) -> dict[str, Any]:
        assert not training
        inputs = torch.stack([each.float() for each in data["inputs"]])
        for sample in data["data_samples"]:
            sample.set_metainfo({"img_padding_size": (0, 3, 0, 2)})
        return {**data, "inputs": nn.functional.pad(inputs, (0, 3, 0, 2))}


def sample(height: int, width: int, label: tuple[int, int], seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    truth = torch.from_numpy(rng.choice([*range(19), 255], label).astype(np.uint8))
    found = SegDataSample()
    found.gt_sem_seg = PixelData(data=truth[None])
    image = torch.from_numpy(rng.integers(0, 256, (3, height, width), dtype=np.uint8))
    return {"inputs": image, "data_samples": found}


def student() -> Student:
    return Student(Segmentor(), Preprocessor())


def counted(truth: np.ndarray, train_ids: np.ndarray) -> np.ndarray:
    counts = np.zeros((19, 19), np.int64)
    for one, other in zip(truth.ravel().tolist(), train_ids.ravel().tolist(), strict=True):
        if one != 255:
            counts[one, other] += 1
    return counts


def test_maps_hold_what_the_test_loop_counts() -> None:
    samples = [sample(12, 20, (24, 40), 0), sample(16, 20, (9, 13), 1), sample(12, 20, (12, 20), 2)]
    batch = {key: [each[key] for each in samples] for key in samples[0]}
    maps = label_maps(student(), batch)
    for one, train_ids in zip(samples, maps, strict=True):
        truth = one["data_samples"].gt_sem_seg.data[0].numpy()
        assert train_ids.shape == truth.shape
        assert train_ids.dtype == np.uint8
        model = SimpleNamespace(student=Segmentor(), data_preprocessor=Preprocessor())
        alone = {key: [value] for key, value in one.items()}
        (expected,) = _counts(model, alone)
        np.testing.assert_array_equal(counted(truth, train_ids), expected.numpy())


def test_images_come_back_with_their_places() -> None:
    dataset = [sample(8, 10, (8, 10), seed) for seed in range(5)]
    found = list(predicted(student(), dataset, [[3, 1], [4]]))
    assert [place for place, _, _ in found] == [3, 1, 4]
    for place, train_ids, taken in found:
        assert torch.equal(taken["inputs"], dataset[place]["inputs"])
        (alone,) = label_maps(student(), {key: [dataset[place][key]] for key in dataset[place]})
        np.testing.assert_array_equal(train_ids, alone)


def test_a_void_label_has_the_size_of_the_file_whatever_is_resized() -> None:
    results = void_label({"img": np.zeros((6, 8, 3), np.uint8)})
    assert results["gt_seg_map"].shape == (6, 8)
    results["gt_seg_map"] = results["gt_seg_map"][::2, ::2]
    results["img"] = results["img"][::2, ::2]
    label = native_label(results)["gt_seg_map"]
    assert (label.shape, set(label.ravel())) == ((6, 8), {255})


MODEL = {
    "segmentor": {
        "type": "EncoderDecoder",
        "backbone": {
            "type": "TimmEncoder",
            "model": "test_vit",
            "pretrained": "r160_in1k",
            "out_channels": [8, 8, 8, 8],
        },
        "decode_head": {
            "type": "DAFormerHead",
            "in_channels": [8, 8, 8, 8],
            "channels": 8,
            "num_classes": len(CLASSES),
            "dilations": (1, 2),
            "norm_cfg": {"type": "GN", "num_groups": 4},
        },
        "train_cfg": {},
        "test_cfg": {"mode": "whole"},
    },
    "data_preprocessor": {"type": "SegDataPreProcessor", "bgr_to_rgb": True, "pad_val": 0},
    "channels_last": True,
}
STATISTICS = {"mean": [1.0, 2.0, 3.0], "std": [4.0, 5.0, 6.0]}


def test_a_student_is_built_without_its_initial_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The encoder has a tag of weights that are not here, and nothing may look for them."""
    load = tower.Tower.load
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_: pytest.fail("a download"))
    with pytest.raises(WeightsError, match="do not fit the network"):
        trained_student(MODEL, STATISTICS, {}, "cpu")
    first = _untrained()
    torch.save(first.state_dict(), tmp_path / "weights.pth")
    weights = read_weights(tmp_path / "weights.pth")
    found = trained_student(MODEL, STATISTICS, weights, "cpu")
    assert tower.Tower.load is load
    assert not found.segmentor.training
    assert list(weights) == list(first.state_dict())
    images = torch.randn(1, 3, 32, 64)
    with torch.no_grad():
        logits = found.segmentor.encode_decode(images, [{"img_shape": images.shape[2:]}])
        expected = first.eval().encode_decode(images, [{"img_shape": images.shape[2:]}])
    torch.testing.assert_close(logits, expected)
    assert found.preprocessor.mean.flatten().tolist() == STATISTICS["mean"]


def _untrained() -> Any:
    from mmengine.registry import DefaultScope

    from mmseg_ext.registry import MODELS

    torch.manual_seed(3)
    backbone = {**MODEL["segmentor"]["backbone"], "pretrained": None}  # type: ignore[index]
    with DefaultScope.overwrite_default_scope("mmseg_ext"):
        return MODELS.build({**MODEL["segmentor"], "backbone": backbone})  # type: ignore[dict-item]


def test_a_file_that_is_no_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    with pytest.raises(WeightsError, match="no such file"):
        read_weights(path)
    torch.save({"weight": torch.zeros(300)}, path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(WeightsError, match="not a whole file of weights"):
        read_weights(path)
    torch.save([1, 2], path)
    with pytest.raises(WeightsError, match="holds list, expected tensors by name"):
        read_weights(path)
    torch.save({"weight": Path("code")}, path)  # a pickled object
    with pytest.raises(WeightsError, match="not a whole file of weights"):
        read_weights(path)
