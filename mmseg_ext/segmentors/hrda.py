"""HRDA: a large low-resolution context and a small high-resolution detail, fused by attention.

Hoyer et al., "HRDA: Context-Aware High-Resolution Domain-Adaptive Semantic Segmentation", ECCV
2022; lhoyer/HRDA, mmseg/models/segmentors/hrda_encoder_decoder.py and
mmseg/models/decode_heads/hrda_head.py. Unlike there, the crop's box is a value that is passed
along and not a state of the modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mmseg_ext.errors import SegmentorError
from mmseg_ext.registry import MODELS
from mmseg_ext.segmentors.prediction import Box, Detail, Prediction, upsample

# mmseg needs the operators that the registry's module provides: import it afterwards.
from mmseg.models.segmentors import EncoderDecoder  # isort: skip

_STRIDE = 4  # of the encoder's first level, at which the heads answer
_GRID = 2 * _STRIDE  # pixels of the image under one cell of the context's logits

_SHARED = ("in_channels", "channels", "num_classes", "norm_cfg", "standardize", "dropout_ratio")


@MODELS.register_module()
class HRDASegmentor(EncoderDecoder):
    """Encodes the whole image at half size and a part of it at full size, with the same weights.

    In training the detail is ONE random crop a forward pass, the same for all images of the batch
    and with offsets that are multiples of 8, so that it lies on whole cells of all grids. Otherwise
    (pseudo labels, prediction) windows of the crop's size slide over the whole image by half of it.

    With logits c of the context, d of the detail and a = sigmoid(attention(context)), all at stride
    4 of what they see, the answer at stride 4 of the image is

        up2((1 - a) c) + up2(a) d

    where a is 0 and d absent outside of the crop.

    Args:
        backbone, decode_head: of both resolutions; the encoder's levels start at stride 4.
        detail_size: height and width of the detail crop, multiples of 8; half of the image in the
            paper (512 of 1024).
        detail_share: weight of the detail's own loss, lambda_d = 0.1 in the paper.
        scale_attention: arguments of `ScaleAttentionHead` that differ from those it shares with
            the decode head.
        **options: further arguments of MMSegmentation's ``EncoderDecoder``.

    Raises:
        SegmentorError: the size of the crop or, later, of an image is no multiple of 8, or the
            encoder's first level is not at stride 4.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        decode_head: dict[str, Any],
        *,
        detail_size: Sequence[int] = (512, 512),
        detail_share: float = 0.1,
        scale_attention: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        shared = {key: decode_head[key] for key in _SHARED if key in decode_head}
        super().__init__(backbone=backbone, decode_head=decode_head, **options)
        if any(side < _GRID or side % _GRID for side in detail_size):
            raise SegmentorError(
                f"detail_size is {tuple(detail_size)}, expected multiples of {_GRID} pixels"
            )
        self.detail_size = (int(detail_size[0]), int(detail_size[1]))
        self.detail_share = detail_share
        self.scale_attention = MODELS.build(
            {"type": "ScaleAttentionHead", **shared, **(scale_attention or {})}
        )

    @property
    def image_multiple(self) -> int:
        """What the sides of an image must be multiples of, in pixels."""
        return _GRID

    @property
    def least_image(self) -> tuple[int, int]:
        """Height and width that an image must have at least: those of the detail."""
        return self.detail_size

    def observe(self, image_bchw: Tensor) -> Prediction:
        """Predict a training batch from its context and one random detail crop."""
        height, width = self._checked(image_bchw)
        if self.detail_size == (height, width):
            raise SegmentorError(
                f"detail_size is the size of the crop, {height}x{width}: the paper then supervises "
                "the context too, which is not built; choose a smaller detail, such as half"
            )
        box = draw_box(height, width, self.detail_size)
        context_image = _halved(image_bchw)
        features = self.extract_feat(context_image)
        context, attention = self._context(features)
        detail = self._logits(box.of(image_bchw))
        fused = fuse(context, attention, detail, box)
        near = upsample(detail, box.of(image_bchw))
        return Prediction(
            upsample(fused, image_bchw),
            features,
            context_image,
            Detail(near, box, self.detail_share),
        )

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict[str, Any]]) -> Tensor:
        """Logits (N,C,H,W) at the size of the images; MMSegmentation's prediction calls it."""
        return upsample(self._forward(inputs), inputs)

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Tensor:
        """Logits (N,C,H/4,W/4) from the context and details slid over the whole image."""
        self._checked(inputs)
        context, attention = self._context(self.extract_feat(_halved(inputs)))
        return fuse(context, attention, self._slide(inputs))

    def _context(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        attention = torch.sigmoid(self.scale_attention(features).float())
        return self.decode_head(features).float(), attention

    def _logits(self, image_bchw: Tensor) -> Tensor:
        logits: Tensor = self.decode_head(self.extract_feat(image_bchw))
        expected = (image_bchw.shape[2] // _STRIDE, image_bchw.shape[3] // _STRIDE)
        if tuple(logits.shape[2:]) != expected:
            raise SegmentorError(
                f"a crop of {tuple(image_bchw.shape[2:])} pixels gave logits of "
                f"{tuple(logits.shape[2:])}, expected {expected}: HRDA needs an encoder whose "
                f"first level has stride {_STRIDE}"
            )
        return logits.float()

    def _slide(self, image_bchw: Tensor) -> Tensor:
        """Logits (N,C,H/4,W/4) of overlapping windows, averaged; all windows are one batch.

        One batch also for the statistics of batch norm in a teacher that is in training mode:
        cutting it into several would change the result.
        """
        batch, _, height, width = image_bchw.shape
        boxes = windows(height, width, self.detail_size)
        logits = self._logits(torch.cat([box.of(image_bchw) for box in boxes]))
        shape = (batch, logits.shape[1], height // _STRIDE, width // _STRIDE)
        total, count = logits.new_zeros(shape), logits.new_zeros(1, 1, *shape[2:])
        for box, part in zip(boxes, logits.split(batch), strict=True):
            place = box.on_grid(_STRIDE)
            place.of(total).add_(part)
            place.of(count).add_(1.0)
        return total / count

    def _checked(self, image_bchw: Tensor) -> tuple[int, int]:
        height, width = image_bchw.shape[2:]
        small = height < self.detail_size[0] or width < self.detail_size[1]
        if small or height % _GRID or width % _GRID:
            raise SegmentorError(
                f"images of {height}x{width} pixels; HRDA with details of "
                f"{self.detail_size[0]}x{self.detail_size[1]} takes sizes that are multiples of "
                f"{_GRID} and not smaller: pad or crop the images, or slide over them"
            )
        return height, width


def draw_box(height: int, width: int, size: tuple[int, int]) -> Box:
    """A random box of a size, its offsets multiples of 8; draws from torch's generator.

    As in the reference an offset is below the margin: with 1024 and 512 pixels the last one is 504.
    """
    offsets: list[int] = []
    for side, length in zip((height, width), size, strict=True):
        steps = max(1, (side - length + 1) // _GRID)
        offsets += [step * _GRID for step in torch.randint(steps, (1,)).tolist()]
    return Box(offsets[0], offsets[1], *size)


def windows(height: int, width: int, size: tuple[int, int]) -> list[Box]:
    """Boxes of a size that cover the image row by row, each half a box further than the last one.

    The last ones end at the border, whatever their overlap.
    """
    rows, columns = (
        sorted({min(i * (length // 2), side - length) for i in range(2 * side // length + 1)})
        for side, length in ((height, size[0]), (width, size[1]))
    )
    return [Box(top, left, *size) for top in rows for left in columns]


def fuse(
    context_bchw: Tensor, attention_bchw: Tensor, detail_bchw: Tensor, box: Box | None = None
) -> Tensor:
    """Fused logits at twice the context's resolution (HRDA, equations 5 and 6).

    Args:
        context_bchw: logits of the halved image.
        attention_bchw: trust in the detail in [0, 1], at the context's size; C channels or 1.
        detail_bchw: logits of the detail, at twice the context's resolution.
        box: place of the detail in the image in pixels, or ``None`` if it covers the whole image.
    """
    if box is not None:
        inside = torch.zeros_like(attention_bchw)
        box.on_grid(_GRID).of(inside).fill_(1.0)
        attention_bchw = attention_bchw * inside
        canvas = detail_bchw.new_zeros(
            *detail_bchw.shape[:2], 2 * context_bchw.shape[2], 2 * context_bchw.shape[3]
        )
        box.on_grid(_STRIDE).of(canvas).copy_(detail_bchw)
        detail_bchw = canvas
    return _doubled(attention_bchw) * detail_bchw + _doubled((1.0 - attention_bchw) * context_bchw)


def _halved(image_bchw: Tensor) -> Tensor:
    return functional.interpolate(
        image_bchw, scale_factor=0.5, mode="bilinear", align_corners=False
    )


def _doubled(map_bchw: Tensor) -> Tensor:
    return functional.interpolate(map_bchw, scale_factor=2.0, mode="bilinear", align_corners=False)
