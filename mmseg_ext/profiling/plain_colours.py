"""Colour jitter, blur and class mixing of one image at a time, as the papers tell them.

A second implementation, for the plain training step that the real one is compared with: loops
instead of batches, textbook formulas, the same random draws in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def pasted(label_hw: Tensor, candidates: Tensor) -> Tensor:
    """Where the source is pasted (H,W) bool: half of the candidate classes, drawn at random."""
    order = torch.randperm(len(candidates), device=label_hw.device)
    mask = torch.zeros_like(label_hw, dtype=torch.bool)
    for index in order[: math.ceil(len(candidates) / 2)]:
        mask |= label_hw == candidates[index]
    return mask


def augmented(
    images: Sequence[Tensor],
    mean: Tensor,
    std: Tensor,
    strength: float,
    probabilities: tuple[float, float],
    sigma: tuple[float, float],
    shared_order: bool,
) -> list[Tensor]:
    """Jitter and blur normalised images (3,H,W); whether is drawn once, how for each image.

    Args:
        mean, std: of the normalisation, (3,1,1), for values in [0, 1].
        probabilities: of the jitter and of the blur.
        sigma: range of the blur's standard deviation in pixels.
        shared_order: whether the colour operations come in one order for all images.
    """
    jitter, blur = torch.rand(2, 1)
    if jitter < probabilities[0]:
        bright, contrast, saturation = torch.empty(3, len(images)).uniform_(
            1.0 - strength, 1.0 + strength
        )
        hue = torch.empty(len(images)).uniform_(-strength, strength)
        order = torch.randperm(4).tolist() if shared_order else None
        jittered = []
        for i, image in enumerate(images):
            factors = [float(each[i]) for each in (bright, contrast, saturation, hue)]
            turn = order if order is not None else torch.randperm(4).tolist()
            jittered.append((_jittered(image * std + mean, factors, turn) - mean) / std)
        images = jittered
    if blur < probabilities[1]:
        deviations = torch.empty(len(images)).uniform_(*sigma)
        images = [_blurred(x, float(s)) for x, s in zip(images, deviations, strict=True)]
    return list(images)


def _jittered(rgb: Tensor, factors: Sequence[float], order: Sequence[int]) -> Tensor:
    brightness, contrast, saturation, turns = factors
    for operation in order:
        if operation == 0:
            rgb = (rgb + (brightness - 1.0)).clamp(0.0, 1.0)
        elif operation == 1:
            rgb = (rgb * contrast).clamp(0.0, 1.0)
        else:
            hue, saturated, value = _hsv(rgb)
            if operation == 2:
                saturated = (saturated * saturation).clamp(0.0, 1.0)
            else:
                hue = (hue + turns) % 1.0
            rgb = _rgb(hue, saturated, value)
    return rgb


def _hsv(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in turns, saturation and value of an image (3,H,W)."""
    red, green, blue = rgb
    value, low = rgb.max(dim=0).values, rgb.min(dim=0).values
    chroma = value - low
    grey = chroma == 0
    divisor = torch.where(grey, torch.ones_like(chroma), chroma)
    hue = 4.0 + (red - green) / divisor
    hue = torch.where(value == green, 2.0 + (blue - red) / divisor, hue)
    hue = torch.where(value == red, (green - blue) / divisor, hue)
    saturation = torch.where(value == 0, torch.zeros_like(value), chroma / value)
    return (hue / 6.0) % 1.0, saturation, value


def _rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """An image (3,H,W) of the hue's six sectors."""
    sector = torch.floor(hue * 6.0)
    rest = hue * 6.0 - sector
    p = value * (1.0 - saturation)
    q = value * (1.0 - saturation * rest)
    t = value * (1.0 - saturation * (1.0 - rest))
    sectors = ((value, t, p), (q, value, p), (p, value, t), (p, q, value), (t, p, value),
               (value, p, q))  # fmt: skip
    image = torch.zeros(3, *hue.shape, dtype=hue.dtype, device=hue.device)
    for number, colours in enumerate(sectors):
        here = (sector % 6) == number
        for channel, colour in enumerate(colours):
            image[channel][here] = colour[here]
    return image


def _blurred(image: Tensor, deviation: float) -> Tensor:
    """Gaussian blur along the columns, then along the rows, with reflected borders."""
    for axis in (1, 2):
        length = image.shape[axis]
        tenth = math.ceil(0.1 * length)
        size = math.floor(tenth - 0.5 + tenth % 2)
        offsets = torch.arange(size, device=image.device, dtype=image.dtype) - size // 2
        kernel = torch.exp(-(offsets**2) / (2.0 * deviation**2))
        kernel = kernel / kernel.sum()
        half = size // 2
        padding = (0, 0, half, half) if axis == 1 else (half, half, 0, 0)
        shape = (3, 1, size, 1) if axis == 1 else (3, 1, 1, size)
        weight = kernel.view(1, 1, *shape[2:]).expand(shape)
        padded = functional.pad(image[None], padding, mode="reflect")
        image = functional.conv2d(padded, weight, groups=3)[0]
    return image
