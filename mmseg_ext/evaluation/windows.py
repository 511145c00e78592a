"""Logits of whole images, or of windows that slide over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

AVERAGES = ("logits", "probabilities")
"""What overlapping windows are averaged in: mmseg's logits, or VFM-UDA's softmax of them."""

_PIXELS = 1024 * 2048
"""Pixels in one pass on an accelerator: those of a whole Cityscapes image, which ``mode='whole'``
takes in one pass, too. Without gradients they need less memory than a training step."""


def infer(segmentor: Any, images_bchw: Tensor, windows_per_pass: int | None = None) -> Tensor:
    """Scores (B,C,H,W) in fp32 at the size of the images, on their device.

    ``segmentor.test_cfg`` says how: ``mode`` is ``whole`` or ``slide``, the latter with
    ``crop_size``, ``stride`` and, optionally, ``average`` (one of ``AVERAGES``). Where an image is
    smaller than a window, the window is cut to it. Sides that the segmentor cannot take (its
    ``image_multiple`` and ``least_image``, if it has them) are padded with zeros, the mean colour,
    at the right and at the bottom, and the scores there are dropped.

    ``windows_per_pass`` windows of each image make one forward pass of the network. By default it
    is one on the CPU, which more would not make faster, and elsewhere as many as have the area of
    a Cityscapes image together. In evaluation mode images of a batch do not see each other, so the
    number changes scores by rounding alone.

    Raises:
        ValueError: ``mode`` or ``average`` is none of these.
    """
    rules: Any = segmentor.test_cfg
    average = rules.get("average", "logits")
    if rules["mode"] not in ("whole", "slide") or average not in AVERAGES:
        raise ValueError(
            f"test_cfg: mode is {rules['mode']!r}, expected 'whole' or 'slide'; average is "
            f"{average!r}, expected one of {', '.join(AVERAGES)}"
        )
    if rules["mode"] == "whole":
        return _padded(segmentor, images_bchw)
    height, width = images_bchw.shape[2:]
    windows = [
        (rows, columns)
        for rows in places(height, rules["crop_size"][0], rules["stride"][0])
        for columns in places(width, rules["crop_size"][1], rules["stride"][1])
    ]
    together = windows_per_pass or _windows_per_pass(images_bchw, windows[0])
    total: Tensor | None = None
    count = images_bchw.new_zeros(1, 1, height, width)
    for first in range(0, len(windows), together):
        part = windows[first : first + together]
        scores = _padded(segmentor, _cut(images_bchw, part))
        if average == "probabilities":
            scores = scores.softmax(dim=1)
        if total is None:
            total = scores.new_zeros(len(images_bchw), scores.shape[1], height, width)
        for (rows, columns), own in zip(part, scores.split(len(images_bchw)), strict=True):
            # In place: the sum of full-size maps, one a window, would be several gigabytes.
            total[:, :, rows, columns] += own
            count[:, :, rows, columns] += 1.0
    assert total is not None  # there is always one window
    return total.div_(count)


def _windows_per_pass(images_bchw: Tensor, window: tuple[slice, slice]) -> int:
    if images_bchw.device.type == "cpu":
        return 1
    rows, columns = (each.stop - each.start for each in window)
    return max(1, _PIXELS // (len(images_bchw) * rows * columns))


def _cut(images_bchw: Tensor, windows: Sequence[tuple[slice, slice]]) -> Tensor:
    """The windows of all images, (windows * B, C, h, w): every image's first, then the second.

    All windows of an image are of one size: what reaches over its border is moved, not cut off.
    """
    parts = [images_bchw[:, :, rows, columns] for rows, columns in windows]
    # One alone stays a view: it is computed to the bit as MMSegmentation computes it.
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def places(length: int, window: int, stride: int) -> Sequence[slice]:
    """Where windows lie along a side: every ``stride`` pixels, the last one ends at the border."""
    steps = max(length - window + stride - 1, 0) // stride + 1
    ends = [min(step * stride + window, length) for step in range(steps)]
    return [slice(max(end - window, 0), end) for end in ends]


def _padded(segmentor: Any, images_bchw: Tensor) -> Tensor:
    """Scores of one window, at a size that the segmentor can take."""
    height, width = images_bchw.shape[2:]
    multiple = getattr(segmentor, "image_multiple", 1)
    least = getattr(segmentor, "least_image", (1, 1))
    rows, columns = (
        -(-max(side, short) // multiple) * multiple - side
        for side, short in zip((height, width), least, strict=True)
    )
    if rows or columns:
        images_bchw = functional.pad(images_bchw, (0, columns, 0, rows))
    # A torch.Size is how MMSegmentation's heads are told the size that they must answer at.
    described = [{"img_shape": images_bchw.shape[2:]}] * len(images_bchw)
    scores: Tensor = segmentor.encode_decode(images_bchw, described)
    return scores[:, :, :height, :width].to(torch.float32)
