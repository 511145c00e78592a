"""Mean teacher: a network whose weights are a running mean of the student's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase


class MeanTeacher(nn.Module):
    """Exponential moving average of a student, after Tarvainen and Valpola (NeurIPS 2017).

    At step t the decay is ``min(1 - 1/(t+1), alpha)``, so the first steps are a plain mean and the
    random initial weights are forgotten. As in lhoyer/DAFormer (mmseg/models/uda/dacs.py) the
    update comes at the START of iteration t > 0, and iteration 0 copies the student.

    The teacher computes like a network in training whose layers drop nothing: normalisation by
    batch statistics, but no dropout, stochastic depth or dropped patches, whoever wrote them.

    Args:
        student: network to copy; the copy never receives a gradient.
        alpha: largest decay (DACS 0.99, DAFormer 0.999).
        buffers: what happens to the buffers of the copy after iteration 0. ``none``: they follow
            the teacher's own forward passes, as in DACS, DAFormer, HRDA and MIC. ``copy``: they
            are the student's. ``ema``: floating-point ones are averaged like parameters and the
            others copied, as in VFM-UDA.
        normalization: ``batch`` normalises with the statistics of the batch at hand where the
            student's layers do so in training, as in all references; ``running`` with those in
            the buffers, which asks for ``copy`` or ``ema``.
    """

    step: Tensor

    def __init__(
        self,
        student: nn.Module,
        alpha: float = 0.999,
        buffers: Literal["none", "copy", "ema"] = "none",
        normalization: Literal["batch", "running"] = "batch",
    ) -> None:
        super().__init__()
        if not 0.0 <= alpha < 1.0:
            raise ValueError(f"alpha of the mean teacher must be in [0, 1), got {alpha}")
        if buffers not in ("none", "copy", "ema"):
            raise ValueError(
                f"buffers of the mean teacher must be 'none', 'copy' or 'ema', got {buffers!r}"
            )
        if normalization not in ("batch", "running"):
            raise ValueError(
                "normalization of the mean teacher must be 'batch' or 'running', "
                f"got {normalization!r}"
            )
        if normalization == "running" and buffers == "none":
            raise ValueError(
                "a mean teacher with normalization='running' never updates its statistics itself; "
                "set buffers to 'copy' or 'ema'"
            )
        self.alpha = alpha
        self.buffer_policy = buffers
        self.normalization = normalization
        self.held = False  # in all micro-batches of a step but the first: see engine.micro_batches
        self.network = copy.deepcopy(student).requires_grad_(False)
        # A buffer, so that a resumed run goes on with the decay it had reached.
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self._steps = 0  # the same number on the host, which need not ask the device for it

    def train(self, mode: bool = True) -> MeanTeacher:
        """Set the mode as usual, but keep everything that drops at random switched off.

        Layers that drop are not known by their names: attention applies its dropout in a function
        call, and every library has a DropPath of its own. What all of them ask is whether they are
        in training mode, so only layers with batch statistics are ever put into it.
        """
        super().train(mode)
        for module in self.network.modules():
            batch = self.normalization == "batch" and _has_statistics(module)
            module.training = module.training and batch  # networks may keep their norms frozen
        return self

    @torch.no_grad()
    def update(self, student: nn.Module) -> None:
        """Take the student's current weights into the mean and count one step, unless held."""
        if self.held:
            return
        decay = min(1.0 - 1.0 / (self._steps + 1), self.alpha)
        own = dict(self.network.named_parameters())
        theirs = dict(student.named_parameters())
        if own.keys() != theirs.keys():
            raise ValueError(
                f"teacher and student differ in {sorted(own.keys() ^ theirs.keys())[:5]}"
            )
        _average(own, theirs, decay)
        if self._steps == 0 or self.buffer_policy != "none":
            self._update_buffers(student, decay if self.buffer_policy == "ema" else 0.0)
        self.step += 1
        self._steps += 1

    def _update_buffers(self, student: nn.Module, decay: float) -> None:
        own, theirs = dict(self.network.named_buffers()), dict(student.named_buffers())
        averaged = {name: buffer for name, buffer in own.items() if buffer.is_floating_point()}
        if averaged and decay:
            _average(averaged, theirs, decay)
        for name, buffer in own.items():
            if name not in averaged or not decay:
                buffer.copy_(theirs[name])

    def _load_from_state_dict(self, *args: Any, **options: Any) -> None:
        super()._load_from_state_dict(*args, **options)
        self._steps = int(self.step)

    @torch.no_grad()
    def forward(self, *args: Tensor) -> Tensor:
        """Run the averaged network without recording a graph."""
        output: Tensor = self.network(*args)
        return output


def _average(own: Mapping[str, Tensor], theirs: Mapping[str, Tensor], decay: float) -> None:
    names = list(own)
    torch._foreach_mul_([own[n] for n in names], decay)
    torch._foreach_add_([own[n] for n in names], [theirs[n] for n in names], alpha=1.0 - decay)


def _has_statistics(module: nn.Module) -> bool:
    """Whether a layer normalises with statistics of the batch: torch's, or one that keeps some."""
    return isinstance(module, _NormBase) or hasattr(module, "running_mean")
