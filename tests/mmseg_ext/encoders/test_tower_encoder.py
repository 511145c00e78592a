"""The adapter's options, on small towers of each family."""

from __future__ import annotations

import math
from typing import Any

import pytest
import timm
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from mmseg_ext.encoders import TimmEncoder

SMALL: dict[str, Any] = {"embed_dim": 32, "depth": 4, "num_heads": 2}
# Every family of plain towers that the fragments name, at small width.
PLAIN: dict[str, dict[str, Any]] = {
    "eva02_large_patch14_clip_224": {**SMALL, "img_size": 56},
    "eva02_large_patch14_224": {**SMALL, "img_size": 56},
    "vit_small_patch14_dinov2": {**SMALL, "img_size": 70},
    "vit_base_patch16_siglip_512": {**SMALL, "img_size": 64},
    "vit_base_patch16_clip_224": {**SMALL, "img_size": 64},
    "vit_small_patch16_dinov3": {**SMALL, "img_size": 64},
    "samvit_base_patch16": {**SMALL, "img_size": 64, "global_attn_indexes": (3,)},
}
STAGED = {
    "convnext_atto": {"depths": (1, 1, 1, 1), "dims": (8, 16, 24, 32)},
    "resnet18": {},
}
SIZES = [(64, 64), (64, 128), (100, 67), (65, 90), (126, 84)]


def build(name: str, **options: Any) -> TimmEncoder:
    torch.manual_seed(0)
    arguments = PLAIN.get(name) or STAGED[name]
    return TimmEncoder(name, arguments, **options)


def exact(size: tuple[int, int]) -> list[tuple[int, int]]:
    return [(math.ceil(size[0] / s), math.ceil(size[1] / s)) for s in (4, 8, 16, 32)]


@pytest.mark.parametrize("name", [*PLAIN, *STAGED])
@pytest.mark.parametrize("size", SIZES)
def test_strides_are_exact_at_any_size(name: str, size: tuple[int, int]) -> None:
    encoder = build(name, out_channels=8).eval()
    with torch.no_grad():
        outputs = encoder(torch.randn(1, 3, *size))
    assert [tuple(each.shape[2:]) for each in outputs] == exact(size)
    assert tuple(each.shape[1] for each in outputs) == encoder.channels


@pytest.mark.parametrize(
    ("name", "channels"),
    [("convnext_atto", (8, 16, 24, 32)), ("resnet18", (64, 128, 256, 512))],
)
def test_stages_keep_their_channels_unless_told(name: str, channels: tuple[int, ...]) -> None:
    encoder = build(name).eval()
    assert encoder.channels == channels
    assert encoder.pyramid is None
    with torch.no_grad():
        outputs = encoder(torch.randn(1, 3, 70, 99))
    assert [tuple(each.shape[1:]) for each in outputs] == [
        (c, *size) for c, size in zip(channels, exact((70, 99)), strict=True)
    ]


@pytest.mark.parametrize("fit", ["pad", "resize", "resample"])
@pytest.mark.parametrize("size", SIZES)
def test_every_patch_fit_has_exact_strides(fit: Any, size: tuple[int, int]) -> None:
    encoder = build("eva02_large_patch14_clip_224", patch_fit=fit, out_channels=8).eval()
    with torch.no_grad():
        assert [tuple(each.shape[2:]) for each in encoder(torch.randn(1, 3, *size))] == exact(size)
    assert encoder.describe()["patch_fit"] == fit
    assert encoder.describe()["patch"] == (16 if fit == "resample" else 14)


@pytest.mark.parametrize("name", list(PLAIN))
@pytest.mark.parametrize("fit", ["pad", "resize"])
def test_native_size_meets_the_untouched_tower(name: str, fit: Any) -> None:
    encoder = build(name, patch_fit=fit, out_channels=8).eval()
    plain: Any = timm.create_model(name, num_classes=0, **PLAIN[name]).eval()
    missing = plain.load_state_dict(encoder.tower.state_dict(), strict=False).missing_keys
    heads = ("norm", "fc_norm", "attn_pool", "neck")
    assert all(key.startswith(heads) for key in missing)
    side = PLAIN[name]["img_size"]
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        expected = plain.forward_intermediates(images, [0, 1, 2, 3], intermediates_only=True)
        for ours, theirs in zip(encoder.intermediates(images), expected, strict=True):
            assert torch.equal(ours, theirs)


def dynamic_twin(encoder: TimmEncoder, name: str) -> Any:
    twin: Any = timm.create_model(name, num_classes=0, dynamic_img_size=True, **PLAIN[name]).eval()
    twin.load_state_dict(encoder.tower.state_dict(), strict=False)
    return twin


@pytest.mark.parametrize("name", [n for n in PLAIN if not n.startswith("sam")])
def test_larger_and_moved_images_behave_as_timms_dynamic_size(name: str) -> None:
    encoder = build(name, out_channels=8).eval()
    twin = dynamic_twin(encoder, name)
    patch = encoder.patch
    assert patch is not None
    images = torch.randn(1, 3, 8 * patch, 6 * patch)
    moved = torch.roll(images, (patch, patch), dims=(2, 3))  # by one patch
    with torch.no_grad():
        for each in (images, moved):
            theirs = twin.forward_intermediates(each, [3], intermediates_only=True)[0]
            assert torch.equal(encoder.intermediates(each)[-1], theirs)


def test_rotary_positions_are_rescaled_to_the_grid_of_the_pre_training() -> None:
    encoder = build("eva02_large_patch14_clip_224", out_channels=8)
    rope = encoder.tower.rope
    native, double = rope.get_embed(shape=(16, 16)), rope.get_embed(shape=(32, 32))
    assert tuple(rope.ref_feat_shape) == (16, 16)
    # Token (2i, 2j) of the doubled grid has the rotation that (i, j) has in the native one.
    picked = double.view(32, 32, -1)[::2, ::2].reshape(256, -1)
    torch.testing.assert_close(picked, native, rtol=1e-4, atol=1e-5)


def test_resize_shows_the_tower_the_enlarged_image() -> None:
    encoder = build("eva02_large_patch14_clip_224", patch_fit="resize", out_channels=8).eval()
    images = torch.randn(1, 3, 64, 100)
    enlarged = F.interpolate(images, (70, 112), mode="bilinear", align_corners=False)
    with torch.no_grad():
        for ours, theirs in zip(
            encoder.intermediates(images), encoder.intermediates(enlarged), strict=True
        ):
            assert torch.equal(ours, theirs)


def test_resample_changes_the_kernel_and_nothing_else() -> None:
    plain = build("vit_small_patch14_dinov2", out_channels=8)
    resampled = build("vit_small_patch14_dinov2", patch_fit="resample", out_channels=8)
    ours, theirs = resampled.tower.state_dict(), plain.tower.state_dict()
    for key, value in theirs.items():
        if key != "patch_embed.proj.weight":
            assert torch.equal(ours[key], value), key
    assert ours["patch_embed.proj.weight"].shape[2:] == (16, 16)
    # FlexiViT's resampling keeps what a resized patch projects to: constants are the clearest case.
    flat = torch.ones(1, 3, 1, 1)
    torch.testing.assert_close(
        F.conv2d(flat.expand(1, 3, 16, 16), ours["patch_embed.proj.weight"]),
        F.conv2d(flat.expand(1, 3, 14, 14), theirs["patch_embed.proj.weight"]),
        rtol=1e-3,
        atol=1e-4,
    )


def test_output_cells_lie_over_their_pixels_whatever_the_patch_fit() -> None:
    """A bright square must light up the same output cells under each patch fit."""
    images = torch.zeros(1, 3, 128, 128)
    images[:, :, 84:116, 20:52] = 4.0
    for fit in ("pad", "resize", "resample"):
        encoder = build("eva02_large_patch14_clip_224", patch_fit=fit, out_channels=8).eval()
        with torch.no_grad():
            difference = [
                (lit - dark).abs().sum(1)[0]
                for lit, dark in zip(
                    encoder(images), encoder(torch.zeros_like(images)), strict=True
                )
            ]
        heat = difference[0]  # stride 4
        rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
        strong = heat * (heat > 0.5 * heat.max())
        centre = ((strong * rows).sum() / strong.sum(), (strong * columns).sum() / strong.sum())
        assert abs(centre[0] - 24.5) < 2.5, fit
        assert abs(centre[1] - 8.5) < 2.5, fit


def trainable(encoder: TimmEncoder) -> set[str]:
    return {name for name, p in encoder.tower.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("name", ["eva02_large_patch14_clip_224", "vit_small_patch14_dinov2"])
def test_first_blocks_can_be_frozen(name: str) -> None:
    encoder = build(name, frozen=2, out_channels=8, drop_path_rate=0.5)
    everything = {key for key, _ in encoder.tower.named_parameters()}
    assert trainable(encoder) == {
        key for key in everything if key.startswith(("blocks.2.", "blocks.3."))
    }
    encoder.train()
    assert [block.training for block in encoder.tower.blocks] == [False, False, True, True]
    sum(level.square().mean() for level in encoder(torch.randn(1, 3, 70, 70))).backward()
    reached = {key for key, p in encoder.tower.named_parameters() if p.grad is not None}
    assert reached == trainable(encoder)


@pytest.mark.parametrize("name", [*PLAIN, *STAGED])
def test_all_can_be_frozen(name: str) -> None:
    options = {"out_channels": 8} if name in PLAIN else {}
    encoder = build(name, frozen="all", **options).train()
    assert trainable(encoder) == set()
    assert not any(module.training for module in encoder.tower.modules())
    outputs = encoder(torch.randn(1, 3, 64, 64))
    if name in PLAIN:  # the pyramid still learns
        sum(level.square().mean() for level in outputs).backward()
        assert encoder.pyramid is not None
        assert all(p.grad is not None for p in encoder.pyramid.parameters())
    else:
        assert not any(level.requires_grad for level in outputs)


def test_frozen_stages_of_a_convolutional_tower() -> None:
    encoder = build("convnext_atto", frozen=2)
    assert {key.split(".")[0] for key in trainable(encoder)} == {"stages"}
    assert {key.split(".")[1] for key in trainable(encoder)} == {"2", "3"}


@pytest.mark.parametrize("name", ["eva02_large_patch14_clip_224", "vit_small_patch14_dinov2"])
def test_fused_attention_is_the_same_up_to_rounding(name: str) -> None:
    fused, plain = build(name, out_channels=8), build(name, out_channels=8, fused_attention=False)
    images = torch.randn(1, 3, 70, 70)
    flags = [
        m.fused_attn for e in (fused, plain) for m in e.tower.modules() if hasattr(m, "fused_attn")
    ]
    assert flags == [True] * 4 + [False] * 4
    with torch.no_grad():
        for one, other in zip(fused.eval()(images), plain.eval()(images), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "depth"), [("eva02_large_patch14_clip_224", 4), ("convnext_atto", 4)]
)
def test_parameter_depths_count_from_the_input(name: str, depth: int) -> None:
    encoder = build(name, **({"out_channels": 8} if name in PLAIN else {}))
    depths = encoder.parameter_depths()
    assert depths.keys() == {key for key, _ in encoder.tower.named_parameters()}
    blocks = "blocks" if name in PLAIN else "stages"
    for key, found in depths.items():
        parts = key.split(".")
        assert found == (int(parts[1]) + 1 if parts[0] == blocks else 0), key
    assert max(depths.values()) == depth


def test_default_layers_are_quarters_of_the_depth() -> None:
    assert build("eva02_large_patch14_clip_224", out_channels=8).feature_layers == (0, 1, 2, 3)
    torch.manual_seed(0)
    deep = TimmEncoder("vit_small_patch14_dinov2", {**SMALL, "depth": 24}, out_channels=8)
    assert deep.feature_layers == (5, 11, 17, 23)


def test_description_is_plain_data() -> None:
    import json

    facts = build("vit_base_patch16_siglip_512", out_channels=8).describe()
    assert json.loads(json.dumps(facts)) == {
        "tower": "timm:vit_base_patch16_siglip_512",
        "weights": None,
        "feature_layers": [0, 1, 2, 3],
        "patch": 16,
        "patch_fit": "pad",
        "frozen": 0,
    }


def test_bf16_autocast_gives_finite_gradients() -> None:
    encoder = build("eva02_large_patch14_clip_224", out_channels=8)
    with torch.autocast("cpu", torch.bfloat16):
        outputs: tuple[Tensor, ...] = encoder(torch.randn(1, 3, 64, 64))
        loss = sum(level.float().square().mean() for level in outputs)
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters() if p.grad is not None)
