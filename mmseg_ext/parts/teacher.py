"""Mean teacher: a network whose weights are a running mean of the student's."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class MeanTeacher(nn.Module):
    """Exponential moving average of a student, after Tarvainen and Valpola (NeurIPS 2017).

    At step t the decay is ``min(1 - 1/(t+1), alpha)``, so the first steps are a plain mean and the
    random initial weights are forgotten. As in lhoyer/DAFormer (mmseg/models/uda/dacs.py) the
    update comes at the START of iteration t > 0, and iteration 0 copies the student. Only
    parameters are averaged; buffers follow the teacher's own forward passes, because the teacher
    stays in training mode like its references. Dropout and stochastic depth are off in it.

    Args:
        student: network to copy; the copy never receives a gradient.
        alpha: largest decay (DACS 0.99, DAFormer 0.999).
    """

    step: Tensor

    def __init__(self, student: nn.Module, alpha: float = 0.999) -> None:
        super().__init__()
        if not 0.0 <= alpha < 1.0:
            raise ValueError(f"alpha of the mean teacher must be in [0, 1), got {alpha}")
        self.alpha = alpha
        self.network = copy.deepcopy(student).requires_grad_(False)
        # A buffer, so that a resumed run goes on with the decay it had reached.
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def train(self, mode: bool = True) -> MeanTeacher:
        """Set the mode as usual, but keep everything that drops at random switched off."""
        super().train(mode)
        for module in self.network.modules():
            if _drops_at_random(module):
                module.training = False
        return self

    @torch.no_grad()
    def update(self, student: nn.Module) -> None:
        """Take the student's current weights into the mean and count one step."""
        step = int(self.step)
        decay = min(1.0 - 1.0 / (step + 1), self.alpha)
        own = dict(self.network.named_parameters())
        theirs = dict(student.named_parameters())
        if own.keys() != theirs.keys():
            raise ValueError(
                f"teacher and student differ in {sorted(own.keys() ^ theirs.keys())[:5]}"
            )
        names = list(own)
        torch._foreach_mul_([own[n] for n in names], decay)
        torch._foreach_add_([own[n] for n in names], [theirs[n] for n in names], alpha=1.0 - decay)
        if step == 0:
            for buffer, source in zip(self.network.buffers(), student.buffers(), strict=True):
                buffer.copy_(source)
        self.step += 1

    @torch.no_grad()
    def forward(self, *args: Tensor) -> Tensor:
        """Run the averaged network without recording a graph."""
        output: Tensor = self.network(*args)
        return output


def _drops_at_random(module: nn.Module) -> bool:
    # By name, not by type: timm, mmcv and open_clip each have a DropPath of their own.
    return "drop" in type(module).__name__.lower() and not list(module.children())
