from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from mmseg_ext.encoders import MixTransformer
from mmseg_ext.encoders.mix_transformer import ChannelsLastFFN
from mmseg_ext.errors import EncoderError, WeightsError
from mmseg_ext.registry import MODELS

# mmseg needs the operators that the registry's module provides: import it afterwards.
from mmseg.models.backbones.mit import MixFFN  # isort: skip

HEADS, REDUCTIONS = (1, 2, 5, 8), (8, 4, 2, 1)


def original_state(encoder: MixTransformer) -> dict[str, Tensor]:
    """Random tensors under the names that NVlabs/SegFormer gives them."""
    torch.manual_seed(0)
    state: dict[str, Tensor] = {}

    def norm(name: str, width: int) -> None:
        state[f"{name}.weight"] = 1 + 0.3 * torch.randn(width)
        state[f"{name}.bias"] = 0.3 * torch.randn(width)

    def affine(name: str, *shape: int) -> None:
        fan = torch.Size(shape[1:]).numel()
        state[f"{name}.weight"] = torch.randn(*shape) / fan**0.5
        state[f"{name}.bias"] = 0.3 * torch.randn(shape[0])

    before = 3
    for index, (heads, reduction) in enumerate(zip(HEADS, REDUCTIONS, strict=True)):
        stage, width = index + 1, encoder.embed_dims * heads
        kernel = 7 if stage == 1 else 3
        affine(f"patch_embed{stage}.proj", width, before, kernel, kernel)
        norm(f"patch_embed{stage}.norm", width)
        for block in range(encoder.num_layers[index]):
            name = f"block{stage}.{block}"
            norm(f"{name}.norm1", width)
            affine(f"{name}.attn.q", width, width)
            affine(f"{name}.attn.kv", 2 * width, width)
            affine(f"{name}.attn.proj", width, width)
            if reduction > 1:
                affine(f"{name}.attn.sr", width, width, reduction, reduction)
                norm(f"{name}.attn.norm", width)
            norm(f"{name}.norm2", width)
            affine(f"{name}.mlp.fc1", 4 * width, width)
            affine(f"{name}.mlp.dwconv.dwconv", 4 * width, 1, 3, 3)
            affine(f"{name}.mlp.fc2", width, 4 * width)
        norm(f"norm{stage}", width)
        before = width
    affine("head", 10, before)
    return state


def published_forward(state: dict[str, Tensor], depths: list[int], x: Tensor) -> list[Tensor]:
    """Xie et al. (2021), section 3.1, written out on the original tensors."""

    def linear(name: str, t: Tensor) -> Tensor:
        return F.linear(t, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(name: str, t: Tensor, eps: float) -> Tensor:
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return F.layer_norm(t, weight.shape, weight, bias, eps)

    outputs = []
    for index, (heads, reduction) in enumerate(zip(HEADS, REDUCTIONS, strict=True)):
        stage = index + 1
        kernel, stride = (7, 4) if stage == 1 else (3, 2)
        embed = f"patch_embed{stage}"
        weight, bias = state[f"{embed}.proj.weight"], state[f"{embed}.proj.bias"]
        x = F.conv2d(x, weight, bias, stride=stride, padding=kernel // 2)
        n, width, rows, columns = x.shape
        t = norm(f"{embed}.norm", x.flatten(2).transpose(1, 2), 1e-5)
        for block in range(depths[index]):
            name = f"block{stage}.{block}"
            y = norm(f"{name}.norm1", t, 1e-6)
            q = linear(f"{name}.attn.q", y)
            reduced = y
            if reduction > 1:
                grid = y.transpose(1, 2).reshape(n, width, rows, columns)
                sr = f"{name}.attn.sr"
                grid = F.conv2d(grid, state[f"{sr}.weight"], state[f"{sr}.bias"], stride=reduction)
                reduced = norm(f"{name}.attn.norm", grid.flatten(2).transpose(1, 2), 1e-5)
            k, v = linear(f"{name}.attn.kv", reduced).chunk(2, dim=-1)
            q, k, v = (each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in (q, k, v))
            attention = (q @ k.transpose(-2, -1) / (width // heads) ** 0.5).softmax(-1)
            t = t + linear(f"{name}.attn.proj", (attention @ v).transpose(1, 2).flatten(2))
            y = linear(f"{name}.mlp.fc1", norm(f"{name}.norm2", t, 1e-6))
            grid = y.transpose(1, 2).reshape(n, 4 * width, rows, columns)
            dw = f"{name}.mlp.dwconv.dwconv"
            weight, bias = state[f"{dw}.weight"], state[f"{dw}.bias"]
            grid = F.conv2d(grid, weight, bias, padding=1, groups=4 * width)
            t = t + linear(f"{name}.mlp.fc2", F.gelu(grid.flatten(2).transpose(1, 2)))
        x = norm(f"norm{stage}", t, 1e-6).transpose(1, 2).reshape(n, width, rows, columns)
        outputs.append(x)
    return outputs


def saved(tmp_path: Path, state: dict[str, Tensor]) -> str:
    torch.save({"state_dict": state}, tmp_path / "mit.pth")
    return str(tmp_path / "mit.pth")


@pytest.mark.parametrize("size", [(64, 64), (96, 160)])
def test_original_file_gives_the_published_network(tmp_path: Path, size: tuple[int, int]) -> None:
    state = original_state(MixTransformer("b0"))
    encoder = MixTransformer("b0", checkpoint=saved(tmp_path, state)).eval()
    assert encoder.loaded is not None
    assert encoder.loaded.layout == "original"
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        expected = published_forward(state, [2, 2, 2, 2], images)
        for ours, theirs in zip(encoder(images), expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [(64, 64), (65, 90), (100, 67)])
def test_strides_are_exact_at_any_size(size: tuple[int, int]) -> None:
    with torch.no_grad():
        outputs = MixTransformer("b0").eval()(torch.randn(1, 3, *size))
    assert [tuple(each.shape) for each in outputs] == [
        (1, width, -(-size[0] // s), -(-size[1] // s))
        for width, s in zip((32, 64, 160, 256), (4, 8, 16, 32), strict=True)
    ]


def test_b5_has_the_published_size_and_stochastic_depth() -> None:
    encoder = MixTransformer("b5")
    assert sum(p.numel() for p in encoder.parameters()) == 81_443_008
    rates = [
        float(getattr(block.ffn.dropout_layer, "drop_prob", 0.0))
        for layer in encoder.layers
        for block in layer[1]
    ]
    torch.testing.assert_close(torch.tensor(rates), torch.linspace(0, 0.1, 52))


@pytest.mark.parametrize("hw", [(6, 10), (1, 3)])
def test_feed_forward_layers_are_those_of_mmsegmentation(hw: tuple[int, int]) -> None:
    torch.manual_seed(3)
    ours = MixTransformer("b0").layers[1][1][0].ffn
    assert type(ours) is ChannelsLastFFN
    theirs = copy.deepcopy(ours)
    theirs.__class__ = MixFFN
    tokens, gradient, shortcut = torch.randn(3, 2, hw[0] * hw[1], 64).unbind()
    for identity in (None, shortcut):
        found = []
        for module in (ours, theirs):
            x = tokens.clone().requires_grad_()
            y = module.eval()(x, hw, identity)
            found.append((y, *torch.autograd.grad(y, [x, *module.parameters()], gradient)))
        torch.testing.assert_close(*found, rtol=1e-5, atol=1e-5)


def test_own_layout_and_segmentor_prefix_are_known(tmp_path: Path) -> None:
    torch.manual_seed(1)
    state = {k: torch.randn(v.shape) for k, v in MixTransformer("b0").state_dict().items()}
    for prefix in ("", "backbone."):
        path = saved(tmp_path, {f"{prefix}{key}": value for key, value in state.items()})
        found = MixTransformer("b0", checkpoint=path).state_dict()
        assert all(torch.equal(found[key], value) for key, value in state.items())


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("block2.1.attn.q.weight", r"layers\.1\.1\.1\.attn\.attn\.in_proj_weight"),
        ("block2.1.attn.kv.bias", r"layers\.1\.1\.1\.attn\.attn\.in_proj_bias"),
        ("norm3.bias", r"layers\.2\.2\.bias"),
        ("patch_embed4.proj.weight", r"layers\.3\.0\.projection\.weight"),
    ],
)
@pytest.mark.parametrize("kind", ["renamed", "dropped", "reshaped"])
def test_a_file_with_one_wrong_tensor_is_refused_by_its_name(
    key: str, shown: str, kind: str, tmp_path: Path
) -> None:
    state = original_state(MixTransformer("b0"))
    value = state.pop(key)
    if kind == "renamed":
        state[f"{key}_"] = value
    elif kind == "reshaped":
        state[key] = value[:-1].clone()
    with pytest.raises(WeightsError, match=shown):
        MixTransformer("b0", checkpoint=saved(tmp_path, state))


def test_loaded_weights_survive_init_weights(tmp_path: Path) -> None:
    path = saved(tmp_path, original_state(MixTransformer("b0")))
    encoder = MODELS.build({"type": "MixTransformer", "variant": "b0", "checkpoint": path})
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    encoder.init_weights()
    assert all(torch.equal(value, before[key]) for key, value in encoder.state_dict().items())
    plain = MixTransformer("b0")
    first = plain.layers[0][1][0].ffn.layers[0].weight
    drawn = first.clone()
    plain.init_weights()
    assert not torch.equal(first, drawn)


def test_weights_without_a_file_are_a_named_error() -> None:
    with pytest.raises(WeightsError, match=r"mit_b5\.pth.*give it as checkpoint"):
        MixTransformer("b5", pretrained="imagenet")
    with pytest.raises(EncoderError, match="variant is 'b6'"):
        MixTransformer("b6")
