"""Whole models of open_clip: every layout of a checkpoint, loaded whole or refused by name."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from mmseg_ext.errors import EncoderError, WeightsError
from mmseg_ext.zero_shot.whole_clip import whole_clip

DEFINITION = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"width": 64, "heads": 2, "layers": 1},
}


@pytest.fixture(autouse=True, scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("definitions")
    custom = {**DEFINITION, "custom_text": True}
    for name, definition in (("whole-plain", DEFINITION), ("whole-custom", custom)):
        (folder / f"{name}.json").write_text(json.dumps(definition))
    open_clip.add_model_config(folder)


def saved(name: str, path: Path, **more: torch.Tensor) -> Any:
    torch.manual_seed(3)
    model = open_clip.create_model(name).eval()
    save_file({k: v.contiguous() for k, v in model.state_dict().items()} | more, path)
    return model


@pytest.mark.parametrize(
    ("file", "built"),
    [
        ("whole-plain", "whole-plain"),
        ("whole-custom", "whole-custom"),
        ("whole-plain", "whole-custom"),
    ],
)
def test_a_checkpoint_gives_the_features_it_was_saved_with(
    file: str, built: str, tmp_path: Path, caplog: Any
) -> None:
    """The last: as open_clip itself, files from before text towers had a name of their own."""
    path = tmp_path / "w.safetensors"
    original = saved(file, path, input_resolution=torch.tensor(32))
    caplog.clear()
    whole = whole_clip(built, "any", path)
    assert "random" not in caplog.text
    assert logging.root.manager.disable == logging.NOTSET
    words, images = whole.tokenize(["a photo of a road"]), torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(whole.model.eval().encode_text(words), original.encode_text(words))
        assert torch.equal(whole.model.encode_image(images), original.encode_image(images))
    assert whole.loaded.file == "w.safetensors"
    assert whole.statistics.mean[0] == pytest.approx(255 * 0.48145466)


def test_the_activation_is_that_of_openai_s_weights(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    saved("whole-plain", path)
    plain, quick = (whole_clip("whole-plain", tag, path).model for tag in ("any", "openai"))
    kinds = [
        type(each.visual.transformer.resblocks[0].mlp.gelu).__name__ for each in (plain, quick)
    ]
    assert kinds == ["GELU", "QuickGELU"]


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no model 'nothing'"):
        whole_clip("nothing", "any", tmp_path / "w.safetensors")
    path = tmp_path / "w.safetensors"
    state = saved("whole-plain", path).state_dict()
    del state["token_embedding.weight"]
    save_file({k: v.contiguous() for k, v in state.items() if k.startswith("visual.")}, path)
    with pytest.raises(WeightsError, match="no text tower"):
        whole_clip("whole-plain", "any", path)
    save_file({"token_embedding.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(WeightsError, match="missing"):
        whole_clip("whole-plain", "any", path)
