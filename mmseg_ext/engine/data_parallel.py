"""Data parallelism for training steps of several backward passes and several optimizers.

MMEngine's ``MMDistributedDataParallel`` has a ``train_step`` of its own and never calls the
model's, so a method of ours would silently not be trained as written. Here nothing is hooked into
the backward passes: `UDAMethod.train_step` averages gradients over the processes once, when all
terms are back-propagated and before clipping. Without a process group every function below does
nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from mmengine.dist import get_world_size
from torch import Tensor, distributed, nn

from mmseg_ext.registry import MODEL_WRAPPERS

_STATISTICS = ("running_mean", "running_var")
_BUCKET = 8_388_608  # values averaged in one message: 32 MiB of fp32


@MODEL_WRAPPERS.register_module()
class StepwiseDataParallel(nn.Module):
    """Starts all processes from the weights of rank 0 and leaves each step to the method.

    Use with ``model_wrapper_cfg = dict(type="mmseg_ext.StepwiseDataParallel")``.

    Args:
        module: a `UDAMethod`, on its device.
    """

    module: Any  # a UDAMethod, which this module cannot import

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        if get_world_size() > 1:
            for tensor in itertools.chain(module.parameters(), module.buffers()):
                distributed.broadcast(tensor.detach(), src=0)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method's ``forward``."""
        return self.module(*args, **kwargs)

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        """Call the method's ``train_step``."""
        log: dict[str, Tensor] = self.module.train_step(data, optim_wrapper=optim_wrapper)
        return log

    def val_step(self, data: Any) -> Any:
        """Call the method's ``val_step``."""
        return self.module.val_step(data)

    def test_step(self, data: Any) -> Any:
        """Call the method's ``test_step``."""
        return self.module.test_step(data)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes.

    A parameter without a gradient in some processes counts as zero there; without one in any, it is
    left without, and the optimizer skips it as it would with one process. All processes must pass
    the same parameters in the same order.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if get_world_size() == 1 or not trained:
        return
    present = torch.tensor([float(p.grad is not None) for p in trained], device=trained[0].device)
    distributed.all_reduce(present, op=distributed.ReduceOp.MAX)
    gradients = []
    for parameter, anywhere in zip(trained, present.tolist(), strict=True):
        if anywhere and parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        if anywhere:
            assert parameter.grad is not None
            gradients.append(parameter.grad)
    _average(gradients)


def average_statistics(module: nn.Module) -> None:
    """Replace the running means and variances that a step has moved by their means over processes.

    Otherwise rank 0 alone, which writes checkpoints, would decide what the network is tested with.
    Layers in evaluation mode move none and are left as they are.
    """
    if get_world_size() == 1:
        return
    moved = [layer for layer in module.modules() if layer.training]
    named = (getattr(layer, name, None) for layer in moved for name in _STATISTICS)
    _average([buffer for buffer in named if isinstance(buffer, Tensor)])


def mean_over_processes(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The mean of each scalar over the processes; all must pass the same names."""
    if get_world_size() == 1:
        return values
    stacked = torch.stack([value.detach().float() for value in values.values()])
    _average([stacked])
    return dict(zip(values, stacked.unbind(), strict=True))


def _average(tensors: list[Tensor]) -> None:
    """In place, in as few messages as buckets of one type and a limited size allow."""
    for bucket in _buckets(tensors):
        flat = torch.cat([tensor.reshape(-1) for tensor in bucket])
        distributed.all_reduce(flat)
        flat /= get_world_size()
        for tensor, mean in zip(bucket, flat.split([t.numel() for t in bucket]), strict=True):
            tensor.copy_(mean.view(tensor.shape))


def _buckets(tensors: list[Tensor]) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    for tensor in tensors:
        full = sum(each.numel() for each in bucket) + tensor.numel() > _BUCKET
        if bucket and (full or tensor.dtype != bucket[0].dtype):
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket
