"""FDA: training on source images with the low-frequency amplitudes of target images.

Yang and Soatto, "FDA: Fourier Domain Adaptation for Semantic Segmentation", CVPR 2020
(arXiv 2004.05498; YanchaoYang/FDA), equations 3 to 6: one network, one band. The paper's rounds of
self-training with the mean of several bands (equations 7 to 9) are not part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from mmseg_ext.errors import MethodError
from mmseg_ext.methods.base import Batch, Term, UDAMethod
from mmseg_ext.parts.entropy import self_information
from mmseg_ext.registry import MODELS
from mmseg_ext.segmentors.prediction import segmentation_loss


@MODELS.register_module()
class FDA(UDAMethod):
    """L = CE(f(x_{S->T}), y_S) + lambda mean rho(H(f(x_T))).

    x_{S->T} is the source image with the low-frequency amplitudes of the target image beside it in
    the batch, H the entropy of a pixel's prediction and rho the Charbonnier penalty. As in the
    reference, H is divided by the logarithm of the number of classes, which the paper's equation 5
    leaves out and the paper's lambda needs.

    Args:
        beta: half the width of the window of swapped frequencies, as a share of the image's sides;
            the paper has 0.01, 0.05 and 0.09. 0 swaps nothing.
        entropy_weight: lambda, 0.005 in the paper; ``None`` leaves the entropy term out.
        eta: exponent of the penalty, 2 in the paper.
        **common: arguments of `UDAMethod`.
    """

    def __init__(
        self,
        beta: float = 0.01,
        entropy_weight: float | None = 0.005,
        eta: float = 2.0,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        if not 0.0 <= beta <= 1.0:
            raise MethodError(f"FDA: beta is a share of the image's sides, 0 to 1, got {beta}")
        self.beta = beta
        self.entropy_weight = entropy_weight
        self.eta = eta

    def training_terms(self, batch: Batch) -> Iterator[Term]:
        if batch.target_image is None:
            raise MethodError(
                "FDA needs target images; its data set was built without a target domain"
            )
        # On pixel values: the frequency 0 of a normalised image may be negative, and an amplitude
        # that is swapped there loses its sign.
        source, target = self.pixels(batch.source_image), self.pixels(batch.target_image)
        mixed = self.normalised(swap_low_frequencies(source, target, self.beta))
        prediction = self.predict(mixed)
        yield Term("source", segmentation_loss(self.cross_entropy, prediction, batch.source_label))

        if self.entropy_weight is not None:
            logits = self.segment(self.student, batch.target_image)
            entropy = self_information(logits).sum(dim=1)
            loss = self.entropy_weight * charbonnier(entropy, self.eta).mean()
            yield Term("entropy", loss, {"target_entropy": entropy.mean()})

    def pixels(self, image_bchw: Tensor) -> Tensor:
        """Normalised images as the pixel values that they were, 0 to 255."""
        return image_bchw * self.data_preprocessor.std + self.data_preprocessor.mean

    def normalised(self, pixels_bchw: Tensor) -> Tensor:
        """Pixel values as the network takes them."""
        return (pixels_bchw - self.data_preprocessor.mean) / self.data_preprocessor.std


def swap_low_frequencies(source_bchw: Tensor, target_bchw: Tensor, beta: float) -> Tensor:
    """The source images with the target images' amplitudes at low frequencies (equation 3).

    Swapped are the frequencies with |k| < beta H along the height and |k| < beta W along the width,
    in cycles an image, of each channel; every phase stays the source's. The window leaves its ends
    out: it is symmetric then, so the result is real, and empty for ``beta`` 0, as the paper asks.
    """
    height, width = source_bchw.shape[-2:]
    row = torch.arange(height, device=source_bchw.device)[:, None]
    column = torch.arange(width // 2 + 1, device=source_bchw.device)
    # Rows behind the middle are the negative frequencies; rfft2 leaves those of columns out.
    is_low = (torch.minimum(row, height - row) < beta * height) & (column < beta * width)
    source = torch.fft.rfft2(source_bchw)
    target = torch.fft.rfft2(target_bchw)
    amplitude = torch.where(is_low, target.abs(), source.abs())
    return torch.fft.irfft2(torch.polar(amplitude, source.angle()), s=(height, width))


def charbonnier(value: Tensor, eta: float) -> Tensor:
    """rho(x) = (x^2 + 0.001^2)^eta, below equation 5: above eta 0.5 it is steepest for large x."""
    return (value**2 + 0.001**2) ** eta
