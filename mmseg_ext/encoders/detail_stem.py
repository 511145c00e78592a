"""A convolutional stem that gives a transformer's finest level what its patches blur."""

from __future__ import annotations

from torch import Tensor, nn

from mmseg_ext.encoders.standardized_conv import conv_and_norm


class DetailStem(nn.Module):
    """Three 3x3 convolutions from the image to stride 4, to be added to a pyramid's first level.

    A patch is embedded linearly, so what is smaller than a patch is learnt late. The spatial
    prior of ViT-Adapter (Chen et al., ICLR 2023, section 3.3) answers this with a stem
    beside the transformer; this is its smallest form, which feeds only the finest level.

    Args:
        channels: of the output, a multiple of 8.
        width: channels after the first convolution, a multiple of 8.
    """

    def __init__(self, channels: int, width: int = 24) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            conv_and_norm(3, width, 3, stride=2),
            nn.ReLU(inplace=True),
            conv_and_norm(width, channels, 3, stride=2),
            nn.ReLU(inplace=True),
            conv_and_norm(channels, channels, 3),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to (N, channels, ceil(H / 4), ceil(W / 4))."""
        details: Tensor = self.layers(images)
        return details
