"""Curves of every loss term and every watched quantity, for the record's diagnostics."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from mmseg_ext.registry import HOOKS


@HOOKS.register_module()
class CurveHook(Hook):
    """Remembers what `train_step` returned, as means over ``interval`` iterations.

    The curves travel inside checkpoints, so a resumed run has them whole.

    Args:
        interval: iterations averaged into one point.
    """

    def __init__(self, interval: int) -> None:
        self._interval = max(1, interval)
        self._sums: dict[str, Any] = {}
        self._count = 0
        self.curves: dict[str, list[float]] = {"iteration": []}

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Add one step; close a point at each interval and at the last iteration."""
        for name, value in outputs.items():
            # Stays a tensor until the point is closed: no device synchronisation in each step.
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1
        done = runner.iter + 1
        if done % self._interval == 0 or done == runner.max_iters:
            self._close(done)

    def _close(self, done: int) -> None:
        self.curves["iteration"].append(done)
        for name, total in self._sums.items():
            self.curves.setdefault(name, []).append(float(total) / self._count)
        self._sums, self._count = {}, 0

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Store curves and the open point."""
        sums = {name: float(total) for name, total in self._sums.items()}
        checkpoint["curves"] = {"closed": self.curves, "sums": sums, "count": self._count}

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Go on with the stored curves."""
        if "curves" in checkpoint:
            stored = checkpoint["curves"]
            self.curves, self._sums, self._count = stored["closed"], stored["sums"], stored["count"]
