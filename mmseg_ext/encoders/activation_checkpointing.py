"""Activation checkpointing: an encoder's blocks are computed again in the backward pass.

Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016: of each block only its input is
kept, at the cost of about one more forward pass. Random draws are repeated, so gradients are the
same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.checkpoint import checkpoint

from mmseg_ext.errors import EncoderError


def checkpoint_activations(encoder: nn.Module) -> None:
    """Make an encoder keep the inputs of its blocks alone; a second call changes nothing.

    Encoders with a method of this name do it themselves. In MMSegmentation's, blocks are what has
    an option ``with_cp``. Theirs is not used: it leaves open how torch is to checkpoint, and it
    moves the running statistics of batch norm twice.

    Raises:
        EncoderError: the encoder has no such blocks.
    """
    own = getattr(encoder, "checkpoint_activations", None)
    if own is not None:
        own()
        return
    blocks = [module for module in encoder.modules() if _is_block(module)]
    if not blocks:
        raise EncoderError(
            f"{type(encoder).__name__} has no blocks whose activations can be checkpointed; leave "
            "the option out, or accumulate over micro-batches to save memory"
        )
    for block in blocks:
        if not isinstance(block.forward, _Recomputed):
            setattr(block, "forward", _Recomputed(block.forward, block))  # noqa: B010 (a method)


def _is_block(module: nn.Module) -> bool:
    within = (child for child in module.modules() if child is not module)
    return hasattr(module, "with_cp") and not any(hasattr(child, "with_cp") for child in within)


class _Recomputed:
    """A block's ``forward`` that is called again in the backward pass."""

    def __init__(self, forward: Callable[..., Tensor], block: nn.Module) -> None:
        self._forward = forward
        self._norms = [each for each in block.modules() if isinstance(each, _NormBase)]

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        if not torch.is_grad_enabled():
            return self._forward(*args, **kwargs)
        output: Tensor = checkpoint(
            self._forward,
            *args,
            use_reentrant=False,
            context_fn=lambda: (contextlib.nullcontext(), _statistics_kept(self._norms)),
            **kwargs,
        )
        return output


@contextlib.contextmanager
def _statistics_kept(norms: Sequence[_NormBase]) -> Iterator[None]:
    """Running statistics that a second pass over the same batch does not move.

    They are still handed to the operator: torch compares what both passes save.
    """
    before = [(norm, norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm, _, count in before:
        norm.momentum = 0.0
        norm.num_batches_tracked = None if count is None else count.clone()
    try:
        yield
    finally:
        for norm, momentum, count in before:
            norm.momentum, norm.num_batches_tracked = momentum, count
