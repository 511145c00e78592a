"""A segmentor that compares patch features with text features of class names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class DenseText(nn.Module):
    """Cosine similarity of each patch with each name; a class scores as its best name.

    After MaskCLIP (Zhou et al., "Extract Free Dense Labels from CLIP", ECCV 2022), whose classifier
    is the text features as a 1x1 convolution. Nothing is learnt and no image of a domain is seen.

    Args:
        patch_features: maps images (B, 3, H, W), normalised, to features (B, D, h, w) in the space
            of the texts.
        text_nd: features of the names (N, D), of any length.
        owners: class of each name; every class from 0 on has one at least.
        test_cfg: how images are cut, as of a trained segmentor (`mmseg_ext.evaluation.windows`); by
            default they are taken whole.
        image_multiple: sides of images are padded to a multiple of it, the side of a patch.
        network: what ``patch_features`` computes with, so that it moves to a device with this.

    Raises:
        ValueError: there is not one owner for each name, or a class has no name.
    """

    align_corners = False

    def __init__(
        self,
        patch_features: Callable[[Tensor], Tensor],
        text_nd: Tensor,
        owners: Sequence[int],
        *,
        test_cfg: Mapping[str, Any] | None = None,
        image_multiple: int = 1,
        network: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if len(owners) != len(text_nd) or set(owners) != set(range(max(owners) + 1)):
            raise ValueError(
                f"{len(text_nd)} texts have owners {list(owners)}, expected one class for each "
                "text and a text for each class from 0 on"
            )
        self.network = network
        self.patch_features = patch_features
        self.test_cfg = dict(test_cfg or {"mode": "whole"})
        self.image_multiple = image_multiple
        self.register_buffer("text", F.normalize(text_nd, dim=1))
        self.owners = [
            [name for name, owner in enumerate(owners) if owner == each]
            for each in range(max(owners) + 1)
        ]

    @torch.no_grad()
    def encode_decode(self, images: Tensor, metas: Sequence[Any]) -> Tensor:
        """Scores (B, classes, H, W) in -1 to 1, enlarged bilinearly to the size of ``images``."""
        features = F.normalize(self.patch_features(images), dim=1)
        names = torch.einsum("bdhw,nd->bnhw", features, self.text)
        scores = torch.stack([names[:, own].amax(1) for own in self.owners], dim=1)
        return F.interpolate(scores, images.shape[2:], mode="bilinear", align_corners=False)
