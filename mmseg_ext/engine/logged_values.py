"""What each step returned, handed to MMEngine's log when the log is written and not before."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import RuntimeInfoHook
from torch import Tensor

from mmseg_ext.registry import HOOKS


@HOOKS.register_module()
class LoggedValuesHook(RuntimeInfoHook):
    """Keeps the losses of ``interval`` steps on their device and reads them all at once.

    MMEngine's own hook reads each value in each step, and so makes the host wait for the device as
    many times. What the log says is the same with either. It takes the other's place:
    ``default_hooks = dict(runtime_info=dict(type="LoggedValuesHook", interval=50))``.

    Args:
        interval: that of the ``LoggerHook``. Checkpoints, which hold the log's values, and the
            last step have them read too.
    """

    def __init__(self, interval: int) -> None:
        super().__init__()
        self._interval = max(1, interval)
        self._unread: list[tuple[str, Any]] = []

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Keep the step's values; hand over all of them at each interval and at the last step."""
        self._unread += (outputs or {}).items()
        done = runner.iter + 1
        if done % self._interval == 0 or done == runner.max_iters:
            self.hand_over(runner)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Put values that were not handed over yet into the checkpoint's log as well."""
        if self._unread:
            self.hand_over(runner)
            checkpoint["message_hub"] = runner.message_hub.state_dict()

    def hand_over(self, runner: Any) -> None:
        """Read what is kept, in one copy for all tensors, and write it to the message hub."""
        if not self._unread:
            return
        tensors = [value for _, value in self._unread if isinstance(value, Tensor)]
        read = iter(torch.stack([each.detach().float() for each in tensors]).tolist())
        for name, value in self._unread:
            known = next(read) if isinstance(value, Tensor) else value
            runner.message_hub.update_scalar(f"train/{name}", known)
        self._unread = []
