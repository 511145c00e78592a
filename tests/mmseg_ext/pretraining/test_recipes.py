"""Recipes make the same weights each time, and encoders load them whole."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mmseg_ext.datasets.minidrive.web import web_scene
from mmseg_ext.encoders import ResNetMini, TimmEncoder
from mmseg_ext.errors import EncoderError
from mmseg_ext.pretraining.__main__ import main, run
from mmseg_ext.pretraining.crop_classification import CropClassification
from mmseg_ext.pretraining.recipe import Pretrained
from mmseg_ext.pretraining.region_text import RegionTextContrast, _distinct

RESNET = {"type": "ResNetMini", "stem": 8, "stages": [8, 8, 16, 16], "blocks": [1, 1, 1, 1]}
TOWER = {
    "type": "TimmEncoder",
    "model": "eva02_base_patch16_clip_224",
    "model_args": {
        "embed_dim": 32, "depth": 4, "num_heads": 1, "patch_size": 8, "img_size": [64, 128],
    },
}  # fmt: skip
CROPS = CropClassification(scenes=3, held_out=2, iterations=2, batch_size=4, crop=32)
PAIRS = RegionTextContrast(scenes=3, held_out=2, iterations=2, images=2, embedding=16)


def trained(recipe: Any, backbone: dict[str, Any]) -> Pretrained:
    made: Pretrained = recipe.train(backbone, lambda done, total: None)
    return made


@pytest.fixture(scope="module")
def classified() -> Pretrained:
    torch.set_num_threads(1)
    return trained(CROPS, RESNET)


@pytest.fixture(scope="module")
def contrasted() -> Pretrained:
    torch.set_num_threads(1)
    return trained(PAIRS, TOWER)


def same(left: Pretrained, right: Pretrained) -> bool:
    states = [(left.weights, right.weights)]
    states += [(left.beside[name], right.beside[name]) for name in left.beside]
    return all(torch.equal(a[name], b[name]) for a, b in states for name in {*a, *b})


def test_photographs_are_a_function_of_seed_and_number() -> None:
    first = web_scene(0, 5, 64, 128)
    web_scene(3, 1, 64, 128)
    again, other = web_scene(0, 5, 64, 128), web_scene(0, 6, 64, 128)
    assert np.array_equal(first.image_rgb, again.image_rgb)
    assert np.array_equal(first.roles, again.roles)
    assert not np.array_equal(first.roles, other.roles)
    assert first.image_rgb.shape == (64, 128, 3)


def test_crop_classification_repeats_itself_bit_for_bit(classified: Pretrained) -> None:
    torch.rand(3)  # the caller's draws change nothing
    assert same(classified, trained(CROPS, RESNET))
    assert not same(classified, trained(dataclasses.replace(CROPS, seed=1), RESNET))


def test_region_text_contrast_repeats_itself_bit_for_bit(contrasted: Pretrained) -> None:
    torch.rand(3)
    assert same(contrasted, trained(PAIRS, TOWER))
    assert set(contrasted.beside) == {"text", "projection"}


def test_encoders_load_what_was_made_and_nothing_less(
    classified: Pretrained, contrasted: Pretrained, tmp_path: Path
) -> None:
    for made, build, backbone in (
        (classified, ResNetMini, RESNET),
        (contrasted, TimmEncoder, TOWER),
    ):
        file = tmp_path / "weights.safetensors"
        save_file(dict(made.weights), file)
        options = {key: value for key, value in backbone.items() if key != "type"}
        encoder = build(**options, checkpoint=str(file))
        own = getattr(encoder, "tower", encoder).state_dict()
        assert all(torch.equal(own[name], made.weights[name]) for name in own)
        assert encoder.describe()["weights"]["sha256"] == encoder.loaded.sha256


def test_scores_are_told_beside_chance(classified: Pretrained, contrasted: Pretrained) -> None:
    for made in (classified, contrasted):
        shares = made.measured["categories"].values()
        assert made.measured["accuracy"] == pytest.approx(np.mean(list(shares)), abs=1e-3)
        assert 0 < made.measured["chance"] < 0.2
    assert 0 < contrasted.measured["recall_chance"] < 0.2


def test_progress_counts_scenes_and_iterations() -> None:
    seen: list[tuple[int, int]] = []
    CROPS.train(RESNET, lambda done, total: seen.append((done, total)))
    assert seen == [(done, 7) for done in range(1, 8)]


def test_no_phrase_occurs_twice_in_a_step() -> None:
    photographs = PAIRS.photographs(0, 3)
    every = [pair.phrase for pairs in photographs.pairs for pair in pairs]
    chosen = _distinct(photographs, [0, 1, 2], 100, np.random.default_rng(0))
    assert {pair.phrase for _, pair in chosen} == set(every)
    assert len(chosen) == len(set(every))
    assert all(pair in photographs.pairs[number] for number, pair in chosen)
    assert len(_distinct(photographs, [0, 1, 2], 5, np.random.default_rng(0))) == 5


def test_a_recipe_says_what_it_cannot_train() -> None:
    with pytest.raises(EncoderError, match="ResNetMini"):
        trained(PAIRS, RESNET)


def test_a_job_writes_weights_and_facts(tmp_path: Path, classified: Pretrained) -> None:
    recipe = {"type": "CropClassification", **dataclasses.asdict(CROPS)}
    run({"backbone": RESNET, "recipe": recipe, "imports": []}, tmp_path)
    found = load_file(tmp_path / "weights.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in classified.weights.items())
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts["accuracy"] == classified.measured["accuracy"]
    assert facts["cpu_seconds"] > 0


def test_a_wrong_constant_is_named(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(torch, "use_deterministic_algorithms", lambda _: None)
    job = tmp_path / "job.json"
    job.write_text(json.dumps(
        {"backbone": RESNET, "recipe": {"type": "CropClassification", "epochs": 3}, "imports": []}
    ))  # fmt: skip
    assert main(str(job), str(tmp_path)) == 1
    assert "epochs" in capsys.readouterr().err.splitlines()[-1]
