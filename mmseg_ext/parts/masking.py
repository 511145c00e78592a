"""Masks over images or tokens: what a network must infer from its surroundings.

Hoyer et al., "MIC: Masked Image Consistency", CVPR 2023 (lhoyer/MIC,
mmseg/models/utils/masking_transforms.py), and the masked tokens of VFM-UDA (tue-mps/vfm-uda,
models/token_masking.py). Both masks map a tensor to one of the same shape and draw from torch's
generator; `masked_input` puts either at its place in a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class BlockMask(nn.Module):
    """Sets square blocks of normalised images to 0, the mean colour.

    Blocks are masked independently of each other, so ``ratio`` is the expected share and not the
    exact one, and independently in each image.

    Args:
        size: side of a block in pixels; 64 for images of 1024x1024, 32 for 512x512.
        ratio: probability of a block to be masked, 0.7 in MIC.
    """

    def __init__(self, size: int, ratio: float = 0.7) -> None:
        super().__init__()
        self.size, self.ratio = size, _checked(ratio)
        if size < 1:
            raise ValueError(f"size of the masked blocks must be at least 1 pixel, got {size}")

    @torch.no_grad()
    def forward(self, image_bchw: Tensor) -> Tensor:
        """Return a masked copy of images (B,3,H,W)."""
        batch, _, height, width = image_bchw.shape
        rows, columns = (max(1, round(side / self.size)) for side in (height, width))
        kept = torch.rand(batch, 1, rows, columns, device=image_bchw.device) > self.ratio
        kept = functional.interpolate(kept.to(image_bchw.dtype), (height, width), mode="nearest")
        return image_bchw * kept


class TokenMask(nn.Module):
    """Replaces patch embeddings, before positions are added, by a learned one.

    Args:
        width: channels of a token.
        ratio: probability of a token to be replaced, 0.7 in VFM-UDA.
    """

    def __init__(self, width: int, ratio: float = 0.7) -> None:
        super().__init__()
        self.ratio = _checked(ratio)
        self.mask_token = nn.Parameter(torch.zeros(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return masked tokens; channels are the last axis of (B, ..., C)."""
        masked = torch.rand(tokens.shape[:-1], device=tokens.device) < self.ratio
        return torch.where(masked[..., None], self.mask_token.to(tokens.dtype), tokens)


Mask = BlockMask | TokenMask


def build_mask(encoder: nn.Module, kind: str, **options: Any) -> Mask:
    """Make a mask for an encoder: ``kind`` is ``block`` or ``token``, ``options`` its arguments.

    Raises:
        ValueError: the kind is unknown, or the encoder has no patch embedding to mask.
    """
    if kind == "block":
        return BlockMask(**options)
    if kind == "token":
        return TokenMask(_patch_embedding(encoder)[1], **options)
    raise ValueError(f"kind of masking must be 'block' or 'token', got {kind!r}")


@contextmanager
def masked_input(mask: Mask, encoder: nn.Module, image_bchw: Tensor) -> Iterator[Tensor]:
    """While it lasts, a network with this encoder sees masked input; yields the images to give it.

    A block mask acts on the images, a token mask on what the encoder makes of them: every forward
    pass inside draws anew.
    """
    if isinstance(mask, BlockMask):
        yield mask(image_bchw)
        return
    embedding, _ = _patch_embedding(encoder)
    hook = embedding.register_forward_hook(lambda _module, _inputs, tokens: mask(tokens))
    try:
        yield image_bchw
    finally:
        hook.remove()


def _patch_embedding(encoder: nn.Module) -> tuple[nn.Module, int]:
    tower = getattr(encoder, "tower", encoder)
    embedding, width = getattr(tower, "patch_embed", None), getattr(tower, "embed_dim", None)
    if not isinstance(embedding, nn.Module) or not isinstance(width, int):
        raise ValueError(
            f"{type(encoder).__name__} has no patch embedding whose tokens could be masked; "
            "use masking of kind 'block' or a vision transformer"
        )
    return embedding, width


def _checked(ratio: float) -> float:
    if not 0.0 <= ratio <= 1.0:
        raise ValueError(f"ratio of masking must be in [0, 1], got {ratio}")
    return ratio
