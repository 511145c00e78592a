"""What is masked, how much of it, and that a network sees it only where it should."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmseg_ext.encoders.resnet_mini import ResNetMini
from mmseg_ext.parts.masking import BlockMask, TokenMask, build_mask, masked_input


def test_blocks_are_kept_or_masked_as_a_whole():
    torch.manual_seed(0)
    image = torch.randn(3, 3, 64, 96) + 5
    before = image.clone()
    masked = BlockMask(16, 0.5)(image)
    kept = (masked != 0).all(1)
    assert torch.equal(masked, image * kept[:, None])
    blocks = kept.view(3, 4, 16, 6, 16).transpose(2, 3).flatten(3)
    assert torch.equal(blocks.all(-1), blocks.any(-1))
    assert not torch.equal(kept[0], kept[1])  # each image has its own mask
    assert torch.equal(image, before)


def test_the_mask_is_uniform_noise_above_the_ratio():
    image = torch.ones(2, 3, 32, 48)
    torch.manual_seed(9)
    masked = BlockMask(8, 0.7)(image)
    torch.manual_seed(9)
    noise = torch.rand(2, 1, 4, 6)
    for b in range(2):
        for y in range(32):
            for x in range(48):
                assert float(masked[b, 0, y, x]) == float(noise[b, 0, y // 8, x // 8] > 0.7)


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.7, 1.0])
def test_the_ratio_is_the_expected_share(ratio):
    torch.manual_seed(1)
    masked = BlockMask(8, ratio)(torch.ones(20, 3, 128, 128))
    assert float((masked == 0).float().mean()) == pytest.approx(ratio, abs=0.02)
    torch.manual_seed(1)
    tokens = TokenMask(4, ratio)(torch.ones(20, 500, 4))
    assert float((tokens == 0).float().mean()) == pytest.approx(ratio, abs=0.02)


def test_grids_of_blocks_that_do_not_fit_are_rounded():
    torch.manual_seed(2)
    masked = BlockMask(40, 0.5)(torch.ones(1, 3, 64, 128))  # round(1.6) x round(3.2) = 2 x 3 blocks
    columns = masked[0, 0, 0]
    assert len({tuple(row) for row in masked[0, 0].tolist()}) <= 2
    changes = (columns[1:] != columns[:-1]).nonzero().flatten() + 1
    assert set(changes.tolist()) <= {43, 86}


class Transformer(nn.Module):
    """The part of one that a token mask needs."""

    def __init__(self):
        super().__init__()
        self.tower = nn.Module()
        self.tower.embed_dim = 6
        self.tower.patch_embed = nn.Sequential(nn.Conv2d(3, 6, 4, 4), nn.Flatten(2), Last())

    def forward(self, image):
        return self.tower.patch_embed(image)


class Last(nn.Module):
    """Channels last, as tokens have them."""

    def forward(self, x):
        return x.transpose(1, 2)


def test_tokens_are_replaced_by_one_that_is_learned():
    torch.manual_seed(3)
    encoder, image = Transformer(), torch.randn(2, 3, 16, 16)
    mask = build_mask(encoder, "token", ratio=0.5)
    with torch.no_grad():
        mask.mask_token.fill_(7.0)
    plain = encoder(image)
    with masked_input(mask, encoder, image) as seen:
        masked = encoder(seen)
        again = encoder(seen)
    assert torch.equal(encoder(image), plain)  # the mask is gone
    replaced = (masked == 7.0).all(-1)
    assert 0 < int(replaced.sum()) < replaced.numel()
    assert torch.equal(masked[~replaced], plain[~replaced])
    assert not torch.equal(masked, again)
    masked.sum().backward()
    assert mask.mask_token.grad.tolist() == [float(replaced.sum())] * 6


def test_the_mask_is_gone_after_an_error():
    encoder, image = Transformer(), torch.randn(2, 3, 16, 16)
    mask = build_mask(encoder, "token", ratio=1.0)
    with pytest.raises(RuntimeError), masked_input(mask, encoder, image):
        raise RuntimeError
    assert not (encoder(image) == 0).all()


def test_a_block_mask_acts_on_the_images():
    image, encoder = torch.randn(2, 3, 64, 64), ResNetMini()
    mask = build_mask(encoder, "block", size=32, ratio=0.7)
    torch.manual_seed(0)
    with masked_input(mask, encoder, image) as seen:
        pass
    torch.manual_seed(0)
    assert torch.equal(seen, mask(image))


def test_a_timm_encoder_has_tokens_to_mask():
    from mmseg_ext.encoders.timm_encoder import TimmEncoder

    encoder = TimmEncoder(
        "eva02_tiny_patch14_224",
        {"embed_dim": 48, "depth": 2, "num_heads": 2, "patch_size": 8, "img_size": 32},
        feature_layers=(0, 0, 1, 1),
    )
    image = torch.randn(1, 3, 32, 32)
    mask = build_mask(encoder, "token", ratio=1.0)
    with torch.no_grad(), masked_input(mask, encoder, image) as seen:
        nothing = encoder(seen)
        with masked_input(mask, encoder, -image) as other:
            assert all(torch.equal(a, b) for a, b in zip(nothing, encoder(other), strict=True))
    assert not torch.equal(encoder(image)[0], encoder(-image)[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "pixel"}, "'block' or 'token'"),
        ({"kind": "block", "size": 0}, "at least 1 pixel"),
        ({"kind": "block", "size": 8, "ratio": 1.5}, r"in \[0, 1\]"),
        ({"kind": "token"}, "ResNetMini has no patch embedding"),
    ],
)
def test_masks_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_mask(ResNetMini(), **arguments)
