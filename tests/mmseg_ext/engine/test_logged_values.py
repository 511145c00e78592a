"""The log says what MMEngine's own hook would have it say, and is filled when it is written."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import MessageHub

from mmseg_ext.engine import LoggedValuesHook

STEPS = 7


def run(hook, name, steps=STEPS, until=None):
    """Feed a hook with steps; returns its runner."""
    hub = MessageHub.get_instance(f"{name}-{torch.rand(()).item()}")
    runner = SimpleNamespace(message_hub=hub, iter=0, max_iters=steps)
    for step in range(until or steps):
        runner.iter = step
        outputs = {"loss": torch.tensor(0.1 * step), "loss_source": torch.tensor(1.0 / (step + 1))}
        hook.after_train_iter(runner, step, outputs={**outputs, "seen": step})
    return runner


def history(runner):
    return {
        name: [list(part) for part in buffer.data]
        for name, buffer in runner.message_hub.log_scalars.items()
    }


def test_the_log_is_that_of_the_original():
    ours, original = run(LoggedValuesHook(3), "ours"), run(RuntimeInfoHook(), "original")
    assert history(ours) == history(original)
    assert len(history(ours)["train/loss"][0]) == STEPS


def test_values_are_read_at_each_interval():
    hook = LoggedValuesHook(3)
    assert history(run(hook, "two", until=2)) == {}
    read = history(run(LoggedValuesHook(3), "five", until=5))
    assert len(read["train/loss"][0]) == 3


def test_a_checkpoint_holds_all_values():
    hook = LoggedValuesHook(3)
    runner = run(hook, "saved", until=5)
    checkpoint = {"message_hub": runner.message_hub.state_dict()}
    hook.before_save_checkpoint(runner, checkpoint)
    saved = checkpoint["message_hub"]["log_scalars"]["train/loss"]
    assert len(saved.data[0]) == 5
    hook.hand_over(runner)
    assert len(history(runner)["train/loss"][0]) == 5


def test_a_step_reads_nothing_from_a_device():
    runner = SimpleNamespace(iter=0, max_iters=9)
    value = torch.empty((), device="meta")  # reading it fails
    LoggedValuesHook(5).after_train_iter(runner, 0, outputs={"loss": value})
