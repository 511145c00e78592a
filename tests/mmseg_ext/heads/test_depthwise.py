from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmseg_ext.heads import depthwise
from mmseg_ext.heads.depthwise import DilatedDepthwiseConv

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def plain(channels: int, dilation: int) -> nn.Conv2d:
    return nn.Conv2d(
        channels, channels, 3, padding=dilation, dilation=dilation, groups=channels, bias=False
    )


def drawn(*shape: int, layout: torch.memory_format, **options: Any) -> Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.randn(*shape, generator=random, **options).contiguous(memory_format=layout)


def results(module: nn.Module, x: Tensor, gradient: Tensor) -> tuple[Tensor, ...]:
    """Output and gradients by the map and by the weight."""
    x = x.clone().requires_grad_()
    y = module(x)
    return y.detach(), *torch.autograd.grad(y, [x, *module.parameters()], gradient)


@pytest.mark.parametrize("together", [1, depthwise._TOGETHER], ids=["a phase", "all at once"])
@pytest.mark.parametrize("dilation", [1, 2, 3, 6, 12, 18])
@pytest.mark.parametrize("size", [(16, 32), (5, 7), (13, 12), (1, 1)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_the_convolution_of_torch(
    dilation: int,
    size: tuple[int, int],
    layout: torch.memory_format,
    together: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(depthwise, "_TOGETHER", together)
    ours, theirs = DilatedDepthwiseConv(6, dilation), plain(6, dilation)
    theirs.load_state_dict(ours.state_dict())
    x = drawn(2, 6, *size, layout=layout)
    gradient = drawn(2, 6, *size, layout=torch.contiguous_format)
    actual, expected = results(ours, x, gradient), results(theirs, x, gradient)
    assert actual[0].is_contiguous(memory_format=layout)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dilation", [2, 6, 12])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_in_double_precision(dilation: int, layout: torch.memory_format) -> None:
    module = DilatedDepthwiseConv(2, dilation).double()
    x = drawn(1, 2, 5, 7, layout=layout, dtype=torch.double).requires_grad_()
    apply = torch.func.functional_call

    def run(x: Tensor, weight: Tensor) -> Any:
        return apply(module, {"weight": weight}, (x,))

    assert torch.autograd.gradcheck(run, (x, module.weight), fast_mode=True)
    assert torch.autograd.gradgradcheck(run, (x, module.weight), fast_mode=True)


@pytest.mark.parametrize("frozen", ["map", "weight"])
def test_asks_for_one_gradient_only(frozen: str) -> None:
    ours, theirs = DilatedDepthwiseConv(4, 6), plain(4, 6)
    theirs.load_state_dict(ours.state_dict())
    found = []
    for module in (ours, theirs):
        x = drawn(1, 4, 8, 9, layout=torch.channels_last).requires_grad_(frozen != "map")
        module.weight.requires_grad_(frozen != "weight")
        module(x).square().sum().backward()
        found.append((x.grad, module.weight.grad))
    (x_grad, weight_grad), expected = found
    assert (x_grad is None, weight_grad is None) == (frozen == "map", frozen == "weight")
    for actual, wanted in zip((x_grad, weight_grad), expected, strict=True):
        if wanted is not None:
            torch.testing.assert_close(actual, wanted, atol=1e-5, rtol=1e-5)


def test_keeps_its_input_and_weight_only_for_the_backward_pass() -> None:
    module = DilatedDepthwiseConv(4, 6)
    x = drawn(1, 4, 8, 9, layout=torch.channels_last).requires_grad_()
    kept: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor.data_ptr())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(x)
    assert set(kept) == {x.data_ptr(), module.weight.data_ptr()}


@pytest.mark.parametrize("dilation", [2, 6])
def test_runs_in_bfloat16_under_autocast(dilation: int) -> None:
    ours, theirs = DilatedDepthwiseConv(4, dilation), plain(4, dilation)
    theirs.load_state_dict(ours.state_dict())
    x = drawn(2, 4, 16, 20, layout=torch.channels_last)
    found = []
    for module in (ours, theirs):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = module(x)
        y.float().square().sum().backward()
        found.append((y, module.weight.grad))
    assert found[0][0].dtype == torch.bfloat16
    assert found[0][1] is not None
    assert found[0][1].dtype == torch.float32
    torch.testing.assert_close(*found, atol=0.05, rtol=0.02)


def test_a_pass_without_gradient_gives_the_same() -> None:
    module = DilatedDepthwiseConv(4, 6)
    x = drawn(2, 4, 16, 20, layout=torch.channels_last)
    with torch.no_grad():
        y = module(x)
    assert not y.requires_grad
    assert torch.equal(y, module(x))


def test_copies_and_states_are_those_of_a_convolution() -> None:
    module = DilatedDepthwiseConv(4, 6)
    assert list(module.state_dict()) == ["weight"] == list(plain(4, 6).state_dict())
    twin = copy.deepcopy(module)
    x = drawn(1, 4, 8, 9, layout=torch.channels_last)
    assert torch.equal(twin(x), module(x))
    twin.weight.data.zero_()
    assert module(x).abs().sum() > 0
