"""The protocols of real data against the published recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmark import compose, plan, registry, suite


def resolve(protocol: str, method: str, shift: str = "gta5-cityscapes") -> dict[str, Any]:
    found = registry.find("shift", shift)
    return compose.resolve(
        registry.find("protocol", protocol),
        registry.find("method", method),
        registry.find("encoder", "mit-b5"),
        found,
        plan.domain_fragments(found),
        seed=0,
    )


def transform(dataset: dict[str, Any], kind: str) -> dict[str, Any] | None:
    return next((each for each in dataset["pipeline"] if each["type"] == kind), None)


def pair(config: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    dataset = config["train_dataloader"]["dataset"]
    return dataset["source"], dataset["target"]


# Recipes of lhoyer/DAFormer and lhoyer/MIC: scales of images, side of a crop, pixels in a crop.
RECIPES = {
    ("daformer", "daformer"): ([1280, 720], [1024, 512], 512, 0.5),
    ("hrda", "hrda"): ([2560, 1440], [2048, 1024], 1024, 2.0),
    ("hrda", "mic-hrda"): ([2560, 1440], [2048, 1024], 1024, 2.0),
}


@pytest.mark.parametrize(("protocol", "method"), RECIPES)
def test_uda_cells_follow_the_published_recipe(protocol: str, method: str) -> None:
    source_scale, target_scale, side, ratio = RECIPES[protocol, method]
    config = resolve(protocol, method)
    source, target = pair(config)
    for dataset, scale in ((source, source_scale), (target, target_scale)):
        assert transform(dataset, "Resize") == {
            "type": "Resize",
            "scale": scale,
            "keep_ratio": True,
        }
        assert transform(dataset, "RandomFlip") == {"type": "RandomFlip", "prob": 0.5}
        assert transform(dataset, "PhotoMetricDistortion") is None
    crop = {"type": "RandomCrop", "crop_size": [side, side]}
    assert transform(source, "RandomCrop") == {**crop, "cat_max_ratio": 0.75}
    assert transform(target, "RandomCrop") == crop
    sampling = config["train_dataloader"]["dataset"]["rare_class_sampling"]
    assert (sampling["temperature"], sampling["min_pixels"]) == (0.01, 3000)
    assert sampling["min_crop_ratio"] == ratio
    assert config["train_dataloader"]["batch_size"] == 2
    assert config["train_cfg"]["max_iters"] == 40_000
    assert config["model"]["data_preprocessor"]["size"] == [side, side]
    wrapper = config["optim_wrapper"]
    assert wrapper["optimizer"] == {
        "type": "AdamW",
        "betas": [0.9, 0.999],
        "weight_decay": 0.01,
        "lr": 6e-4,
    }
    assert wrapper["paramwise_cfg"]["encoder_lr_mult"] == pytest.approx(0.1)
    assert wrapper["clip_grad"] is None
    warmup, decay = config["param_scheduler"]
    assert (warmup["start_factor"], warmup["begin"], warmup["end"]) == (1e-6, 0, 1501)
    assert (decay["power"], decay["begin"], decay["end"]) == (1.0, 0, 40_001)
    head = config["model"]["segmentor"]["decode_head"]
    assert (head["channels"], head["dilations"]) == (256, [1, 6, 12, 18])
    assert (head["norm_cfg"], head["dropout_ratio"]) == ({"type": "BN"}, 0.1)


@pytest.mark.parametrize("method", registry.names("method"))
def test_only_supervised_baselines_see_distorted_colours(method: str) -> None:
    source, target = pair(resolve("daformer", method))
    distorted = transform(source, "PhotoMetricDistortion") is not None
    assert distorted == (method in ("source-only", "oracle"))
    assert target is None or transform(target, "PhotoMetricDistortion") is None


def test_windows_of_1024_are_slid_over_full_images_where_crops_are_as_large() -> None:
    for method in ("hrda", "mic-hrda", "source-only"):
        rules = resolve("hrda", method)["model"]["segmentor"]["test_cfg"]
        assert (rules["mode"], rules["crop_size"], rules["stride"]) == (
            *("slide", [1024, 1024], [512, 512]),
        )
    assert resolve("daformer", "dacs")["model"]["segmentor"]["test_cfg"] == {"mode": "whole"}


def test_margins_go_with_hrdas_cityscapes_target_and_rows_with_crops_as_high_as_the_image() -> None:
    _, target = pair(resolve("hrda", "mic-hrda"))
    margins = transform(target, "AttachValidPixels")
    assert margins is not None
    assert {k: margins[k] for k in ("top", "bottom", "left", "right")} == {
        "top": 30,
        "bottom": 240,
        "left": 30,
        "right": 30,
    }
    _, adverse = pair(resolve("hrda", "mic-hrda", "cityscapes-acdc"))
    assert transform(adverse, "AttachValidPixels") is None
    assert resolve("daformer", "daformer")["model"]["ignored_rows"] == {"top": 15, "bottom": 120}
    large = resolve("hrda", "mic")["model"]
    assert large["ignored_rows"] == {"top": 30, "bottom": 240}
    assert large["masking"]["size"] == 64


def test_the_paper_suite_is_the_studys_grid(tmp_path: Path) -> None:
    paper = suite.load("paper")
    assert paper.protocol == "daformer"
    assert tuple(paper.methods) == (
        *("source-only", "source-aug", "norm-stats", "adaptsegnet", "advent", "dacs"),
        *("daformer", "mic", "oracle"),
    )
    assert tuple(paper.encoders) == ("resnet101", "mit-b5", "eva02-clip-l14")
    assert tuple(paper.shifts) == ("gta5-cityscapes", "cityscapes-acdc", "acdcref-acdc")
    cells = plan.make(paper, tmp_path).entries
    assert len(cells) == 9 * 3 * 3 * 3
    for entry in cells:
        side = 1024 if entry.cell.method == "mic" else 512
        assert entry.config["model"]["data_preprocessor"]["size"] == [side, side]
        assert entry.config["model"]["segmentor"]["decode_head"]["type"] == "DAFormerHead"
        assert entry.config["train_cfg"]["max_iters"] == 40_000
    adverse = resolve("daformer", "dacs", "cityscapes-acdc")
    source, target = pair(adverse)
    assert (transform(source, "Resize") or {})["scale"] == [1024, 512]
    assert (transform(target, "Resize") or {})["scale"] == [960, 540]
