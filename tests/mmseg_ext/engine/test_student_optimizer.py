"""Parameter groups, checked by name on real students of every kind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from mmseg_ext.engine import StudentOptimWrapperConstructor
from mmseg_ext.errors import OptimizerError
from mmseg_ext.registry import MODELS

RATE, DECAY = 1e-3, 0.05
TINY = {"embed_dim": 32, "depth": 4, "num_heads": 2}
BACKBONES: dict[str, tuple[dict[str, Any], list[int]]] = {
    "eva02": (
        {
            "type": "mmseg_ext.EVA02CLIP",
            "model": "EVA02-L-14",
            "model_args": TINY,
            "out_channels": 16,
        },
        [16] * 4,
    ),
    "dinov2": (
        {
            "type": "mmseg_ext.TimmEncoder",
            "model": "vit_small_patch14_reg4_dinov2",
            "model_args": TINY,
            "out_channels": 16,
        },
        [16] * 4,
    ),
    "mit": ({"type": "mmseg_ext.MixTransformer", "variant": "b0"}, [32, 64, 160, 256]),
    "resnet": ({"type": "mmseg_ext.ResNetEncoder", "depth": 18}, [64, 128, 256, 512]),
}
FREE = ["norm", "position", "token"]


def student(name: str) -> nn.Module:
    backbone, channels = BACKBONES[name]
    return MODELS.build(
        {
            "type": "mmseg.EncoderDecoder",
            "backbone": backbone,
            "decode_head": {
                "type": "mmseg_ext.DAFormerHead",
                "in_channels": channels,
                "channels": 8,
                "num_classes": 19,
            },
        }
    )


def settings_by_name(model: nn.Module, **paramwise: Any) -> dict[str, tuple[float, float]]:
    """Learning rate and weight decay of every trained parameter, by its name in the model."""
    config = {"optimizer": {"type": "AdamW", "lr": RATE, "weight_decay": DECAY}}
    wrapper = StudentOptimWrapperConstructor(config, paramwise or None)(model)
    names = {id(p): n for n, p in model.named_parameters()}
    found = {}
    for group in wrapper.optimizer.param_groups:
        for parameter in group["params"]:
            assert names[id(parameter)] not in found
            found[names[id(parameter)]] = (group["lr"], group["weight_decay"])
    return found


@pytest.mark.parametrize("name", BACKBONES)
def test_encoder_rate_reaches_exactly_the_encoder(name: str) -> None:
    model = student(name)
    found = settings_by_name(model, encoder_lr_mult=0.1)
    assert found.keys() == {key for key, _ in model.named_parameters()}
    encoder = "backbone.tower." if name in ("eva02", "dinov2") else "backbone."
    for key, (rate, _) in found.items():
        assert rate == pytest.approx(RATE * (0.1 if key.startswith(encoder) else 1.0)), key
    pyramid = [key for key in found if ".pyramid." in key]
    assert bool(pyramid) == (name in ("eva02", "dinov2"))


def is_norm_name(model: nn.Module, key: str) -> bool:
    module = model.get_submodule(key.rpartition(".")[0])
    return "norm" in type(module).__name__.lower()


@pytest.mark.parametrize("name", BACKBONES)
def test_norms_tables_and_tokens_are_not_decayed(name: str) -> None:
    model = student(name)
    found = settings_by_name(model, decay_free=FREE)
    for key, (_, decay) in found.items():
        free = is_norm_name(model, key) or key.endswith(("pos_embed", "cls_token", "reg_token"))
        assert decay == (0.0 if free else DECAY), key
    assert any(decay == 0.0 for _, decay in found.values())


def test_the_last_norm_of_each_mit_stage_is_not_decayed() -> None:
    """A rule for names with 'norm' in them misses these four."""
    found = settings_by_name(student("mit"), decay_free=["norm"])
    for stage in range(4):
        assert found[f"backbone.layers.{stage}.2.weight"][1] == 0.0
        assert found[f"backbone.layers.{stage}.2.bias"][1] == 0.0


def test_norms_of_the_decoder_may_be_decayed_all_the_same() -> None:
    """DAFormer exempts MiT's norms; its decoder's are called ``bn`` and are decayed."""
    model = student("mit")
    found = settings_by_name(model, decay_free=["norm"], decoder_decay_free=[])
    norms = [key for key in found if is_norm_name(model, key)]
    assert {key.split(".")[0] for key in norms} == {"backbone", "decode_head"}
    for key in norms:
        assert found[key][1] == (0.0 if key.startswith("backbone.") else DECAY), key


def test_layer_scale_biases_and_more_only_where_asked() -> None:
    model = student("dinov2")
    plain = settings_by_name(model, decay_free=FREE)
    more = settings_by_name(model, decay_free=[*FREE, "bias", "scale"])
    for key in plain:
        if key.endswith("gamma") or (key.endswith("bias") and not is_norm_name(model, key)):
            assert (plain[key][1], more[key][1]) == (DECAY, 0.0), key


def test_nothing_is_exempt_by_default() -> None:
    found = settings_by_name(student("resnet"))
    assert set(found.values()) == {(RATE, DECAY)}


def test_layer_decay_shrinks_towards_the_input() -> None:
    found = settings_by_name(student("eva02"), encoder_lr_mult=0.5, layer_decay=0.8)
    expected = {
        "backbone.tower.patch_embed.proj.weight": 0.5 * 0.8**5,
        "backbone.tower.pos_embed": 0.5 * 0.8**5,
        "backbone.tower.blocks.0.attn.q_proj.weight": 0.5 * 0.8**4,
        "backbone.tower.blocks.3.mlp.fc2.weight": 0.5 * 0.8**1,
        "backbone.pyramid.levels.0.1.weight": 1.0,
        "decode_head.conv_seg.weight": 1.0,
    }
    for key, factor in expected.items():
        assert found[key][0] == pytest.approx(RATE * factor), key


def test_frozen_parameters_are_left_out() -> None:
    backbone, channels = BACKBONES["eva02"]
    model = MODELS.build(
        {
            "type": "mmseg.EncoderDecoder",
            "backbone": {**backbone, "frozen": "all"},
            "decode_head": {
                "type": "mmseg_ext.DAFormerHead",
                "in_channels": channels,
                "channels": 8,
                "num_classes": 19,
            },
        }
    )
    found = settings_by_name(model, encoder_lr_mult=0.1)
    assert not any(key.startswith("backbone.tower.") for key in found)
    assert any(key.startswith("backbone.pyramid.") for key in found)


def test_parameters_of_equal_settings_share_a_group() -> None:
    config = {"optimizer": {"type": "AdamW", "lr": RATE, "weight_decay": DECAY}}
    wrapper = StudentOptimWrapperConstructor(config, {"encoder_lr_mult": 0.1, "decay_free": FREE})(
        student("mit")
    )
    assert len(wrapper.optimizer.param_groups) == 4


def test_groups_train_as_one_group_does_when_settings_are_equal() -> None:
    weights = []
    for paramwise in ({}, {"layer_decay": 1.0, "encoder_lr_mult": 1.0, "decay_free": []}):
        torch.manual_seed(0)
        model = student("mit").eval()
        config = {"optimizer": {"type": "AdamW", "lr": RATE, "weight_decay": DECAY}}
        wrapper = StudentOptimWrapperConstructor(config, paramwise)(model)
        reference = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
        optimizer = wrapper.optimizer if paramwise else reference
        loss = model(torch.ones(1, 3, 64, 64)).square().mean()
        loss.backward()
        optimizer.step()
        weights.append([p.detach().clone() for p in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


@pytest.mark.parametrize(
    ("paramwise", "message"),
    [
        ({"custom_keys": {}}, "custom_keys"),
        ({"decay_free": ["norms"]}, "norms, expected kinds from norm"),
    ],
)
def test_wrong_settings_are_named(paramwise: dict[str, Any], message: str) -> None:
    with pytest.raises(OptimizerError, match=message):
        StudentOptimWrapperConstructor({"optimizer": {"type": "SGD", "lr": 1.0}}, paramwise)


def test_layer_decay_needs_depths() -> None:
    with pytest.raises(OptimizerError, match="MixTransformer has no depths"):
        settings_by_name(student("mit"), layer_decay=0.9)
