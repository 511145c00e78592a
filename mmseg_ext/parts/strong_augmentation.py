"""Strong augmentation of the DACS family: colour jitter and Gaussian blur on the device.

The colour operations are those of kornia 0.5, which DACS, DAFormer and MIC pin: brightness is
ADDED (not multiplied), contrast multiplies the value itself (not its distance from the mean), and
saturation and hue act in HSV space. Later kornia and torchvision switched to PIL's definitions,
which differ visibly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmseg_ext.parts.transfer import to_device


class StrongAugmentation(nn.Module):
    """Colour jitter, then Gaussian blur, of a batch of normalised images.

    Whether jitter and blur happen is drawn once for the batch, their strengths once for each image
    (lhoyer/DAFormer, mmseg/models/utils/dacs_transforms.py). The jitter works on values in [0, 1],
    so the batch is de-normalised around it with the statistics of the encoder in use; the blur
    works on the normalised tensor with reflected borders.

    Args:
        mean, std: the statistics (0-255 scale, RGB) the images were normalised with.
        strength: s of the jitter; factors in [1-s, 1+s], hue shift in [-s, s] turns (0.25 in DACS,
            0.2 in DAFormer, HRDA and MIC).
        jitter_probability: 0.8 in all of them (their configs say 0.2, the share NOT jittered).
        blur_probability: 0.5 in all of them.
        sigma: range of the blur's standard deviation in pixels.
        per: where it is drawn whether jitter and blur happen: once for the ``batch`` (DAFormer,
            HRDA, MIC) or for each ``image`` (VFM-UDA).
        shared_order: one random order of the four colour operations for the whole batch, which is
            faster; DACS, DAFormer and HRDA draw one for each mixed image, MIC one for all its
            masked images.
        shared_sigma: one standard deviation of the blur for the whole batch, as on MIC's masked
            images, which go through the reference's blur in one call.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: Sequence[float],
        std: Sequence[float],
        strength: float = 0.2,
        jitter_probability: float = 0.8,
        blur_probability: float = 0.5,
        sigma: tuple[float, float] = (0.15, 1.15),
        per: Literal["batch", "image"] = "batch",
        shared_order: bool = True,
        shared_sigma: bool = False,
    ) -> None:
        super().__init__()
        if per not in ("batch", "image"):
            raise ValueError(f"per of StrongAugmentation must be 'batch' or 'image', got {per!r}")
        self.per = per
        self.shared_order = shared_order
        self.shared_sigma = shared_sigma
        self.strength = strength
        self.jitter_probability = jitter_probability
        self.blur_probability = blur_probability
        self.sigma = sigma
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) / 255.0, persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1) / 255.0, persistent=False)

    @torch.no_grad()
    def forward(self, image_bchw: Tensor) -> Tensor:
        """Return an augmented copy of normalised RGB images (B,3,H,W), computed in fp32."""
        with torch.autocast(image_bchw.device.type, enabled=False):
            return self._augmented(image_bchw)

    def _augmented(self, image_bchw: Tensor) -> Tensor:
        jitter, blur = torch.rand(2, 1 if self.per == "batch" else len(image_bchw))
        jittered = (jitter < self.jitter_probability).tolist()
        blurred = (blur < self.blur_probability).tolist()
        if any(jittered):
            colour = image_bchw * self.std + self.mean
            image_bchw = _where(jittered, (self._jitter(colour) - self.mean) / self.std, image_bchw)
        if any(blurred):
            low, high = self.sigma
            sigma_b = torch.empty(1 if self.shared_sigma else len(image_bchw)).uniform_(low, high)
            sigma_b = _beside(image_bchw, sigma_b).expand(len(image_bchw))
            image_bchw = _where(blurred, gaussian_blur(image_bchw, sigma_b), image_bchw)
        return image_bchw

    def _jitter(self, rgb: Tensor) -> Tensor:
        count, s = len(rgb), self.strength
        scales, hue = torch.empty(3, count).uniform_(1.0 - s, 1.0 + s), torch.empty(1, count)
        factors = _beside(rgb, torch.cat([scales, hue.uniform_(-s, s)])).unbind()
        if self.shared_order:
            return _in_random_order(rgb, factors)
        images = [
            _in_random_order(rgb[i : i + 1], [factor[i : i + 1] for factor in factors])
            for i in range(count)
        ]
        return torch.cat(images)


def _in_random_order(rgb: Tensor, factors: Sequence[Tensor]) -> Tensor:
    operations = (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue)
    for index in torch.randperm(4).tolist():
        rgb = operations[index](rgb, factors[index])
    return rgb


def _where(chosen: list[bool], changed: Tensor, image_bchw: Tensor) -> Tensor:
    if all(chosen):
        return changed
    chosen_b = to_device(torch.tensor(chosen), changed.device)
    return torch.where(chosen_b.view(-1, 1, 1, 1), changed, image_bchw)


def _beside(image: Tensor, drawn: Tensor) -> Tensor:
    """Numbers drawn on the host, in the type and on the device of an image."""
    return to_device(drawn.to(image.dtype), image.device)


def adjust_brightness(rgb: Tensor, factor_b: Tensor) -> Tensor:
    """Add ``factor - 1`` and clamp to [0, 1]."""
    return (rgb + (factor_b.view(-1, 1, 1, 1) - 1.0)).clamp(0.0, 1.0)


def adjust_contrast(rgb: Tensor, factor_b: Tensor) -> Tensor:
    """Multiply by ``factor`` and clamp to [0, 1]."""
    return (rgb * factor_b.view(-1, 1, 1, 1)).clamp(0.0, 1.0)


def adjust_saturation(rgb: Tensor, factor_b: Tensor) -> Tensor:
    """Multiply the saturation in HSV space by ``factor``, at most to 1."""
    hue, saturation, value = _rgb_to_hsv(rgb)
    return _hsv_to_rgb(hue, (saturation * factor_b.view(-1, 1, 1)).clamp(0.0, 1.0), value)


def adjust_hue(rgb: Tensor, turns_b: Tensor) -> Tensor:
    """Rotate the hue in HSV space by ``turns`` of the full circle."""
    hue, saturation, value = _rgb_to_hsv(rgb)
    return _hsv_to_rgb((hue + turns_b.view(-1, 1, 1)) % 1.0, saturation, value)


def _rgb_to_hsv(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in turns [0, 1), saturation and value in [0, 1], each (B,H,W)."""
    value, arg = rgb.max(dim=1)
    chroma = value - rgb.min(dim=1).values
    red, green, blue = rgb.unbind(dim=1)
    safe = torch.where(chroma == 0, torch.ones_like(chroma), chroma)
    sector = torch.where(
        arg == 0,
        (green - blue) / safe,
        torch.where(arg == 1, 2.0 + (blue - red) / safe, 4.0 + (red - green) / safe),
    )
    saturation = chroma / torch.where(value == 0, torch.ones_like(value), value)
    return (sector / 6.0) % 1.0, saturation, value


def _hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    # channel_n = v - v*s*max(0, min(k, 4-k, 1)) with k = (n + 6h) mod 6 and n = 5, 3, 1.
    offset = torch.arange(5, 0, -2, device=hue.device, dtype=hue.dtype).view(1, 3, 1, 1)
    k = (offset + hue[:, None] * 6.0) % 6.0
    ramp = torch.minimum(torch.minimum(k, 4.0 - k), torch.ones_like(k)).clamp(min=0.0)
    return value[:, None] * (1.0 - saturation[:, None] * ramp)


def blur_kernel_size(length: int) -> int:
    """Odd kernel length for an image side of ``length`` pixels: about a tenth of it (512 -> 51)."""
    tenth = math.ceil(0.1 * length)
    return math.floor(tenth - 0.5 + tenth % 2)


def gaussian_blur(image_bchw: Tensor, sigma_b: Tensor) -> Tensor:
    """Separable Gaussian blur with one standard deviation an image and reflected borders."""
    batch, channels, height, width = image_bchw.shape
    flat = image_bchw.reshape(1, batch * channels, height, width)
    for axis, length in ((2, height), (3, width)):
        size = blur_kernel_size(length)
        offsets = torch.arange(size, device=flat.device, dtype=flat.dtype) - size // 2
        kernel = torch.exp(-(offsets**2) / (2.0 * sigma_b[:, None] ** 2))
        kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
        half = size // 2
        if axis == 2:
            padded = functional.pad(flat, (0, 0, half, half), mode="reflect")
            flat = functional.conv2d(padded, kernel[:, None, :, None], groups=batch * channels)
        else:
            padded = functional.pad(flat, (half, half, 0, 0), mode="reflect")
            flat = functional.conv2d(padded, kernel[:, None, None, :], groups=batch * channels)
    return flat.view_as(image_bchw)
