from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import timm
import torch
from torch import Tensor

from mmseg_ext.encoders import TimmEncoder
from mmseg_ext.errors import EncoderError
from mmseg_ext.registry import MODELS

EVA02 = "eva02_base_patch16_clip_224"
SMALL: dict[str, Any] = {"embed_dim": 32, "depth": 5, "num_heads": 2, "img_size": 64}
LAYERS = (0, 1, 2, 3)


def build(patch: int = 16, **options: Any) -> TimmEncoder:
    torch.manual_seed(0)
    return TimmEncoder(EVA02, {**SMALL, "patch_size": patch}, feature_layers=LAYERS, **options)


def parameters(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


@pytest.mark.parametrize("patch", [4, 8, 14, 16])
@pytest.mark.parametrize("size", [(64, 128), (65, 130), (70, 99), (97, 64), (126, 84)])
def test_outputs_have_exactly_the_sizes_of_strides_4_8_16_32(
    patch: int, size: tuple[int, int]
) -> None:
    encoder = build(patch, out_channels=(8, 12, 16, 20))
    with torch.no_grad():
        levels = encoder(torch.randn(2, 3, *size))
    assert encoder.channels == (8, 12, 16, 20)
    assert [tuple(level.shape) for level in levels] == [
        (2, channels, math.ceil(size[0] / stride), math.ceil(size[1] / stride))
        for channels, stride in zip(encoder.channels, (4, 8, 16, 32), strict=True)
    ]


def test_registry_builds_it_and_other_plain_towers() -> None:
    encoder = MODELS.build(
        {
            "type": "TimmEncoder",
            "model": "vit_small_patch14_reg4_dinov2",
            "model_args": {**SMALL, "img_size": 70},
            "feature_layers": [1, 2, 3, 4],
        }
    )
    assert encoder.channels == (32, 32, 32, 32)
    assert encoder(torch.randn(1, 3, 64, 96))[0].shape == (1, 32, 16, 24)


def segmentor_around(encoder: dict[str, Any]) -> Any:
    return MODELS.build(
        {
            "type": "mmseg.EncoderDecoder",
            "backbone": encoder,
            "decode_head": {
                "type": "mmseg_ext.DAFormerHead",
                "in_channels": [32] * 4,
                "channels": 8,
                "num_classes": 19,
            },
        }
    )


def test_init_weights_leaves_the_tower_alone() -> None:
    config = {
        "type": "mmseg_ext.TimmEncoder",
        "model": EVA02,
        "model_args": SMALL,
        "feature_layers": LAYERS,
    }
    segmentor = segmentor_around(config)
    before = parameters(segmentor.backbone.tower)
    segmentor.init_weights()
    after = parameters(segmentor.backbone.tower)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)

    unprotected = segmentor_around(config)
    unprotected.backbone.tower.is_init = False
    before = parameters(unprotected.backbone.tower)
    unprotected.init_weights()
    after = parameters(unprotected.backbone.tower)
    assert any(not torch.equal(before[name], after[name]) for name in before), (
        "MMEngine no longer initialises children by itself: the protection is not needed"
    )


def test_random_tower_is_initialised_by_timm() -> None:
    encoder = build()
    for index, block in enumerate(encoder.tower.blocks):
        # timm draws with std 0.02 and divides the residual projections by sqrt(2 (index + 1)).
        expected = 0.02 / math.sqrt(2 * (index + 1))
        assert block.attn.proj.weight.std().item() == pytest.approx(expected, rel=0.1)
        assert block.attn.q_proj.weight.std().item() == pytest.approx(0.02, rel=0.1)
        assert torch.equal(block.norm1.weight, torch.ones(32))
    assert encoder.tower.pos_embed.std().item() == pytest.approx(0.02, rel=0.1)


def reference(encoder: TimmEncoder, size: tuple[int, int]) -> list[Tensor]:
    """Block outputs of timm's own fixed-size model with the same weights."""
    model: Any = timm.create_model(EVA02, num_classes=0, **SMALL)
    model.prune_intermediate_layers(list(LAYERS), prune_norm=True, prune_head=True)
    model.load_state_dict(encoder.tower.state_dict())
    model.set_input_size(size)
    return list(
        model.eval().forward_intermediates(image(size), list(LAYERS), intermediates_only=True)
    )


def image(size: tuple[int, int]) -> Tensor:
    return torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(64, 64), (64, 128), (96, 48)])
def test_tokens_equal_those_of_a_model_built_for_the_size(size: tuple[int, int]) -> None:
    encoder = build().eval()
    seen: list[list[Tensor]] = []
    encoder.pyramid.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        encoder(image(size))
        expected = reference(encoder, size)
    for ours, theirs in zip(seen[0], expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_padding_does_not_stretch_the_image() -> None:
    encoder = build(14).eval()
    small = image((64, 128))
    padded = torch.nn.functional.pad(small, (0, 12, 0, 6))  # 70 x 140 = 5 x 10 patches
    with torch.no_grad():
        for cut, whole in zip(encoder(small), encoder(padded), strict=True):
            rows, columns = cut.shape[2:]
            torch.testing.assert_close(cut, whole[:, :, :rows, :columns])


def test_one_block_may_serve_several_levels() -> None:
    torch.manual_seed(0)
    encoder = TimmEncoder(EVA02, SMALL, feature_layers=(1, 3, 3, 3)).eval()
    seen: list[list[Tensor]] = []
    encoder.pyramid.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        encoder(image((64, 64)))
    first, second, third, fourth = seen[0]
    assert not torch.equal(first, second)
    assert torch.equal(second, third)
    assert torch.equal(second, fourth)


@pytest.mark.parametrize("size", [(64, 128), (70, 99)])
def test_detail_stem_adds_to_the_finest_level_only(size: tuple[int, int]) -> None:
    encoder = build(out_channels=8, detail_stem=True).eval()
    assert encoder.detail_stem is not None
    with torch.no_grad():
        both = encoder(image(size))
        details = encoder.detail_stem(image(size))
        encoder.detail_stem = None
        alone = encoder(image(size))
    torch.testing.assert_close(both[0], alone[0] + details)
    assert details.abs().mean() > 0
    assert all(torch.equal(a, b) for a, b in zip(both[1:], alone[1:], strict=True))


def test_every_parameter_is_used() -> None:
    encoder = build(8, out_channels=8, detail_stem=True)
    assert len(encoder.tower.blocks) == LAYERS[-1] + 1
    sum(level.square().mean() for level in encoder(torch.randn(1, 3, 64, 64))).backward()
    unused = [name for name, p in encoder.named_parameters() if p.grad is None]
    assert unused == []


def test_gradient_checkpointing_changes_no_gradient() -> None:
    plain = build()
    checkpointed = build(gradient_checkpointing=True)
    assert checkpointed.tower.grad_checkpointing
    gradients = []
    for encoder in (plain, checkpointed):
        sum(level.square().mean() for level in encoder(image((64, 64)))).backward()
        gradients.append(encoder.tower.patch_embed.proj.weight.grad)
    torch.testing.assert_close(gradients[0], gradients[1])


def test_stochastic_depth_acts_in_training_only() -> None:
    encoder = build(drop_path_rate=0.9)
    x = image((64, 64))
    assert not torch.equal(encoder(x)[3], encoder(x)[3])
    encoder.eval()
    assert torch.equal(encoder(x)[3], encoder(x)[3])


def test_copies_are_independent() -> None:
    encoder = build().eval()
    teacher = copy.deepcopy(encoder)
    x = image((64, 64))
    assert torch.equal(encoder(x)[0], teacher(x)[0])
    with torch.no_grad():
        encoder.tower.pos_embed.add_(1.0)
    assert not torch.equal(encoder(x)[0], teacher(x)[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "eva02_bass_patch16"}, "no model 'eva02_bass_patch16'"),
        ({"model": "vit_small_patch14_dinov2.lvd142m"}, "give the tag as pretrained"),
        ({"model": "resnet18", "model_args": None}, "feature_layers .* must be left out"),
        ({"model": "mixer_b16_224", "model_args": None}, "neither a plain vision transformer"),
        ({"feature_layers": 4}, "feature_layers"),
        ({"feature_layers": (0, 1, 2, 3.0)}, "feature_layers"),
        ({"out_channels": 2.5}, "out_channels"),
        ({"out_channels": True}, "out_channels"),
        ({"frozen": True}, "frozen is True"),
        ({"frozen": 1.5}, "frozen is 1.5"),
        ({"drop_path_rate": 1.5}, "drop_path_rate"),
        ({"model_args": {**SMALL, "checkpoint_path": "x"}}, "must not hold checkpoint_path"),
        ({"model_args": {**SMALL, "patch_size": 0}}, "cannot build"),
        ({"model": "vit_base_r50_s16_224", "model_args": None}, "neither a plain vision"),
        ({"patch_fit": "crop"}, "patch_fit is 'crop'"),
        ({"frozen": 6}, "expected 'all' or 0 to 4"),
        ({"frozen": "most"}, "'most'"),
        ({"model_args": {**SMALL, "num_classes": 3}}, "must not hold num_classes"),
        ({"model_args": {**SMALL, "no_such_option": 3}}, "no_such_option"),
        ({"feature_layers": (0, 1, 2)}, r"\(0, 1, 2\), expected 4 indices"),
        ({"feature_layers": (0, 2, 1, 3)}, "none below"),
        ({"feature_layers": (0, 1, 2, 5)}, "from 0 to 4"),
        ({"out_channels": (8, 8, 8)}, "out_channels"),
        ({"out_channels": 0}, "out_channels"),
        ({"out_channels": 6, "detail_stem": True}, "multiple of 8"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    defaults = {"model": EVA02, "model_args": SMALL, "feature_layers": LAYERS}
    with pytest.raises(EncoderError, match=message):
        TimmEncoder(**{**defaults, **arguments})
