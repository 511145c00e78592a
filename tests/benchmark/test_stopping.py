"""A scheduler's signal in the middle of training: nothing that was trained is lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import small_world
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

import mmseg_ext.registry  # noqa: F401
from benchmark import stopping
from mmseg_ext.engine import ResumePointHook

STEP = 2


class Scheduler(Hook):  # type: ignore[misc]
    """Signals every process of the job within a step, the data-loading ones first."""

    def __init__(self, number: int) -> None:
        self.number = number

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Send the signals twice, as Slurm does when it stops a step and its job."""
        if runner.iter == STEP:
            children = multiprocessing.active_children()
            assert len(children) == 2
            pids = [str(child.pid) for child in children] + [str(os.getpid())]
            # Torch forgives a loader that its own parent has ended, so another process does it.
            subprocess.run(["kill", f"-{self.number}", *pids, *pids], check=True)


def build(config: dict[str, Any]) -> Runner:
    torch.set_num_threads(1)
    return Runner.from_cfg(Config(config, format_python_code=False))


def train(runner: Runner) -> None:
    """As ``benchmark.worker`` trains."""
    point = next(hook for hook in runner.hooks if isinstance(hook, ResumePointHook))
    with stopping.announced(point.stop_after_step):
        runner.train()


@pytest.mark.parametrize("number", stopping.SIGNALS)
def test_training_ends_after_its_step_and_goes_on_from_there(tmp_path: Path, number: int) -> None:
    world = small_world.write_world(tmp_path / "world")
    config = small_world.runner_config(world, tmp_path / "stopped", workers=2, iterations=4)
    stopped = build(config)
    stopped.register_hook(Scheduler(number))
    handlers = [signal.getsignal(each) for each in stopping.SIGNALS]
    try:
        with pytest.raises(KeyboardInterrupt):
            train(stopped)
        # What is sent while the process clears up must not disturb it.
        assert [signal.getsignal(each) for each in stopping.SIGNALS] == [signal.SIG_IGN] * 2
    finally:
        for each, handler in zip(stopping.SIGNALS, handlers, strict=True):
            signal.signal(each, handler)

    config = small_world.runner_config(world, tmp_path / "resumed", workers=2, iterations=4)
    resumed = build({**config, "resume": True, "load_from": str(tmp_path / "stopped/resume.pth")})
    train(resumed)
    assert resumed.train_loop.first_iteration == STEP + 1
    assert [signal.getsignal(each) for each in stopping.SIGNALS] == handlers
    whole = build(small_world.runner_config(world, tmp_path / "whole", iterations=4))
    train(whole)
    expected = whole.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_outside_of_training_the_signal_ends_a_process_at_once_and_only_once() -> None:
    script = (
        "import os, signal, time\nfrom benchmark import stopping\n"
        "for n in stopping.SIGNALS: signal.signal(n, stopping.interrupt)\n"
        "try:\n    os.kill(os.getpid(), signal.SIGUSR2); time.sleep(9)\n"
        "except KeyboardInterrupt:\n"
        "    for n in stopping.SIGNALS: os.kill(os.getpid(), n)\n"
        "    print('cleared up')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "cleared up\n"
