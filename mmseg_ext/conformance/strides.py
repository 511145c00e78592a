"""The maps that an encoder returns: exact strides at every size, and the declared channels."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from mmseg_ext.conformance import build as building
from mmseg_ext.conformance.job import Job
from mmseg_ext.conformance.verdict import DoesNotApply, Failed

_WHOLE = (128, 128)  # a multiple of every stride and of patches of 8 and 16
_SIZES = ((64, 128), (65, 97), (50, 70), (33, 47))
_ALLOWED = (4, 8, 16, 32)


def strides(job: Job) -> str:
    """Each map has ceil(size / stride) cells and as many channels as the fragment says."""
    if job.kind == "method":
        raise DoesNotApply("a method takes the maps of any encoder")
    network = building.encoder(job).eval()
    channels = list(job.model["segmentor"]["decode_head"]["in_channels"])
    maps = _maps(network, _WHOLE)
    found = [tuple(level.shape[1:2]) for level in maps]
    if [count for (count,) in found] != channels:
        raise Failed(
            f"the maps have {', '.join(str(count) for (count,) in found)} channels, the fragment "
            f"says {', '.join(map(str, channels))}",
            "correct channels in the fragment",
        )
    of_each = _strides(network, maps)
    for size in _SIZES:
        for level, stride in zip(_maps(network, size), of_each, strict=True):
            expected = tuple(math.ceil(side / stride) for side in size)
            if tuple(level.shape[2:]) != expected:
                shape = "x".join(map(str, level.shape[2:]))
                raise Failed(
                    f"an image of {size[0]}x{size[1]} gives a map of {shape} at stride {stride}, "
                    f"expected {expected[0]}x{expected[1]}",
                    "round sizes up, for example with padding in strided convolutions",
                )
    sizes = ", ".join(f"{height}x{width}" for height, width in _SIZES)
    return f"{', '.join(map(str, of_each))} at {sizes}"


def _maps(network: nn.Module, size: tuple[int, int]) -> list[Tensor]:
    with torch.no_grad():
        maps = network(torch.rand(1, 3, *size))
    if not isinstance(maps, (list, tuple)) or not maps:
        raise Failed(
            f"forward returns {type(maps).__name__}", "return a tuple of maps, finest first"
        )
    return list(maps)


def _strides(network: nn.Module, maps: list[Tensor]) -> list[int]:
    """What the network declares as ``strides``, else what an image of whole cells shows."""
    shown = [_WHOLE[0] / level.shape[2] for level in maps]
    declared = getattr(network, "strides", None)
    # Networks of libraries also call what their stages stride by so, such as 4, 2, 2, 2.
    if declared is not None and all(each in _ALLOWED for each in declared):
        shown = [float(each) for each in declared]
    rising = all(a <= b for a, b in itertools.pairwise(shown))
    if shown[0] != _ALLOWED[0] or not rising or any(each not in _ALLOWED for each in shown):
        raise Failed(
            f"the maps have strides {', '.join(f'{each:g}' for each in shown)}",
            f"return maps at strides from {_ALLOWED}, the first at 4, none finer than the one "
            "before",
        )
    return [int(each) for each in shown]
