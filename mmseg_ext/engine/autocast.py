"""Mixed precision in bfloat16, on the CPU and on CUDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmseg_ext.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Runs the networks in bfloat16 and keeps weights, gradients and optimizer state in fp32.

    MMEngine's ``AmpOptimWrapper`` refuses the CPU and scales the loss, which bfloat16, with the
    range of fp32, does not need. What is computed from logits stays in fp32: `UDAMethod` casts them
    on the way out of the network. Arguments are those of ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast what runs inside.

        Weights are cast anew at each use, so that no cast kept from a pass without gradient can
        serve a pass with gradient and cut the weight off.
        """
        device = next(model.parameters()).device.type
        cast = torch.autocast(device, dtype=torch.bfloat16, cache_enabled=False)
        with super().optim_context(model), cast:
            yield
