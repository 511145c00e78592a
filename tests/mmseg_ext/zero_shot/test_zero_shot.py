"""Known features give known labels, and open_clip's models give features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torch.nn.functional as F  # noqa: N812
from open_clip import CLIP, SimpleTokenizer
from safetensors.torch import load_file
from torch import nn

from benchmark import cli
from mmseg_ext.datasets.classes import CLASSES
from mmseg_ext.errors import EncoderError
from mmseg_ext.evaluation.windows import infer
from mmseg_ext.pretraining.__main__ import run as make
from mmseg_ext.pretraining.text_tower import TextTower
from mmseg_ext.zero_shot.class_names import CLASS_NAMES
from mmseg_ext.zero_shot.dense_text import DenseText
from mmseg_ext.zero_shot.towers import (
    TokenFeatures,
    of_open_clip,
    of_region_text,
    value_features,
)

TEXT = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 9.0], [1.0, 1.0, 0.0]])

TIMM = {"timm_model_name": "test_vit", "timm_pool": "", "timm_proj": "linear", "image_size": 32}


def clip(**vision: Any) -> CLIP:
    torch.manual_seed(0)
    return CLIP(
        embed_dim=24,
        vision_cfg={
            "layers": 3, "width": 32, "head_width": 16, "patch_size": 8, "image_size": (32, 48),
            **vision,
        },
        text_cfg={"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    ).eval()  # fmt: skip


def test_a_pixel_has_the_class_of_the_nearest_name() -> None:
    """Lengths of features and of texts do not matter, and a class may have several names."""
    patches = torch.tensor([[[5.0, 0.1, 0.0], [3.0, 2.9, 0.0]], [[0.0, 0.1, 0.0], [0.0, 0.0, 0.2]]])
    segmentor = DenseText(lambda _: patches.permute(2, 0, 1)[None], TEXT, [0, 1, 2, 1])
    scores = infer(segmentor, torch.zeros(1, 3, 16, 16))
    assert scores.shape == (1, 3, 16, 16)
    assert scores[0, :, 3::9, 3::9].argmax(0).tolist() == [[0, 1], [1, 2]]
    # By hand: at the outer corners bilinear enlargement repeats the patch.
    cosine = F.cosine_similarity(patches[0, 1][None], TEXT)
    expected = torch.stack([cosine[0], torch.maximum(cosine[1], cosine[3]), cosine[2]])
    torch.testing.assert_close(scores[0, :, 0, -1], expected)


@pytest.mark.parametrize("owners", [[0, 1, 2], [0, 1, 3, 1]])
def test_owners_that_do_not_fit_are_refused(owners: list[int]) -> None:
    with pytest.raises(ValueError, match="owners"):
        DenseText(lambda images: images, TEXT, owners)


def test_every_class_has_a_name() -> None:
    assert len(CLASS_NAMES) == len(CLASSES)
    assert all(CLASS_NAMES)


def test_value_features_are_attention_that_sees_itself_alone() -> None:
    """Independent: the last block's own attention under a mask that leaves each token itself."""
    visual: Any = clip().visual
    images = torch.randn(2, 3, 32, 48)
    seen: list[torch.Tensor] = []
    hook = visual.transformer.resblocks[-1].register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0])
    )
    with torch.no_grad():
        visual(images)
        hook.remove()
        last, tokens = visual.transformer.resblocks[-1], seen[0]
        alone = torch.full((25, 25), float("-inf")).fill_diagonal_(0.0)
        attended = last.attention(last.ln_1(tokens), attn_mask=alone)
        expected = visual.ln_post(attended)[:, 1:] @ visual.proj
        found = value_features(visual, images)
    torch.testing.assert_close(found.flatten(2).transpose(1, 2), expected, atol=1e-5, rtol=1e-4)
    assert found.shape == (2, 24, 4, 6)


@pytest.mark.parametrize(
    "vision",
    [
        {},
        TIMM,
    ],
)
def test_models_of_open_clip_label_images(vision: dict[str, Any]) -> None:
    segmentor = of_open_clip(clip(**vision), SimpleTokenizer(context_length=16))
    size = (32, 32) if vision else (32, 48)
    scores = infer(segmentor, torch.randn(2, 3, *size))
    assert scores.shape == (2, len(CLASSES), *size)
    assert scores.abs().max() <= 1.0 + 1e-5
    assert not torch.equal(scores[0], scores[1])


def test_other_towers_are_refused() -> None:
    model = clip()
    model.visual = nn.Identity()
    with pytest.raises(EncoderError, match="Identity"):
        of_open_clip(model, SimpleTokenizer(context_length=16))
    pooled = clip(**TIMM)
    trunk: Any = pooled.visual
    trunk.trunk.attn_pool = nn.Identity()  # as SigLIP's: patches have no place beside texts
    with pytest.raises(EncoderError, match="class token"):
        of_open_clip(pooled, SimpleTokenizer(context_length=16))


def test_positions_are_resampled_from_the_trained_table() -> None:
    """Independent: bicubic interpolation of the table, whatever size came before."""
    visual: Any = clip().visual
    images = torch.randn(1, 3, 48, 64)
    with torch.no_grad():
        value_features(visual, torch.randn(1, 3, 64, 64))
        found = value_features(visual, images)
        table = visual.positional_embedding
        grid = table[1:].T.reshape(1, 32, 4, 6)
        grid = F.interpolate(grid, (6, 8), mode="bicubic", antialias=True)
        other: Any = clip(image_size=(48, 64)).visual
        other.load_state_dict(
            visual.state_dict()
            | {"positional_embedding": torch.cat([table[:1], grid[0].flatten(1).T])}
        )
        torch.testing.assert_close(found, value_features(other, images))


def test_a_timm_tower_takes_any_size_and_forgets_it() -> None:
    visual: Any = clip(**TIMM).visual
    features, small, large = TokenFeatures(visual), torch.randn(1, 3, 32, 32), (1, 3, 64, 48)
    with torch.no_grad():
        before = features(small)
        patch = visual.trunk.patch_embed.patch_size[0]
        assert features(torch.randn(large)).shape[2:] == (64 // patch, 48 // patch)
        trunk: Any = timm.create_model("test_vit", num_classes=0, img_size=(64, 48))
        trunk.load_state_dict(visual.trunk.state_dict(), strict=False)
        assert torch.equal(trunk.pos_embed, visual.trunk.pos_embed)
        assert torch.equal(features(small), before)


def test_windows_and_sides_that_no_patch_fits() -> None:
    """14 pixels a patch and images of 40 x 60, in windows of 40 x 40: the rest is padded."""
    rules = {"mode": "slide", "crop_size": (40, 40), "stride": (40, 20)}
    model = clip(patch_size=14, image_size=(42, 42))
    segmentor = of_open_clip(model, SimpleTokenizer(context_length=16), rules)
    images = torch.randn(1, 3, 40, 60)
    padded = F.pad(images[..., :40], (0, 2, 0, 2))
    left = segmentor.encode_decode(padded, [{}])[:, :, :40, :20]
    torch.testing.assert_close(infer(segmentor, images)[..., :20], left)


def test_a_made_tower_is_compared_in_its_own_space(tmp_path: Path) -> None:
    """Independent: the cosine of one patch with each name, from the files that were written."""
    constants = {"scenes": 2, "held_out": 1, "iterations": 1, "images": 2, "embedding": 16}
    recipe = {"type": "RegionTextContrast", "text_layers": 1, **constants}
    model_args = {
        "embed_dim": 32, "depth": 2, "num_heads": 1, "patch_size": 8, "img_size": [64, 128],
    }  # fmt: skip
    backbone = {
        "type": "TimmEncoder", "model": "eva02_base_patch16_clip_224", "model_args": model_args,
    }  # fmt: skip
    make({"backbone": backbone, "recipe": recipe, "imports": []}, tmp_path)
    segmentor = of_region_text({**backbone, "pretrained": recipe}, tmp_path, 16)
    images = torch.randn(1, 3, 64, 128)
    scores = infer(segmentor, images)

    tower = timm.create_model(backbone["model"], num_classes=0, **model_args).eval()
    tower.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    projection = load_file(tmp_path / "projection.safetensors")["weight"]
    text = TextTower(32, 1, 16).eval()
    text.load_state_dict(load_file(tmp_path / "text.safetensors"))
    with torch.no_grad():
        corner = tower.forward_features(images)[0, 1] @ projection.T
        road = torch.stack([
            F.normalize(text([wording])[0], dim=0)
            for wording in ("a photo of a road", "a picture of a road")
        ]).mean(0)  # fmt: skip
    torch.testing.assert_close(scores[0, 0, 0, 0], F.cosine_similarity(corner, road, dim=0))


def test_the_probe_asks_for_a_text_tower(capsys: Any) -> None:
    assert cli.main(["weights", "probe", "resnet-mini-supervised"]) == 2
    assert "no text tower" in capsys.readouterr().err


def test_a_patch_passes_the_head_that_the_class_token_passes() -> None:
    """Independent: open_clip's own image feature, of an image whose tokens are all its class's."""
    visual: Any = clip(**{**TIMM, "timm_pool": "token"}).visual
    images = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        feature = visual(images)[0]
        trunk, own = visual.trunk, visual.trunk.forward_features
        trunk.forward_features = lambda x: own(x)[:, :1].expand(-1, own(x).shape[1], -1)
        dense = TokenFeatures(visual)(images)
    assert dense.shape[:2] == (1, len(feature))
    torch.testing.assert_close(dense[0], feature[:, None, None].expand_as(dense[0]))
