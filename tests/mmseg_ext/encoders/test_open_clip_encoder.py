"""Our towers beside open_clip's own, with random weights: outputs, files, statistics."""

from __future__ import annotations

import math
import resource
from pathlib import Path
from typing import Any

import open_clip
import pytest
import timm
import torch
from open_clip.model import _build_vision_tower
from safetensors.torch import save_file
from timm.models._registry import get_arch_pretrained_cfgs
from torch import Tensor

from mmseg_ext.encoders import EVA02CLIP, OpenClipEncoder, TimmEncoder
from mmseg_ext.errors import EncoderError, WeightsError
from mmseg_ext.registry import MODELS

# Small towers of every kind: open_clip reads model definitions that are added to it.
DEFINITIONS: dict[str, dict[str, Any]] = {
    "tiny-native": {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 64, "layers": 4, "width": 128, "patch_size": 16},
    },
    "tiny-native-quick": {
        "embed_dim": 16,
        "quick_gelu": True,
        "vision_cfg": {
            "image_size": 56, "layers": 4, "width": 128, "patch_size": 14, "ls_init_value": 0.1,
        },
    },
    "tiny-no-ln-pre": {
        "embed_dim": 16,
        "vision_cfg": {
            "image_size": 64, "layers": 4, "width": 128, "patch_size": 16, "no_ln_pre": True,
        },
    },
    "tiny-custom": {
        "embed_dim": 16,
        "vision_cfg": {
            "image_size": 64, "layers": 4, "width": 128, "patch_size": 16, "scale_fc": True,
        },
    },
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> None:
    import json

    folder = tmp_path_factory.mktemp("definitions")
    for name, definition in DEFINITIONS.items():
        text = {"width": 64, "heads": 2, "layers": 1}
        (folder / f"{name}.json").write_text(json.dumps({**definition, "text_cfg": text}))
    open_clip.add_model_config(folder)


def original(name: str) -> Any:
    torch.manual_seed(0)
    config = open_clip.get_model_config(name)
    visual = _build_vision_tower(
        config["embed_dim"], config["vision_cfg"], config.get("quick_gelu", False)
    )
    for parameter in visual.parameters():  # nothing may hide behind ones and zeros
        if parameter.ndim <= 1:
            torch.nn.init.normal_(parameter, 0.5, 0.5)
    return visual.eval()


def as_file(visual: Any, path: Path, dtype: torch.dtype = torch.float32) -> str:
    state = {f"visual.{k}": v.to(dtype).contiguous() for k, v in visual.state_dict().items()}
    save_file({**state, "logit_scale": torch.ones(1), "transformer.x": torch.ones(2)}, path)
    return str(path)


SMALL = ["tiny-native", "tiny-native-quick", "tiny-no-ln-pre", "RN50", "convnext_base"]
BIG = ["EVA02-B-16", "ViT-B-16", "ViT-B-16-SigLIP2"]


@pytest.mark.parametrize("name", [*SMALL, *BIG])
def test_tokens_equal_open_clips_own_tower_bit_for_bit(name: str, tmp_path: Path) -> None:
    visual = original(name)
    path = as_file(visual, tmp_path / "w.safetensors")
    encoder = OpenClipEncoder(name, pretrained=path).eval()
    size = open_clip.get_model_config(name)["vision_cfg"]["image_size"]
    layers = list(encoder.feature_layers) if encoder.patch else None

    def compare(images: Tensor, **tolerance: float) -> None:
        theirs = visual.forward_intermediates(images, layers, intermediates_only=True)
        expected = theirs["image_intermediates"][-4:]
        ours = encoder.intermediates(images)
        assert len(ours) == len(expected) == 4
        for mine, other in zip(ours, expected, strict=True):
            if tolerance:
                torch.testing.assert_close(mine, other, **tolerance)
            else:
                assert torch.equal(mine, other)

    # One image, recorded for a gradient: here torch's attention module, which open_clip's own
    # transformer uses, takes no short-cut that rounds differently.
    compare(torch.randn(1, 3, size, size))
    with torch.no_grad():
        compare(torch.randn(2, 3, size, size), rtol=1e-5, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["EVA02-L-14", "convnext_large_d_320"])
def test_large_towers_equal_open_clips_own(name: str, tmp_path: Path) -> None:
    visual = original(name)
    path = as_file(visual, tmp_path / "w.safetensors")
    encoder = OpenClipEncoder(name, pretrained=path).eval()
    size = open_clip.get_model_config(name)["vision_cfg"]["image_size"]
    images = torch.randn(1, 3, size, size)
    with torch.no_grad():
        layers = [encoder.feature_layers[-1]]
        theirs = visual.forward_intermediates(images, layers, intermediates_only=True)
        assert torch.equal(encoder.intermediates(images)[-1], theirs["image_intermediates"][-1])


@pytest.mark.parametrize(
    "name",
    [
        "EVA02-L-14",
        "EVA02-L-14-336",
        "ViT-B-16",
        "ViT-B-32",
        "ViT-L-16-SigLIP2-512",
        "convnext_large_d_320",
    ],
)
def test_strides_of_the_large_towers_are_exact(name: str) -> None:
    with torch.device("meta"):  # sizes need no numbers
        encoder = OpenClipEncoder(name).eval()
        for height, width in ((512, 512), (512, 1024), (500, 333)):
            outputs = encoder(torch.randn(1, 3, height, width))
            assert [tuple(each.shape[2:]) for each in outputs] == [
                (math.ceil(height / s), math.ceil(width / s)) for s in (4, 8, 16, 32)
            ]


def test_only_the_image_tower_is_built() -> None:
    encoder = EVA02CLIP("EVA02-B-16", out_channels=8)
    tower = sum(p.numel() for p in encoder.tower.parameters())
    whole = timm.create_model("eva02_base_patch16_clip_224", num_classes=0)
    norm = 2 * whole.embed_dim  # the last norm serves the class token, not the block outputs
    assert tower == sum(p.numel() for p in whole.parameters()) - norm
    assert not any("text" in name or "token_embedding" in name for name in encoder.state_dict())


def evaclip_layout(trunk: dict[str, Tensor]) -> dict[str, Tensor]:
    """timm's names of an EVA02 tower as QuanSun/EVA-CLIP writes them."""
    renames = [
        ("attn.norm.", "attn.inner_attn_ln."), ("mlp.norm.", "mlp.ffn_ln."),
        ("mlp.fc1_g.", "mlp.w1."), ("mlp.fc1_x.", "mlp.w2."), ("mlp.fc2.", "mlp.w3."),
        ("attn.q_proj.bias", "attn.q_bias"), ("attn.v_proj.bias", "attn.v_bias"),
    ]  # fmt: skip
    written: dict[str, Tensor] = {}
    for key, value in trunk.items():
        for old, new in renames:
            key = key.replace(old, new)
        written[f"visual.{key}"] = value
    written["visual.rope.freqs_cos"] = torch.ones(4, 4)
    written["visual.blocks.0.attn.rope.freqs_cos"] = torch.ones(4, 4)
    written["visual.head.weight"] = torch.ones(2, 2)
    written["text.token_embedding.weight"] = torch.ones(2, 2)
    return written


SMALL_EVA = {"embed_dim": 32, "depth": 4, "num_heads": 2}


@pytest.mark.parametrize("layout", ["open_clip", "EVA-CLIP", "timm"])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_every_layout_of_an_eva02_file_gives_the_same_encoder(
    layout: str, suffix: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    whole = timm.create_model("eva02_base_patch16_clip_224", num_classes=0, **SMALL_EVA).eval()
    trunk = {key: torch.randn(value.shape) * 0.1 for key, value in whole.state_dict().items()}
    whole.load_state_dict(trunk)
    written = {
        "open_clip": {f"visual.trunk.{k}": v for k, v in trunk.items()},
        "EVA-CLIP": evaclip_layout(trunk),
        "timm": {**trunk, "head.weight": torch.ones(2, 2)},
    }[layout]
    path = tmp_path / f"w{suffix}"
    if suffix == ".pt":
        torch.save({key: value.half() for key, value in written.items()}, path)
        whole.load_state_dict({key: value.half().float() for key, value in trunk.items()})
    else:
        save_file({key: value.contiguous() for key, value in written.items()}, path)
    images = torch.randn(1, 3, 224, 224)
    for encoder in (
        EVA02CLIP("EVA02-B-16", pretrained=str(path), model_args=SMALL_EVA, out_channels=8),
        TimmEncoder("eva02_base_patch16_clip_224", SMALL_EVA, pretrained=str(path), out_channels=8),
    ):
        encoder.eval()
        assert encoder.loaded is not None
        assert encoder.loaded.layout == layout
        with torch.no_grad():
            expected = whole.forward_intermediates(images, [0, 1, 2, 3], intermediates_only=True)
            for mine, other in zip(encoder.intermediates(images), expected, strict=True):
                assert torch.equal(mine, other)


@pytest.mark.parametrize("name", ["tiny-native", "EVA02"])
@pytest.mark.parametrize("kind", ["renamed", "dropped", "reshaped"])
def test_a_file_with_one_wrong_tensor_is_refused_by_its_name(
    name: str, kind: str, tmp_path: Path
) -> None:
    if name == "EVA02":
        visual = timm.create_model("eva02_base_patch16_clip_224", num_classes=0, **SMALL_EVA)
        state = {f"visual.trunk.{k}": v for k, v in visual.state_dict().items()}
        key, shown = "visual.trunk.blocks.2.attn.norm.weight", r"blocks\.2\.attn\.norm\.weight"
        arguments: dict[str, Any] = {"model": "EVA02-B-16", "model_args": SMALL_EVA}
    else:
        state = {f"visual.{k}": v for k, v in original(name).state_dict().items()}
        key, shown = "visual.transformer.resblocks.2.ln_1.weight", r"blocks\.2\.norm1\.weight"
        arguments = {"model": name}
    value = state.pop(key)
    if kind == "renamed":
        state[key + "s"] = value
    elif kind == "reshaped":
        state[key] = value[:-1].clone()
    path = tmp_path / "w.pt"
    torch.save(state, path)
    with pytest.raises(WeightsError, match=shown):
        OpenClipEncoder(**arguments, pretrained=str(path))


def test_weights_of_another_grid_are_not_resampled_silently(tmp_path: Path) -> None:
    other = timm.create_model(
        "eva02_base_patch16_clip_224", num_classes=0, img_size=336, **SMALL_EVA
    )
    path = tmp_path / "w.pt"
    torch.save({f"visual.trunk.{k}": v for k, v in other.state_dict().items()}, path)
    with pytest.raises(WeightsError, match="pos_embed is made for another grid"):
        EVA02CLIP("EVA02-B-16", pretrained=str(path), model_args=SMALL_EVA)


@pytest.mark.parametrize(
    ("model", "tag"),
    [
        ("EVA02-L-14", "merged2b_s4b_b131k"), ("ViT-B-16", "openai"),
        ("ViT-L-16-SigLIP2-512", "webli"), ("convnext_large_d_320", "laion2b_s29b_b131k_ft_soup"),
    ],
)  # fmt: skip
def test_statistics_are_those_of_the_weights(model: str, tag: str, monkeypatch: Any) -> None:
    from mmseg_ext.encoders import open_clip_tower

    monkeypatch.setattr(open_clip_tower, "_network", lambda *a, **k: torch.nn.Identity())
    config = open_clip.get_pretrained_cfg(model, tag)
    found = open_clip_tower.open_clip_tower(model, tag).statistics
    assert found.mean == pytest.approx([255 * value for value in config["mean"]])
    assert found.std == pytest.approx([255 * value for value in config["std"]])


def test_statistics_of_a_file_without_tag_must_be_unambiguous(tmp_path: Path) -> None:
    # Weights of this architecture exist with CLIP's and with Inception's statistics.
    tags = get_arch_pretrained_cfgs("vit_large_patch14_clip_224").values()
    assert len({cfg.mean for cfg in tags}) > 1
    with pytest.raises(WeightsError, match="pretrained='"):
        TimmEncoder("vit_large_patch14_clip_224", pretrained=str(tmp_path / "w.pt"))


def test_openai_weights_have_their_activation_whatever_the_name_says() -> None:
    from mmseg_ext.encoders.open_clip_tower import open_clip_tower

    small = {"embed_dim": 32, "depth": 1, "num_heads": 2}
    by_tag = open_clip_tower("ViT-B-16", "openai", small).network.blocks[0].mlp.act
    plain = open_clip_tower("ViT-B-16", "laion2b_s34b_b88k", small).network.blocks[0].mlp.act
    images = torch.randn(5)
    assert torch.equal(by_tag(images), images * torch.sigmoid(1.702 * images))
    assert torch.equal(plain(images), torch.nn.functional.gelu(images))


def test_offline_hub_is_a_named_error(monkeypatch: Any) -> None:
    def offline(*_args: object, **_kwargs: object) -> None:
        raise FileNotFoundError("Failed to download file. Last error: offline")

    monkeypatch.setattr(open_clip, "download_pretrained", offline)
    with pytest.raises(WeightsError, match="give the file as checkpoint"):
        EVA02CLIP("EVA02-B-16", pretrained="merged2b_s8b_b131k", model_args=SMALL_EVA)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": "EVA03-L"}, EncoderError, "no model 'EVA03-L'"),
        ({"model": "ViT-B-16", "pretrained": "webli"}, WeightsError, "it has openai, laion"),
        ({"model": "tiny-custom"}, EncoderError, "scale_fc"),
        ({"model": "coca_ViT-B-32"}, EncoderError, "attentional_pool"),
    ],
)
def test_wrong_arguments_are_named(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        OpenClipEncoder(**arguments)


def test_eva02clip_builds_eva02_only() -> None:
    with pytest.raises(EncoderError, match="OpenClipEncoder builds the others"):
        MODELS.build({"type": "EVA02CLIP", "model": "ViT-B-16"})


@pytest.mark.slow
def test_eva02_clip_l14_trains_in_bf16_at_512(capsys: Any) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(2)
    segmentor = MODELS.build(
        {
            "type": "mmseg.EncoderDecoder",
            "backbone": {
                "type": "mmseg_ext.EVA02CLIP",
                "model": "EVA02-L-14",
                "feature_layers": (9, 14, 19, 23),
            },
            "decode_head": {
                "type": "mmseg_ext.DAFormerHead",
                "in_channels": [1024] * 4,
                "num_classes": 19,
            },
            "train_cfg": {},
            "test_cfg": {"mode": "whole"},
        }
    )
    optimizer = torch.optim.SGD(segmentor.parameters(), lr=1e-3)
    images = torch.randn(1, 3, 512, 512)
    labels = torch.randint(0, 19, (1, 512, 512))
    before = segmentor.backbone.tower.blocks[0].attn.q_proj.weight.clone()
    with torch.autocast("cpu", torch.bfloat16):
        logits = segmentor(images)
    logits = torch.nn.functional.interpolate(logits.float(), size=(512, 512), mode="bilinear")
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    optimizer.step()
    assert math.isfinite(loss.item())
    gradients = [each.grad for each in segmentor.parameters() if each.grad is not None]
    assert gradients
    assert all(each.isfinite().all() for each in gradients)
    assert not torch.equal(before, segmentor.backbone.tower.blocks[0].attn.q_proj.weight)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    with capsys.disabled():
        print(f"\nEVA02-CLIP-L/14 + DAFormer head, 1x512x512, bf16 on the CPU: peak {peak:.1f} GiB")


@pytest.mark.parametrize("key", ["visual.foo", "visual.blocks.0.x"])
def test_what_lies_beside_the_tower_is_left_over(key: str, tmp_path: Path) -> None:
    whole = timm.create_model("eva02_base_patch16_clip_224", num_classes=0, **SMALL_EVA)
    state = {f"visual.trunk.{k}": v for k, v in whole.state_dict().items()}
    torch.save(
        {**state, key: torch.ones(1), "visual.head.proj.weight": torch.ones(1)}, tmp_path / "w.pt"
    )
    with pytest.raises(WeightsError, match=f"1 unexpected: {key}"):
        EVA02CLIP("EVA02-B-16", pretrained=str(tmp_path / "w.pt"), model_args=SMALL_EVA)


def test_an_empty_name_of_weights_is_no_way_to_ask_for_random_ones() -> None:
    with pytest.raises(WeightsError, match="expected the tag of weights"):
        EVA02CLIP("EVA02-B-16", pretrained="", model_args=SMALL_EVA)
