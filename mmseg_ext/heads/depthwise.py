"""Dilated depth-wise convolution at the speed of an undilated one on the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

# Grids that are convolved together, in bytes: small enough to stay in a processor's cache between
# being gathered and being convolved, large enough that the calls themselves cost little.
_TOGETHER = 4 * 2**20

# Up to this dilation the forward kernel is as fast as without dilation (oneDNN's depth-wise kernel
# for AVX2 takes padding up to 4 pixels, that for AVX-512 up to 6: its
# jit_uni_dw_conv_kernel_utils.hpp); the backward kernels take no dilation at all.
_FAST_FORWARD = 4


class DilatedDepthwiseConv(nn.Conv2d):
    """A 3x3 depth-wise convolution without bias, zero-padded to keep the map's size.

    It computes what ``nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation,
    groups=channels, bias=False)`` computes and has the same parameters. On a CPU and for maps in
    channels-last layout, torch's kernels take many times longer for dilation > 1 than for dilation
    1. But the pixels that a dilated kernel combines are neighbours in the map's grid of every
    ``dilation``-th pixel; there are dilation x dilation such grids, and each is convolved without
    dilation, forward and backward. In the other layout torch's kernels know no such difference,
    nor do they on a GPU, and are left to their work.
    """

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__(
            channels, channels, 3, padding=dilation, dilation=dilation, groups=channels, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve a map (N, channels, h, w); the result has its layout."""
        d = int(self.dilation[0])
        channels_last = x.is_contiguous(memory_format=torch.channels_last)
        if d == 1 or x.device.type != "cpu" or not channels_last:
            return super().forward(x)
        weight = self.weight
        if torch.is_autocast_enabled("cpu"):
            dtype = torch.get_autocast_dtype("cpu")
            x, weight = x.to(dtype), weight.to(dtype)
        return _OnGrids.apply(x, weight, d)  # type: ignore[no-any-return,no-untyped-call]


class _OnGrids(torch.autograd.Function):
    """The convolution and its gradients, a few grids at a time.

    Written out, because autograd would keep a copy of the map in grids for the backward pass and
    repeat each rearrangement of the forward pass there in memory of its own.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, d: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.d = d
        if d <= _FAST_FORWARD:
            return _convolved(x, weight, d)
        map_nhwc = x.permute(0, 2, 3, 1)
        out_nhwc = torch.empty_like(map_nhwc)
        grids = _empty_grids(map_nhwc, d)
        for first in range(0, d, grids.shape[1]):
            _gather(map_nhwc, grids, first, d)
            _scatter(_convolved(_images(grids), weight, 1), out_nhwc, grids.shape, first, d)
        return out_nhwc.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        wanted = [ctx.needs_input_grad[0], ctx.needs_input_grad[1], False]
        if torch.is_grad_enabled():  # a second derivative is asked for: operations that have one
            both = _gradients(gradient, x, weight, ctx.d, wanted)
            return both[0], both[1], None
        gradient_nhwc = gradient.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)
        map_nhwc = x.permute(0, 2, 3, 1)
        # Partial sums of a narrow type would lose what its products keep.
        by_weight = torch.zeros_like(weight, dtype=torch.promote_types(weight.dtype, torch.float32))
        by_map_nhwc = torch.empty_like(map_nhwc) if wanted[0] else None
        grids, gradient_grids = _empty_grids(map_nhwc, ctx.d), _empty_grids(map_nhwc, ctx.d)
        for first in range(0, ctx.d, grids.shape[1]):
            _gather(map_nhwc, grids, first, ctx.d)
            _gather(gradient_nhwc, gradient_grids, first, ctx.d)
            by_grids, part = _gradients(_images(gradient_grids), _images(grids), weight, 1, wanted)
            if part is not None:
                by_weight += part
            if by_map_nhwc is not None and by_grids is not None:
                _scatter(by_grids, by_map_nhwc, grids.shape, first, ctx.d)
        by_map = None if by_map_nhwc is None else by_map_nhwc.permute(0, 3, 1, 2)
        return by_map, by_weight.to(weight.dtype) if wanted[1] else None, None


def _convolved(x: Tensor, weight: Tensor, d: int) -> Tensor:
    return torch.ops.aten.convolution(  # type: ignore[no-any-return]
        x, weight, None, [1, 1], [d, d], [d, d], False, [0, 0], len(weight)
    )


def _gradients(
    gradient: Tensor, x: Tensor, weight: Tensor, d: int, wanted: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients by the map and by the weight, each ``None`` unless ``wanted``."""
    by_map, by_weight, _ = torch.ops.aten.convolution_backward(
        gradient, x, weight, None, [1, 1], [d, d], [d, d], False, [0, 0], len(weight), wanted
    )
    return by_map, by_weight


def _empty_grids(map_nhwc: Tensor, d: int) -> Tensor:
    """Zeros (N, phases, d, rows, columns, C) for the grids of some row phases.

    The grid of row phase i and column phase j holds the pixels (i + d r, j + d c). As many row
    phases as fit into `_TOGETHER` are taken at once, at least one, and a divisor of d.
    """
    n, height, width, channels = map_nhwc.shape
    shape = (d, -(-height // d), -(-width // d), channels)
    of_one_phase = n * torch.Size(shape).numel() * map_nhwc.element_size()
    fitting = (
        each for each in range(d, 1, -1) if d % each == 0 and each * of_one_phase <= _TOGETHER
    )
    return map_nhwc.new_zeros(n, next(fitting, 1), *shape)


def _images(grids: Tensor) -> Tensor:
    """All grids as a batch of maps in channels-last layout."""
    return grids.flatten(0, 2).permute(0, 3, 1, 2)


def _gather(map_nhwc: Tensor, grids: Tensor, first: int, d: int) -> None:
    """Fill the grids of the row phases that begin with ``first``; cells outside the map are 0."""
    if map_nhwc.shape[1] % d:
        grids[:, :, :, -1].zero_()  # the phases before may have had a pixel here
    for pixels, cells in _twins(map_nhwc, grids, first, d):
        cells.copy_(pixels)


def _scatter(images: Tensor, map_nhwc: Tensor, shape: Sequence[int], first: int, d: int) -> None:
    """Put convolved grids, of ``shape`` as grids, back to their places in the map."""
    for pixels, cells in _twins(map_nhwc, images.permute(0, 2, 3, 1).reshape(shape), first, d):
        pixels.copy_(cells)


def _twins(map_nhwc: Tensor, grids: Tensor, first: int, d: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Views (N, row phases, column phases, rows, columns, C) of equal pixels in map and grids."""
    last = first + grids.shape[1]
    for at_rows, rows, row_phases in _runs(map_nhwc.shape[1], d):
        for at_columns, columns, column_phases in _runs(map_nhwc.shape[2], d):
            part = map_nhwc[:, at_rows * d :, at_columns * d :]
            part = part[:, : rows * row_phases, : columns * column_phases]
            part = part.unflatten(2, (columns, column_phases)).unflatten(1, (rows, row_phases))
            pixels = part.permute(0, 2, 4, 1, 3, 5)[:, first:last]
            cells = grids[:, : pixels.shape[1], :column_phases]
            yield pixels, cells[..., at_rows : at_rows + rows, at_columns : at_columns + columns, :]


def _runs(length: int, d: int) -> Iterator[tuple[int, int, int]]:
    """Cells of a grid along one side: first cell, number of cells, phases that have them all."""
    if length >= d:
        yield 0, length // d, d
    if length % d:
        yield length // d, 1, length % d
