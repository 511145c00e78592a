"""Run-time choices of a training step, set on a built method and told in the record."""

from __future__ import annotations

from typing import Any

from benchmark.runtime import Runtime


def asked(runtime: Runtime) -> dict[str, bool]:
    """What a record tells of a step that is computed in another way than by default, by name."""
    return {
        "checkpoint_activations": runtime.checkpoint_activations,
        "compile": runtime.compile,
    }


def set_on(method: Any, runtime: Runtime) -> dict[str, bool]:
    """Set the choices on a method on its device; returns what came of those in `asked`.

    Raises:
        EncoderError: the encoder's activations cannot be recomputed.
    """
    from mmseg_ext.engine import run_time

    made = asked(runtime)
    method.micro_batches = runtime.accumulate
    if runtime.device == "cuda":
        run_time.transfer_without_waiting(method)
    if runtime.checkpoint_activations:
        run_time.checkpoint_activations(method)
    if runtime.compile:
        made["compile"] = run_time.compile_networks(method)
        if not made["compile"]:
            print("--compile: EVA02 encoders are not compiled; training goes on without")
    return made
