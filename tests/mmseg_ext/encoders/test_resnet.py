from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from mmseg_ext.encoders import ResNetEncoder
from mmseg_ext.errors import EncoderError, WeightsError
from mmseg_ext.registry import MODELS


def random_state(network: nn.Module) -> dict[str, Tensor]:
    """Weights none of which is a default: a tensor that is not loaded shows."""
    torch.manual_seed(0)
    state = {}
    for key, value in network.state_dict().items():
        if key.endswith("running_var"):
            state[key] = torch.rand(value.shape) + 0.5
        elif value.is_floating_point():
            state[key] = torch.randn(value.shape) * 0.05
        else:
            state[key] = value + 7
    return state


def test_resnet101_is_the_published_dilated_network() -> None:
    encoder = ResNetEncoder(101).eval()
    stem = [m for m in encoder.stem if isinstance(m, nn.Conv2d)]
    assert [(m.in_channels, m.out_channels, m.stride[0]) for m in stem] == [
        (3, 32, 2),
        (32, 32, 1),
        (32, 64, 1),
    ]
    for index, (stride, dilation) in enumerate(((1, 1), (2, 1), (1, 2), (1, 4))):
        first, *others = getattr(encoder, f"layer{index + 1}")
        assert first.conv2.stride == (stride, stride)
        contracted = max(1, dilation // 2)
        assert first.conv2.dilation == (contracted, contracted)
        assert {block.conv2.dilation for block in others} == {(dilation, dilation)}
    assert sum(p.numel() for p in encoder.parameters()) == 42_519_392
    with torch.no_grad():
        outputs = encoder(torch.randn(1, 3, 96, 67))
    assert [tuple(each.shape) for each in outputs] == [
        (1, 256, 24, 17),
        (1, 512, 12, 9),
        (1, 1024, 12, 9),
        (1, 2048, 12, 9),
    ]
    assert encoder.train().layer4[0].bn1.training, "batch norm is trained"


def test_undilated_strides_are_4_to_32() -> None:
    with torch.no_grad():
        outputs = ResNetEncoder(50, dilated=False).eval()(torch.randn(1, 3, 67, 130))
    assert [tuple(each.shape[2:]) for each in outputs] == [(17, 33), (9, 17), (5, 9), (3, 5)]


def as_layout(state: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    """The tensors of MMSegmentation's v1c network as other projects name them."""
    written = {}
    for key, value in state.items():
        if key.startswith("stem.") and layout in ("conv1", "pretrain"):
            _, place, rest = key.split(".", 2)
            number = int(place)
            if layout == "pretrain":
                key = f"stem.{number // 3}.{('conv', 'bn')[number % 3]}.{rest}"
            else:
                key = f"bn1.{rest}" if number == 7 else f"conv1.{number}.{rest}"
        written[f"backbone.{key}" if layout in ("pretrain", "segmentor") else key] = value
    return written


@pytest.mark.parametrize("layout", ["open-mmlab", "segmentor", "conv1", "pretrain"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_every_layout_of_a_v1c_file_is_loaded_whole(
    layout: str, wrapped: bool, tmp_path: Path
) -> None:
    state = random_state(ResNetEncoder(50))
    head = "head.fc.weight" if layout == "pretrain" else "fc.weight"
    written: dict[str, Any] = {**as_layout(state, layout), head: torch.ones(2, 2)}
    torch.save({"state_dict": written, "meta": {}} if wrapped else written, tmp_path / "w.pth")
    encoder = ResNetEncoder(50, checkpoint=str(tmp_path / "w.pth"))
    assert all(torch.equal(value, state[key]) for key, value in encoder.state_dict().items())


def test_torchvision_file_gives_torchvisions_features(tmp_path: Path) -> None:
    torch.manual_seed(0)
    original = torchvision.models.resnet50(weights=None).eval()
    original.load_state_dict(random_state(original))
    state = original.state_dict()
    # Older files count no batches.
    state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "w.pth")
    encoder = ResNetEncoder(50, stem="v1", dilated=False, checkpoint=str(tmp_path / "w.pth")).eval()
    assert encoder.loaded is not None
    assert encoder.loaded.layout == "torchvision"
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        x = original.maxpool(original.relu(original.bn1(original.conv1(images))))
        for index, ours in enumerate(encoder(images)):
            x = getattr(original, f"layer{index + 1}")(x)
            torch.testing.assert_close(ours, x, rtol=1e-4, atol=1e-5)


def test_a_file_of_the_other_stem_is_refused(tmp_path: Path) -> None:
    torch.save(ResNetEncoder(18).state_dict(), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"missing: conv1\.weight, bn1\.weight"):
        ResNetEncoder(18, stem="v1", checkpoint=str(tmp_path / "w.pth"))


@pytest.mark.parametrize("kind", ["renamed", "dropped", "reshaped"])
def test_a_file_with_one_wrong_tensor_is_refused_by_its_name(kind: str, tmp_path: Path) -> None:
    state = dict(ResNetEncoder(18).state_dict())
    value = state.pop("layer3.1.bn2.weight")
    if kind == "renamed":
        state["layer3.1.bn3.weight"] = value
    elif kind == "reshaped":
        state["layer3.1.bn2.weight"] = value[1:].clone()
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"layer3\.1\.bn2\.weight"):
        ResNetEncoder(18, checkpoint=str(tmp_path / "w.pth"))


def test_loaded_weights_survive_init_weights(tmp_path: Path) -> None:
    state = random_state(ResNetEncoder(18))
    torch.save(state, tmp_path / "w.pth")
    config = {"type": "mmseg_ext.ResNetEncoder", "depth": 18}
    segmentor = MODELS.build(
        {
            "type": "mmseg.EncoderDecoder",
            "backbone": {**config, "checkpoint": str(tmp_path / "w.pth")},
            "decode_head": {
                "type": "mmseg_ext.DAFormerHead",
                "in_channels": [64, 128, 256, 512],
                "channels": 8,
                "num_classes": 19,
            },
        }
    )
    segmentor.init_weights()
    found = segmentor.backbone.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in found.items())

    plain = MODELS.build(config)
    before = plain.layer1[0].conv1.weight.clone()
    plain.init_weights()
    assert not torch.equal(before, plain.layer1[0].conv1.weight), "random weights are drawn"


def test_wrong_arguments_are_named(monkeypatch: Any) -> None:
    with pytest.raises(EncoderError, match="stem is 'v1b'"):
        ResNetEncoder(18, stem="v1b")  # type: ignore[arg-type]
    with pytest.raises(EncoderError, match="pretrained 'coco'"):
        ResNetEncoder(18, pretrained="coco")

    def offline(*_args: object, **_kwargs: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: "/nonexistent")
    monkeypatch.setattr(Path, "mkdir", lambda *a, **k: None)
    with pytest.raises(WeightsError, match="give the file as checkpoint"):
        ResNetEncoder(50, pretrained="imagenet")
