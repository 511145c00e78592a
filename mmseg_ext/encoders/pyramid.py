"""Turns the token maps of a plain vision transformer into maps at strides 4, 8, 16 and 32."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch.nn.functional as F  # noqa: N812
from timm.layers.norm import LayerNorm2d
from torch import Tensor, nn

STRIDES = (4, 8, 16, 32)


class TokenPyramid(nn.Module):
    """A simple feature pyramid, one branch a level, after ViTDet (Li et al., 2022, section 3).

    Every token map is first layer-normalised, because transformer blocks hand over their raw
    residual stream. It is then enlarged by transposed convolutions of stride 2, kept, or
    max-pooled, whichever comes nearest to the stride. Patches of 4, 8 and 16 pixels arrive exactly;
    others (14) end near it, e.g. at 3.5 pixels, and are resampled so that the output cells lie
    on the same pixels as those of a convolutional encoder. All norms are layer norms: batch
    statistics would mix source and target images.

    Args:
        in_channels: width of the transformer.
        out_channels: channels of the four outputs, finest first.
        patch: side of a patch in pixels.
    """

    def __init__(self, in_channels: int, out_channels: Sequence[int], patch: int) -> None:
        super().__init__()
        self.octaves = tuple(round(math.log2(patch / stride)) for stride in STRIDES)
        self.levels = nn.ModuleList(
            _level(in_channels, out, octaves)
            for out, octaves in zip(out_channels, self.octaves, strict=True)
        )

    def forward(
        self, maps: Sequence[Tensor], height: int, width: int, cell: tuple[float, float]
    ) -> tuple[Tensor, ...]:
        """Map four token maps to the four levels.

        Args:
            maps: four maps (N, in_channels, h, w) whose cells lie side by side from the image's
                upper left corner; they cover at least ``height`` x ``width`` pixels.
            height: rows of the image in pixels.
            width: columns of the image in pixels.
            cell: rows and columns of the image that one token covers, in pixels.

        Returns:
            For each stride s of 4, 8, 16, 32 a map (N, C, ceil(height / s), ceil(width / s)).
        """
        outputs = []
        for level, octaves, stride, tokens in zip(
            self.levels, self.octaves, STRIDES, maps, strict=True
        ):
            size = (math.ceil(height / stride), math.ceil(width / stride))
            rows, columns = (side / 2**octaves / stride for side in cell)
            outputs.append(fit(level(tokens), (rows, columns), size))
        return tuple(outputs)


class StageProjections(nn.Module):
    """Layer norm and a 1x1 convolution on each of the levels that a convolutional tower has.

    Args:
        in_channels: channels of the four stages, finest first.
        out_channels: channels of the four outputs.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: Sequence[int]) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Sequential(LayerNorm2d(inputs), nn.Conv2d(inputs, outputs, kernel_size=1))
            for inputs, outputs in zip(in_channels, out_channels, strict=True)
        )

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Project four maps (N, C_i, h_i, w_i) to their output channels."""
        return tuple(level(x) for level, x in zip(self.levels, maps, strict=True))


def fit(x: Tensor, scale: tuple[float, float], size: tuple[int, int]) -> Tensor:
    """Resample a map by ``scale`` (rows, columns) and cut it to ``size``, upper left corner fixed.

    Unlike a resize between two sizes this never stretches: a cell stays over its pixels whatever
    was padded at the right and at the bottom. Where the map ends before the last output cell's
    centre its border is repeated.
    """
    if scale != (1.0, 1.0):
        missing = [
            max(0, math.ceil(n / factor) - have)
            for n, factor, have in zip(size, scale, x.shape[2:], strict=True)
        ]
        if any(missing):
            x = F.pad(x, (0, missing[1], 0, missing[0]), mode="replicate")
        x = F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)
    return x[:, :, : size[0], : size[1]]


def _level(in_channels: int, out_channels: int, octaves: int) -> nn.Sequential:
    """Norm, then ``octaves`` doublings of the map, or as many halvings where it is negative."""
    layers: list[nn.Module] = [LayerNorm2d(in_channels)]
    channels = in_channels
    for step in range(octaves):
        if step:
            layers += [LayerNorm2d(channels), nn.GELU()]
        layers.append(nn.ConvTranspose2d(channels, out_channels, kernel_size=2, stride=2))
        channels = out_channels
    if octaves < 0:
        # ceil_mode: the last, partly covered cell belongs to the image as well.
        layers.append(nn.MaxPool2d(kernel_size=2**-octaves, ceil_mode=True))
    if channels != out_channels:
        layers.append(nn.Conv2d(channels, out_channels, kernel_size=1))
    return nn.Sequential(*layers)
