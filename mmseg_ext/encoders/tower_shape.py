"""What a tower looks like from outside, and whether what is asked of it fits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from mmseg_ext.encoders.pyramid import STRIDES
from mmseg_ext.encoders.tower import Tower
from mmseg_ext.errors import EncoderError


def stages(network: Any) -> Any:
    """The stages of a convolutional network, an empty tuple where there are none."""
    return getattr(network, "stages", None) or getattr(network, "layers", ())


def patch_side(tower: Tower) -> int | None:
    """Side of a patch in pixels, ``None`` for a tower that works in stages.

    Raises:
        EncoderError: the tower is neither.
    """
    network = tower.network
    reductions = {entry["reduction"] for entry in getattr(network, "feature_info", ())}
    needed = ("forward_intermediates", "prune_intermediate_layers")
    if all(hasattr(network, name) for name in needed):
        if set(STRIDES) <= reductions:
            return None
        embedding = getattr(network, "patch_embed", None)
        size = getattr(embedding, "patch_size", 0)
        rows, columns = size if isinstance(size, (tuple, list)) else (size, size)
        if hasattr(embedding, "backbone"):
            rows = columns = 0  # a convolutional network stands before the patches
        if hasattr(network, "blocks") and hasattr(network, "embed_dim") and rows == columns > 0:
            return int(rows)
    raise EncoderError(
        f"{tower.name} is neither a plain vision transformer with square patches nor a network "
        f"with stages at strides {STRIDES}; choose one such as eva02_*, vit_* or convnext_*"
    )


def checked_layers(tower: Tower, layers: Sequence[int] | None) -> tuple[int, ...]:
    """Indices of the four maps that become the levels; see ``feature_layers`` of `TowerEncoder`.

    Raises:
        EncoderError: they are not four ascending indices of the tower's blocks.
    """
    network = tower.network
    if patch_side(tower) is None:
        if layers is not None:
            raise EncoderError(
                f"feature_layers of {tower.name} must be left out: its stages are the levels"
            )
        strides = [entry["reduction"] for entry in network.feature_info]
        return tuple(len(strides) - 1 - strides[::-1].index(stride) for stride in STRIDES)
    depth = len(network.blocks)
    if layers is None:
        return tuple(max(0, depth * (level + 1) // len(STRIDES) - 1) for level in range(4))
    chosen = tuple(layers) if isinstance(layers, Sequence) else ()
    numbers = len(chosen) == len(STRIDES) and all(type(layer) is int for layer in chosen)
    ascending = numbers and all(a <= b for a, b in itertools.pairwise(chosen))
    if not ascending or chosen[0] < 0 or chosen[-1] >= depth:
        raise EncoderError(
            f"feature_layers of {tower.name} is {layers!r}, expected {len(STRIDES)} indices "
            f"of its {depth} blocks, from 0 to {depth - 1} and none below the one before it"
        )
    return chosen


def own_channels(tower: Tower, layers: Sequence[int]) -> tuple[int, ...]:
    """Channels of the tower's own maps at these layers."""
    if patch_side(tower) is not None:
        return (int(tower.network.embed_dim),) * len(STRIDES)
    return tuple(int(tower.network.feature_info[layer]["num_chs"]) for layer in layers)


def checked_channels(channels: int | Sequence[int]) -> tuple[int, ...]:
    """Four channel numbers from one or four. Raises ``EncoderError``."""
    chosen: tuple[Any, ...] = (channels,) * len(STRIDES)
    if isinstance(channels, Sequence):
        chosen = tuple(channels)
    if len(chosen) != len(STRIDES) or any(type(c) is not int or c < 1 for c in chosen):
        raise EncoderError(
            f"out_channels is {channels!r}, expected one positive number or {len(STRIDES)} of them"
        )
    return chosen


def resample_patches(network: Any, patch: int) -> int:
    """Resample the patch kernel to the nearest power of two and return its side.

    The image size of the tower is changed with it, so that the grid, and with it the position
    table and the scale of rotary positions, stay those of the pre-training.
    """
    side = 2 ** round(math.log2(patch))
    if side != patch:
        rows, columns = network.patch_embed.grid_size
        network.set_input_size(img_size=(rows * side, columns * side), patch_size=(side, side))
    return side
