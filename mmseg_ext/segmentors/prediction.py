"""What a segmentor says of a training batch, and the loss of that against labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor
from torch.nn import functional

CrossEntropy = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""Loss of logits (B,C,H,W) against labels (B,H,W), with a weight for each pixel or ``None``."""


@dataclass(frozen=True)
class Box:
    """A rectangle of an image in pixels."""

    top: int
    left: int
    height: int
    width: int

    def of(self, map_xhw: Tensor) -> Tensor:
        """The part of a map (..., H, W) inside the box."""
        rows = slice(self.top, self.top + self.height)
        return map_xhw[..., rows, self.left : self.left + self.width]

    def on_grid(self, cell: int) -> Box:
        """The box in cells of ``cell`` pixels; its sides must lie on the grid."""
        return Box(*(side // cell for side in (self.top, self.left, self.height, self.width)))


@dataclass(frozen=True)
class Detail:
    """Logits (B,C,h,w) of a crop of the images, at the crop's size, and their share in the loss."""

    logits_bchw: Tensor
    box: Box
    share: float


@dataclass(frozen=True)
class Prediction:
    """A student's answer to a training batch.

    Attributes:
        logits_bchw: at the size of the images.
        features: levels of the encoder, finest first.
        encoded_bchw: the images the features were computed from; HRDA encodes them at half size.
        detail: a second look at a part of the images, if the segmentor takes one.
    """

    logits_bchw: Tensor
    features: Sequence[Tensor]
    encoded_bchw: Tensor
    detail: Detail | None = None


@runtime_checkable
class TrainsOnDetail(Protocol):
    """A segmentor whose predictions in training are more than an encoder and a decoder make."""

    def observe(self, image_bchw: Tensor) -> Prediction:
        """Predict a training batch."""


def segmentation_loss(
    cross_entropy: CrossEntropy,
    prediction: Prediction,
    label_bhw: Tensor,
    weight_bhw: Tensor | None = None,
) -> Tensor:
    """Cross-entropy of a prediction.

    With a detail crop it is (1 - share) CE(whole) + share CE(crop), each term a mean over its own
    pixels (Hoyer et al., "HRDA", ECCV 2022, equation 9).
    """
    loss = cross_entropy(prediction.logits_bchw, label_bhw, weight_bhw)
    if prediction.detail is None:
        return loss
    detail = prediction.detail
    weight = None if weight_bhw is None else detail.box.of(weight_bhw)
    near = cross_entropy(detail.logits_bchw, detail.box.of(label_bhw), weight)
    return (1.0 - detail.share) * loss + detail.share * near


def upsample(map_bchw: Tensor, image_bchw: Tensor) -> Tensor:
    """A map in fp32, whatever the network's precision, resized to the size of its image."""
    size = image_bchw.shape[2:]
    return functional.interpolate(map_bchw.float(), size, mode="bilinear", align_corners=False)
