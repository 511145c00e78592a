"""Adversary on the output space: a discriminator that tells source from target predictions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmseg_ext.errors import ExtensionError
from mmseg_ext.parts.entropy import self_information

SOURCE, TARGET = 0.0, 1.0
"""What the discriminator is to say of a prediction on either domain."""


class AdversaryError(ExtensionError):
    """A discriminator whose configuration or input cannot work: names the value at fault."""


class Discriminator(nn.Module):
    """Fully convolutional discriminator of AdaptSegNet and ADVENT.

    ``layers`` convolutions with kernel 4, stride 2 and padding 1, widths ndf, 2 ndf, 4 ndf, ... and
    1 at the end, LeakyReLU(0.2) after all but the last; no norm, no sigmoid, no upsampling
    (wasidennis/AdaptSegNet, model/discriminator.py; valeoai/ADVENT, advent/model/discriminator.py).
    With the defaults and 19 classes it has 2,781,121 parameters and sees 94 pixels; with 3 layers
    it sees 22.

    Its weights are drawn from a copy of torch's random state: with and without a discriminator, a
    student built from the same seed starts from the same weights.

    Args:
        in_channels: channels of the map it judges, one a class.
        ndf: channels of the first convolution (64 in both papers).
        layers: number of convolutions (5 in both papers); fewer for small images.
    """

    def __init__(self, in_channels: int, ndf: int = 64, layers: int = 5) -> None:
        super().__init__()
        if min(in_channels, ndf) < 1 or layers < 2:
            raise AdversaryError(
                f"discriminator with in_channels={in_channels}, ndf={ndf}, layers={layers}: "
                "expected at least one channel, ndf of at least 1 and at least 2 layers"
            )
        self.smallest_side = 2**layers
        widths = [in_channels, *(ndf * 2**level for level in range(layers - 1))]
        blocks: list[nn.Module] = []
        with torch.random.fork_rng(devices=[]):
            for inputs, outputs in itertools.pairwise(widths):
                blocks += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
            blocks.append(nn.Conv2d(widths[-1], 1, 4, stride=2, padding=1))
        self.blocks = nn.Sequential(*blocks)

    def forward(self, map_bchw: Tensor) -> Tensor:
        """Return raw scores (B,1,H/2^layers,W/2^layers), sizes rounded down.

        Raises:
            AdversaryError: a side of the map is so short that nothing would be left of it.
        """
        if min(map_bchw.shape[2:]) < self.smallest_side:
            height, width = map_bchw.shape[2:]
            raise AdversaryError(
                f"the discriminator halves its input {self.smallest_side.bit_length() - 1} times "
                f"and got a map of {height}x{width} pixels, expected at least "
                f"{self.smallest_side} on each side; use larger crops or fewer layers"
            )
        scores: Tensor = self.blocks(map_bchw)
        return scores


@dataclass(frozen=True)
class Verdict:
    """The discriminator's loss, and the share of its scores on the right side (both scalars)."""

    loss: Tensor
    accuracy: Tensor


@dataclass(frozen=True)
class OutputAdversary:
    """The game between a student and a discriminator of its predictions.

    Tsai et al., "Learning to Adapt Structured Output Space for Semantic Segmentation", CVPR 2018
    (wasidennis/AdaptSegNet, train_gta2cityscapes_multi.py), and ADVENT, which differs in what the
    discriminator sees. Source is labelled 0, target 1; pixels without ground truth are judged like
    all others. Everything is computed in fp32, also under autocast.

    Args:
        adapter: what the discriminator sees of the logits: their ``softmax`` (AdaptSegNet) or the
            ``self_information`` of it (ADVENT).
        gan_loss: ``bce`` (with logits) or ``ls``, least squares on the raw scores; means over all
            scores.
        weight: lambda_adv, the factor on the student's adversarial loss (0.001 in both papers; 0.01
            for AdaptSegNet's least-squares variant).
        scale: side of the judged map over the side of the logits; 0.5 is what lhoyer/HRDA does
            with its fused logits, 1 resizes nothing.
    """

    adapter: Literal["softmax", "self_information"] = "softmax"
    gan_loss: Literal["bce", "ls"] = "bce"
    weight: float = 0.001
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name, value, known in (
            ("adapter", self.adapter, _ADAPTERS),
            ("gan_loss", self.gan_loss, _GAN_LOSSES),
        ):
            if value not in known:
                raise AdversaryError(
                    f"{name} of the adversary is {value!r}, expected one of {', '.join(known)}"
                )
        if self.weight < 0 or self.scale <= 0:
            raise AdversaryError(
                f"adversary with weight={self.weight} and scale={self.scale}: expected a weight of "
                "at least 0 and a scale above 0"
            )

    def generator_loss(self, discriminator: nn.Module, target_logits: Tensor) -> Tensor:
        """``weight`` times the loss of the student, who wants target predictions called source.

        The gradient goes through the discriminator to the logits (B,C,H,W) and leaves none in the
        discriminator itself.
        """
        with _frozen(discriminator):
            scores = self._scores(discriminator, target_logits)
        return self.weight * self._loss(scores, SOURCE)

    def discriminator_loss(
        self, discriminator: nn.Module, source_logits: Tensor, target_logits: Tensor
    ) -> Verdict:
        """Half the loss on source plus half the loss on target predictions, both detached."""
        source = self._scores(discriminator, source_logits.detach())
        target = self._scores(discriminator, target_logits.detach())
        loss = 0.5 * self._loss(source, SOURCE) + 0.5 * self._loss(target, TARGET)
        # A score on the fence counts as target.
        fence = 0.0 if self.gan_loss == "bce" else 0.5
        right = torch.cat([(source < fence).flatten(), (target >= fence).flatten()])
        return Verdict(loss, right.float().mean())

    def _scores(self, discriminator: nn.Module, logits_bchw: Tensor) -> Tensor:
        with torch.autocast(logits_bchw.device.type, enabled=False):
            logits = logits_bchw.float()
            if self.scale != 1.0:
                logits = functional.interpolate(
                    logits, scale_factor=self.scale, mode="bilinear", align_corners=False
                )
            scores: Tensor = discriminator(_ADAPTERS[self.adapter](logits))
        return scores

    def _loss(self, scores: Tensor, label: float) -> Tensor:
        return _GAN_LOSSES[self.gan_loss](scores, torch.full_like(scores, label))


def _softmax(logits_bchw: Tensor) -> Tensor:
    return torch.softmax(logits_bchw, dim=1)


_ADAPTERS: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax": _softmax,
    "self_information": self_information,
}
_GAN_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "bce": functional.binary_cross_entropy_with_logits,
    "ls": functional.mse_loss,
}


@contextmanager
def _frozen(module: nn.Module) -> Iterator[None]:
    """A graph recorded inside has no edge to the module's weights."""
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
