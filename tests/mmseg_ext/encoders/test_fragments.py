"""The shipped encoders: every card says what is so, and every command about weights works."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import open_clip
import pytest
import timm
import torch
from safetensors.torch import save_file

from benchmark import cli, registry
from mmseg_ext.encoders.cost import count
from mmseg_ext.encoders.tower import IMAGENET
from mmseg_ext.registry import MODELS

FRAGMENTS = [registry.find("encoder", name) for name in registry.names("encoder")]
LISTED = [
    each.name
    for each in FRAGMENTS
    if isinstance(each.values["backbone"].get("pretrained"), str) and each.base is None
]
OTHER_COST = [each.name for each in FRAGMENTS if "gmacs" in each.changes.get("card", {})]
"""Variants that cost something else than their base."""
# MMSegmentation builds nothing on the meta device.
REAL = ("ResNetEncoder", "MixTransformer")


def test_the_encoders_of_the_study_and_its_open_questions_are_there() -> None:
    assert set(LISTED) == {
        "resnet101", "mit-b5", "eva02-clip-l14", "eva02-clip-l14-336", "eva02-clip-b16",
        "clip-vit-b16", "clip-vit-l14", "siglip2-l16", "dinov2-b14", "dinov2-l14", "dinov3-l16",
        "eva02-mim-l14", "convnext-clip-l",
    }  # fmt: skip


@pytest.mark.parametrize("name", LISTED)
def test_cards_are_complete(name: str) -> None:
    fragment = registry.find("encoder", name)
    needed = {
        "title", "summary", "family", "pretraining", "licence", "paper", "url", "exposure",
        "parameters_m", "gmacs", "image_statistics", "provenance",
    }  # fmt: skip
    assert needed <= fragment.card.keys()
    provenance = fragment.card["provenance"]
    assert {"learning_rate", "weight_decay"} <= provenance.keys()
    for origin in provenance.values():
        assert origin.startswith(("paper", "code base", "inferred", "of the weights", "open_clip"))
    rates = fragment.values["learning_rate"]
    assert 0 < rates["encoder"] <= rates["decoder"]


@pytest.mark.parametrize("name", LISTED)
def test_statistics_on_the_card_are_those_of_the_weights(name: str) -> None:
    fragment = registry.find("encoder", name)
    backbone, shown = fragment.values["backbone"], fragment.card["image_statistics"]
    if backbone["type"] in REAL:
        mean, std = IMAGENET.mean, IMAGENET.std
    elif backbone["type"] == "TimmEncoder":
        cfg = timm.models.get_pretrained_cfg(f"{backbone['model']}.{backbone['pretrained']}")
        mean, std = ([255 * v for v in values] for values in (cfg.mean, cfg.std))
    else:
        cfg = open_clip.get_pretrained_cfg(backbone["model"], backbone["pretrained"])
        mean, std = ([255 * v for v in cfg[key]] for key in ("mean", "std"))
    assert shown["mean"] == pytest.approx(mean, abs=1e-3)
    assert shown["std"] == pytest.approx(std, abs=1e-3)
    assert "mean" not in fragment.values, "the weights say it, not the fragment"


@pytest.mark.parametrize("name", [*LISTED, *OTHER_COST])
def test_channels_and_cost_on_the_card_are_counted(name: str) -> None:
    fragment = registry.find("encoder", name)
    backbone = {key: v for key, v in fragment.values["backbone"].items() if key != "pretrained"}
    if backbone["type"] in REAL:
        encoder = MODELS.build(backbone)
    else:
        with torch.device("meta"):
            encoder = MODELS.build({**backbone, "fused_attention": False})
        assert encoder.channels == fragment.values["channels"]
    cost = count(encoder)
    assert fragment.card["parameters_m"] == pytest.approx(cost.parameters_m, abs=0.051)
    for side, gmacs in cost.gmacs.items():
        assert fragment.card["gmacs"][side] == pytest.approx(gmacs, abs=0.051)


def test_a_linear_map_and_a_convolution_are_counted_by_hand() -> None:
    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = torch.nn.Conv2d(3, 4, 2, stride=2, bias=False)
            self.linear = torch.nn.Linear(4, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.linear(self.convolution(x).flatten(2).transpose(1, 2))
            return y

    cost = count(Small(), (64,))
    assert cost.parameters_m == pytest.approx((3 * 4 * 4 + 4 * 5 + 5) / 1e6)
    assert cost.gmacs[64] == pytest.approx(32 * 32 * (3 * 4 * 4 + 4 * 5) / 1e9)


@pytest.mark.parametrize("name", ["timm:test_vit.r160_in1k"])
def test_weights_check_says_yes_or_which_tensor_is_wrong(
    name: str, tmp_path: Path, capsys: Any
) -> None:
    state = timm.create_model("test_vit", num_classes=0).state_dict()
    good, bad = tmp_path / "good.safetensors", tmp_path / "bad.safetensors"
    save_file(state, good)
    assert cli.main(["weights", "check", name, str(good)]) == 0
    said = capsys.readouterr().out
    assert "loads whole into timm.test_vit.r160_in1k" in said
    assert "timm layout" in said
    assert cli.main(["weights", "check", name, str(good), "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["whole"], verdict["tensors"]) == (True, len(state))
    cfg = timm.models.get_pretrained_cfg("test_vit.r160_in1k")
    assert verdict["mean"] == pytest.approx([255 * value for value in cfg.mean], abs=1e-3)

    del state["blocks.1.norm1.weight"]
    save_file(state, bad)
    assert cli.main(["weights", "check", name, str(bad)]) == 1
    assert "1 missing: blocks.1.norm1.weight" in capsys.readouterr().out


def test_weights_check_refuses_encoders_without_weights(capsys: Any) -> None:
    assert cli.main(["weights", "check", "resnet-mini", "x.pt"]) == 2
    assert "takes no weights" in capsys.readouterr().err


@pytest.mark.parametrize("name", LISTED)
def test_show_prints_the_card(name: str, capsys: Any) -> None:
    with contextlib.suppress(SystemExit):
        assert cli.main(["show", name]) == 0
    said = " ".join(capsys.readouterr().out.split())
    card = registry.find("encoder", name).card
    for key in ("title", "licence", "exposure"):
        assert " ".join(card[key].split()) in said
